"""The one family of exceptions of this package."""


class KinematicsError(ValueError):
    """Wrong input: the message says what, where, its value and what is allowed."""


class LineError(KinematicsError):
    """A straight line that the arm can't follow: where along it, and why."""
