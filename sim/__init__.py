"""The cell in PyBullet: world, arms, grippers, process physics and the joint under test."""
