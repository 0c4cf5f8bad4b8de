"""What exists in a cell and what may be asked of it: arms, stations, joint models, recipes and their checks."""
