"""Runs a plan on drivers: pure state, engine and record."""
