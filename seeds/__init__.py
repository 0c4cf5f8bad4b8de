"""The figures of the source document and the targets drawn from them."""
