"""Whether every arm can follow its trajectories: at rest at the ends, within all limits, in the time planned."""

from collections.abc import Iterator

import numpy as np

from controller.motion.plan_document import StoredPlan
from controller.motion.verify_body import ArmBody
from controller.motion.verify_trajectory import Quintics, States
from controller.scheduling.verify import Violation

_RELATIVE = 1e-6  # by which rounding may pass a limit
_REST = 1e-6  # [rad/s, rad/s²] that counts as rest


class LimitCheck:
    """Trajectories against the limits of every arm that follows them, with all that its hand carries then."""

    def __init__(self, stored: StoredPlan) -> None:
        self._stored = stored
        self._bodies = {arm.id: ArmBody(arm) for arm in stored.document.cell.arms}
        self._quintics = [Quintics(motion) for motion in stored.trajectories]
        self._states: dict[int, States] = {}

    def violations(self) -> Iterator[Violation]:
        """All of them; each trajectory once for each arm, and once more for each load."""
        seen: set[tuple[object, ...]] = set()
        for index, node in enumerate(self._stored.document.nodes):
            if node.leg is None:
                continue
            leg, name = self._stored.leg(index), self._stored.name(index)
            if (key := (node.resource, leg.trajectory)) not in seen:
                seen.add(key)
                yield from self._rest(leg.trajectory, name)
                yield from self._limits(node.resource, leg.trajectory, name)
            if (load := (*key, leg.hand, leg.hand_after)) not in seen:
                seen.add(load)
                yield from self._torque(node.resource, leg.trajectory, leg.hand, leg.hand_after, name)
            yield from self._duration(index)

    def _rest(self, trajectory: int, name: str) -> Iterator[Violation]:
        motion = self._stored.trajectories[trajectory]
        for end in (0, -1):
            if max(np.abs(motion.qd[end]).max(), np.abs(motion.qdd[end]).max()) > _REST:
                yield Violation(
                    rule="rest", detail=f"{name} does not {'start' if end == 0 else 'end'} at rest"
                )

    def _limits(self, arm: str, trajectory: int, name: str) -> Iterator[Violation]:
        record, quintics = self._bodies[arm].arm, self._quintics[trajectory]
        low, high = np.array(record.q_min_rad), np.array(record.q_max_rad)
        for order, (quantity, unit, limit, middle) in enumerate(
            (
                ("position", "rad", (high - low) / 2, (low + high) / 2),
                ("velocity", "rad/s", np.array(record.velocity_rad_per_s), None),
                ("acceleration", "rad/s²", np.array(record.acceleration_rad_per_s2), None),
                ("jerk", "rad/s³", np.array(record.jerk_rad_per_s3), None),
            )
        ):
            if found := quintics.excess(order, limit, middle):
                yield Violation(
                    rule="limit",
                    detail=f"{name}: {quantity} of joint {found.joint + 1} is {found.value:.4f} {unit} at "
                    f"{found.t:.3f} s, {found.share:.3f} of what is allowed",
                )

    def _torque(self, arm: str, trajectory: int, hand: int, after: int, name: str) -> Iterator[Violation]:
        """Under way, and at rest with what it holds in the end."""
        body, hands = self._bodies[arm], self._stored.document.hands
        if trajectory not in self._states:
            self._states[trajectory] = self._quintics[trajectory].states()
        states = self._states[trajectory]
        rest = States(t=states.t[-1:], q=states.q[-1:], qd=np.zeros((1, 6)), qdd=np.zeros((1, 6)))
        used = np.vstack([body.torques(hands[hand], states), body.torques(hands[after], rest)])
        share = used / np.array(body.arm.torque_nm)
        sample, joint = np.unravel_index(int(share.argmax()), share.shape)
        if share[sample, joint] > 1 + _RELATIVE:
            yield Violation(
                rule="limit",
                detail=f"{name}: torque of joint {joint + 1} is {used[sample, joint]:.1f} N m at "
                f"{np.append(states.t, states.t[-1])[sample]:.3f} s, {share[sample, joint]:.3f} of what is allowed",
            )

    def _duration(self, index: int) -> Iterator[Violation]:
        """No leg is planned shorter than its motion and its process; an insertion runs along its motion."""
        node, leg = self._stored.document.nodes[index], self._stored.leg(index)
        moving = self._stored.trajectories[leg.trajectory].duration
        process = leg.process.duration_s if leg.process else 0.0
        taken = max(moving, process) if leg.does == "insert" else moving + process
        if node.duration_s < taken - _RELATIVE:
            yield Violation(
                rule="duration",
                detail=f"{self._stored.name(index)} is planned with {node.duration_s:.4f} s, "
                f"its motion and process take {taken:.4f} s",
            )
