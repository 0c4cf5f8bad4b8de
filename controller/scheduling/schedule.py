"""The result of scheduling: what each arm does when, in the cycle that repeats."""

from dataclasses import dataclass

from controller.scheduling.problem import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledOperation:
    """One operation with its mode and its times for joint 0; joint j follows `cycle_time * j` later.

    Attributes:
        operation: Name of the operation.
        mode: The mode chosen.
        window: Number of the dial cycle in which the operation enters its nest, 0 being the one in which the
            joint stands at position 0. On the dial this is the position. Off the dial it may be negative:
            made for a joint to come.
        start: The arm is at the start pose [ticks]; 0 is the start of the index that brings the joint to
            position 0.
        enter: It enters the nest zone [ticks].
        leave: It leaves the nest zone [ticks].
        end: It is at the end pose [ticks].
    """

    operation: str
    mode: Mode
    window: int
    start: int
    enter: int
    leave: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A repeating schedule of one dial cycle.

    Attributes:
        cycle_time: Ticks between two finished joints.
        lower_bound: Ticks that no schedule of the same problem can beat.
        operations: In the order of the problem.
        arm_sequences: For each arm the names of its operations in cyclic order, beginning at the first start
            in a cycle.
        nest_orders: For each dial position the names in the order of entering.
        exclusion_orders: Pairs (a, b) of crossing operations: in each cycle a leaves before b enters.
        buffer_heights: (buffer, load, cycles): what is loaded in dial cycle k is for the joint whose unload
            enters its nest in dial cycle k + cycles; this tells which model's part to make.
        critical: Names of the events on a critical circuit; "index" is the dial's.
    """

    cycle_time: int
    lower_bound: int
    operations: tuple[ScheduledOperation, ...]
    arm_sequences: tuple[tuple[str, ...], ...]
    nest_orders: tuple[tuple[str, ...], ...]
    exclusion_orders: tuple[tuple[str, str], ...]
    buffer_heights: tuple[tuple[str, str, int], ...]
    critical: tuple[str, ...]

    @property
    def gap(self) -> float:
        """Relative distance of the cycle time from the lower bound; 0 is proven optimal."""
        return self.cycle_time / self.lower_bound - 1.0

    def __getitem__(self, name: str) -> ScheduledOperation:
        """The scheduled operation of that name; KeyError if there is none."""
        for item in self.operations:
            if item.operation == name:
                return item
        raise KeyError(f"no operation {name!r} in the schedule")
