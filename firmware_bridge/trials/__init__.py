"""Studies of the firmware and of the host's side that tests run a share of and `jointcell bench serial` in full.

Each goes through random cases by seed and raises `AssertionError` where something does not hold.
"""
