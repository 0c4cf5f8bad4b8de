"""Dynamixel X-series servos: packets, bus, registers, the arm made of six of them, and emulated ones."""
