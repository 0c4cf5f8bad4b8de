"""Smooth motion of machines from rest to rest: quintic, its acceleration continuous, its jerk bounded."""


def smooth(share: float) -> float:
    """Share of the way after a share of the time, both 0 to 1."""
    u = min(1.0, max(0.0, share))
    return u * u * u * (10.0 + u * (6.0 * u - 15.0))
