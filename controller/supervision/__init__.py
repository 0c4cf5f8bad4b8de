"""The cell run like a machine in a factory: states and commands, alarms, accounts of time."""
