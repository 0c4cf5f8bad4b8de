"""Pure maths on arrays: chains, inverse kinematics, trajectories, distance and path search."""
