"""The scheduling core: who does which operation, where and in which order."""
