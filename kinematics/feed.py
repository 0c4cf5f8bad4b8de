"""Feed of a motion under way: hold, resume and speed override, along its path and within its limits.

A motion is followed by its own time tau, which advances at a *rate*: 1 as planned, 0 held. The rate changes along
a cubic ramp, so that with q(tau) also q(t) has continuous acceleration and bounded jerk:

    qd = q' r,   qdd = q'' r^2 + q' dr/dt.

Where the planned motion brakes at its limits already, no ramp fits: then it is followed until one does, which is
what the fastest stop does, too. A motion planned without slack that is about to end is simply ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from kinematics.arrays import Array
from kinematics.chain import Limits
from kinematics.errors import KinematicsError
from kinematics.trajectory import Trajectory, stretch_within

_FITS = 1.0 + 1e-6  # of limits; the bound is that of control points, which lies above the motion itself
_RAMP_KNOTS = 33
_LENGTHS = 1.2 ** np.arange(36)  # ramp lengths tried, in quarters of the time to build up acceleration
_SHARES = (
    1.0,
    0.9,
    0.75,
    0.5,
    0.3,
    0.15,
)  # of a rise in rate, tried where the whole of it does not fit any more
_SAME_TIME = 1e-7  # [s]: knots nearer than this are one

# The motion's own time, time, rate and change of rate [1/s], each (m,).
Clock = tuple[Array, Array, Array, Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Feed:
    """What becomes of a motion when its rate changes.

    Attributes:
        trajectory: The motion from now on: to rest on the path for rate 0, otherwise to the end of the path.
        at: The motion's own time when the new rate is reached [s].
        rate: The rate reached; not the one asked for where there is no room for it.
    """

    trajectory: Trajectory
    at: float
    rate: float


def change_feed(move: Trajectory, limits: Limits, *, at: float, rate: float, to: float) -> Feed:
    """Change the rate at which a motion is followed, as fast as the limits of its joints allow.

    Args:
        move: The motion as planned, within the limits.
        limits: Velocity, acceleration and jerk limits; they hold at all times.
        at: The motion's own time now, from 0 to its duration [s].
        rate: The rate now, from 0 (held) to 1 (as planned), not changing.
        to: The new rate, from 0 to 1.

    Returns:
        The motion from now on. Where no change fits before its end, it ends at the rate it has, and ``at`` is its
        duration.

    Raises:
        KinematicsError: If a value is out of range.
    """
    for name, value, most in (("at", at, move.duration), ("rate", rate, 1.0), ("to", to, 1.0)):
        if not 0.0 <= value <= most:
            raise KinematicsError(f"{name}: {value:g}, expected from 0 to {most:g}")
    arrived = move.duration if rate > 0.0 else at
    best, least = Feed(trajectory=_moved(move, *_steady(move, at, rate)), at=arrived, rate=rate), np.inf
    if rate == to or at == move.duration:
        return replace(best, at=at, rate=to)
    for share in _SHARES if to > rate else (1.0,):
        for cost, feed in _ramps(move, limits, at, rate, rate + share * (to - rate)):
            if cost < least:
                best, least = feed, cost
    return best


def _ramps(
    move: Trajectory, limits: Limits, at: float, rate: float, to: float
) -> Iterator[tuple[float, Feed]]:
    """Shortest ramps that fit, one for each of the motion's knots they may begin at, and what they cost [s]."""
    quarter = 0.25 * float((limits.acceleration / limits.jerk).max())
    begins = np.append(at, move.t[(move.t > at) & (move.t < move.duration)] if rate > 0.0 else ())
    soonest = np.inf
    for begin in begins:
        delay = (begin - at) / rate if rate > 0.0 else 0.0
        for length in quarter * _LENGTHS:
            ramp = _ramp(move, float(begin), rate, to, float(length))
            if delay + length >= soonest or ramp is None:
                break
            tau, t, r, change = ramp
            if stretch_within(_moved(move, *ramp), limits) <= _FITS:
                soonest = delay + length
                before, after = _steady(move, at, rate, float(begin)), _steady(move, tau[-1], to)
                whole = _joined(
                    before, (tau, delay + t, r, change), (after[0], delay + t[-1] + after[1], *after[2:])
                )
                feed = Feed(trajectory=_moved(move, *whole), at=float(tau[-1]), rate=to)
                yield (soonest if to < rate else feed.trajectory.duration), feed
                break


def _ramp(move: Trajectory, begin: float, rate: float, to: float, length: float) -> Clock | None:
    """A change of rate that begins at the motion's time `begin` [s]; None for a hold that the end comes before."""

    def motion_time(u: Array) -> Array:
        return begin + length * (rate * u + (to - rate) * u**3 * (1.0 - 0.5 * u))

    u = np.linspace(0.0, 1.0, _RAMP_KNOTS)
    tau = motion_time(u)
    if tau[-1] > move.duration:
        if to == 0.0:
            return None
        u = np.append(u[tau < move.duration], np.interp(move.duration, tau, u))
    # The jerk of the motion jumps at its knots: there the new motion has knots, too.
    u = np.union1d(
        u, np.interp(move.t[(move.t > begin) & (move.t < tau[-1])], tau, np.linspace(0.0, 1.0, _RAMP_KNOTS))
    )
    tau = np.minimum(motion_time(u), move.duration)
    r = rate + (to - rate) * u**2 * (3.0 - 2.0 * u)
    return tau, length * u, r, (to - rate) * 6.0 * u * (1.0 - u) / length


def _steady(move: Trajectory, start: float, rate: float, end: float = np.inf) -> Clock:
    """The motion's knots at a constant rate, from its time `start` to `end` [s]; the start alone for rate 0."""
    tau = np.append(start, move.t[(move.t > start) & (move.t < end)] if rate > 0.0 else ())
    t = (tau - start) / rate if rate > 0.0 else np.zeros(1)
    return tau, t, np.full(len(tau), rate), np.zeros(len(tau))


def _joined(*clocks: Clock) -> Clock:
    """One clock after the other, without repeated times."""
    tau, t, r, change = (np.concatenate(rows) for rows in zip(*clocks, strict=True))
    keep = np.append(np.diff(t) > _SAME_TIME, True)
    return tau[keep], t[keep], r[keep], change[keep]


def _moved(move: Trajectory, tau: Array, t: Array, r: Array, change: Array) -> Trajectory:
    """The motion with its own time tau at times t, which advances at rate r, changing by `change` [1/s]."""
    q, qd, qdd = move.sample(tau)
    r = r[:, None]
    return Trajectory(t=t - t[0], q=q, qd=qd * r, qdd=qdd * r**2 + qd * change[:, None])
