"""How an emulated servo moves: along a trapezoidal profile to its goal, exactly.

A new goal starts a new profile from where the servo is; the velocity it had is not carried over, which a
real servo's profile does. No load, no gravity, no gains: what is emulated is what drivers depend on.
"""

import math


class Motion:
    """A position that moves to goals; units are the caller's (steps), times are seconds.

    Args:
        position: Where it stands at time 0.
        fastest: Velocity that no profile exceeds [1/s].
    """

    def __init__(self, position: float, fastest: float) -> None:
        self._fastest = fastest
        self._start, self._goal = position, position
        self._since_s = self._duration_s = self._ramp_s = 0.0

    def go(self, now_s: float, goal: float, duration_s: float = 0.0, ramp_s: float = 0.0) -> None:
        """Start towards a goal.

        Args:
            now_s: Present time.
            goal: Where to.
            duration_s: Time for the whole way; longer when it would need more than the highest velocity.
            ramp_s: Time of acceleration, and of deceleration; at most half of the duration.
        """
        self._start = self.at(now_s)[0]
        self._goal, self._since_s = goal, now_s
        shortest = abs(goal - self._start) / self._fastest
        self._ramp_s = min(ramp_s, duration_s / 2.0)
        self._duration_s = max(duration_s, shortest + self._ramp_s)

    def limited(self, now_s: float, goal: float, velocity: float, acceleration: float) -> None:
        """Start towards a goal within limits of velocity and acceleration [1/s, 1/s²]; 0 is none."""
        distance = abs(goal - self.at(now_s)[0])
        top = min(velocity or self._fastest, self._fastest)
        if acceleration:
            top = min(top, math.sqrt(distance * acceleration))
        ramp_s = top / acceleration if acceleration else 0.0
        self.go(now_s, goal, distance / top + ramp_s if top else 0.0, ramp_s)

    def stop(self, now_s: float) -> None:
        """Stand where it is."""
        self._start = self._goal = self.at(now_s)[0]
        self._duration_s = 0.0

    def at(self, now_s: float) -> tuple[float, float]:
        """Position and velocity."""
        elapsed, distance = now_s - self._since_s, self._goal - self._start
        if elapsed >= self._duration_s or distance == 0.0:
            return self._goal, 0.0
        top = distance / (self._duration_s - self._ramp_s)
        left = self._duration_s - elapsed
        if elapsed < self._ramp_s:
            return self._start + top * elapsed**2 / (2.0 * self._ramp_s), top * elapsed / self._ramp_s
        if left < self._ramp_s:
            return self._goal - top * left**2 / (2.0 * self._ramp_s), top * left / self._ramp_s
        return self._start + top * (elapsed - self._ramp_s / 2.0), top
