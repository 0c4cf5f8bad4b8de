"""The physics engine, imported without the line that it prints to standard error."""

import os

_kept, _nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
os.dup2(_nowhere, 2)
try:
    import pybullet as pybullet
finally:
    os.dup2(_kept, 2)
    os.close(_kept)
    os.close(_nowhere)
