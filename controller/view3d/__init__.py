"""The cell in three dimensions for engineers, drawn by viser in a process of its own that knows nothing but pictures.

`controller.panel.view3d` starts ``python -m controller.view3d``, writes pictures into its standard input and relays
browsers to it. It takes no commands and reaches neither cell nor panel: blocked, crashed or killed, it is missing and
nothing else is.
"""
