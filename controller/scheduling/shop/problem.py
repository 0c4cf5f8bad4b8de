"""A shop as pure data: jobs of operations that need resources.

One model for the job shop, the flexible job shop, assembly jobs with a precedence graph, operations that need several
resources at once, setup and travel times, blocking, release and due dates. A zone that arms share, or any other
exclusion, is a resource that each of them uses. Times are int ticks.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from controller.scheduling.longest_path import find_circuit
from controller.scheduling.problem import ProblemError

LONGEST = 2**40  # ticks (35 years of milliseconds) in all: weighted sums stay far from the end of int64
MOST_OPERATIONS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """An arm, nest, station, tool, zone, machine: it does one thing at a time.

    Attributes:
        name: For messages and charts.
        setup: Ticks between leaving in state i and entering in state j, as rows of equal length; () if it needs none.
            Applies between consecutive uses, whatever lies between.
    """

    name: str
    setup: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A resource taken for the time of an operation.

    Attributes:
        resource: Its index.
        enter: State it must be in at the start: a column of its setup times.
        leave: State it is in at the end: a row of its setup times.
        hold: Stays occupied until the next operation of the job starts, which may take it over. When two jobs block each
            other, neither can move: there is no place to swap.
    """

    resource: int
    enter: int = 0
    leave: int = 0
    hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way to do an operation: how long it takes [ticks] and what it uses meanwhile."""

    duration: int
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One step of work, done in one of its modes without a break."""

    modes: tuple[Mode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Operations that belong together.

    Attributes:
        name: For messages and charts.
        operations: In any order that `precedence` allows.
        precedence: Pairs (a, b) of numbers of its operations: a ends before b starts.
        release: Earliest start of any operation [ticks].
        due: Latest end of every operation [ticks]; None if there is none.
    """

    name: str
    operations: tuple[Operation, ...]
    precedence: tuple[tuple[int, int], ...]
    release: int = 0
    due: int | None = None


def chain(count: int) -> tuple[tuple[int, int], ...]:
    """The precedence of operations done one after the other."""
    return tuple((i, i + 1) for i in range(count - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopProblem:
    """What has to be done; the goal is the least makespan.

    Raises:
        ProblemError: It contradicts itself; the message lists every finding.
    """

    resources: tuple[Resource, ...]
    jobs: tuple[Job, ...]

    def __post_init__(self) -> None:
        findings = [*_resource_findings(self), *_job_findings(self)]
        if findings:
            raise ProblemError("\n".join(findings))

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, job by job: their numbers are positions in here."""
        return tuple(operation for job in self.jobs for operation in job.operations)

    @property
    def firsts(self) -> tuple[int, ...]:
        """For each job the number of its first operation, and at the end the number of operations."""
        return tuple(accumulate((len(job.operations) for job in self.jobs), initial=0))

    @property
    def precedence(self) -> tuple[tuple[int, int], ...]:
        """All pairs (a, b) of numbers of operations where a ends before b starts."""
        return tuple(
            (first + a, first + b)
            for first, job in zip(self.firsts, self.jobs, strict=False)
            for a, b in job.precedence
        )

    @property
    def is_plain(self) -> bool:
        """Whether each operation takes one resource, another in each mode, without setup, blocking or due dates."""
        return (
            not any(resource.setup for resource in self.resources)
            and all(job.due is None for job in self.jobs)
            and all(
                len(mode.uses) == 1 and not mode.uses[0].hold
                for operation in self.operations
                for mode in operation.modes
            )
            and all(
                len({mode.uses[0].resource for mode in operation.modes}) == len(operation.modes)
                for operation in self.operations
            )
        )


def _resource_findings(problem: ShopProblem) -> Iterator[str]:
    for resource in problem.resources:
        lengths = [len(row) for row in resource.setup]
        if len(set(lengths)) > 1 or 0 in lengths:
            yield f"resource {resource.name!r}: rows of setup have lengths {lengths}: must be equal, above 0"
            continue
        for row in resource.setup:
            for ticks in row:
                if not 0 <= ticks <= LONGEST:
                    yield f"resource {resource.name!r}: setup time {ticks}: must lie in 0..{LONGEST}"


def _job_findings(problem: ShopProblem) -> Iterator[str]:
    if not problem.jobs:
        yield "there are no jobs"
    if len(problem.operations) > MOST_OPERATIONS:
        yield f"there are {len(problem.operations)} operations: must be at most {MOST_OPERATIONS}"
        return
    for job in problem.jobs:
        where, count = f"job {job.name!r}", len(job.operations)
        if count == 0:
            yield f"{where}: has no operations"
        if not 0 <= job.release <= LONGEST:
            yield f"{where}: release = {job.release}: must lie in 0..{LONGEST}"
        if job.due is not None and not job.release <= job.due <= LONGEST:
            yield f"{where}: due = {job.due}: must lie in {job.release}..{LONGEST}, not before its release"
        outside = [pair for pair in job.precedence if not (0 <= pair[0] < count and 0 <= pair[1] < count)]
        for pair in outside:
            yield f"{where}: precedence {pair}: must name operations 0..{count - 1}"
        rising = all(a < b for a, b in job.precedence)
        if not (outside or rising) and (
            circuit := find_circuit(count, [(a, b, 0) for a, b in job.precedence])
        ):
            yield f"{where}: precedence runs in a circle: {' -> '.join(map(str, (*circuit, circuit[0])))}"
        followers = Counter(a for a, _ in set(job.precedence))
        for number, operation in enumerate(job.operations):
            yield from _operation_findings(
                problem, operation, followers[number], f"{where}, operation {number}"
            )
    setup = max((ticks for r in problem.resources for row in r.setup for ticks in row), default=0)
    longest = sum(setup + max((m.duration for m in o.modes), default=0) for o in problem.operations)
    if longest > LONGEST:
        yield f"all durations and setups one after the other take {longest} ticks: must be at most {LONGEST}"


def _operation_findings(
    problem: ShopProblem, operation: Operation, followers: int, where: str
) -> Iterator[str]:
    if not operation.modes:
        yield f"{where}: has no mode"
    for number, mode in enumerate(operation.modes):
        here = f"{where}, mode {number}"
        if not 0 <= mode.duration <= LONGEST:
            yield f"{here}: duration = {mode.duration}: must lie in 0..{LONGEST}"
        if not mode.uses:
            yield f"{here}: uses no resource"
        if len({use.resource for use in mode.uses}) < len(mode.uses):
            yield f"{here}: uses a resource twice"
        for use in mode.uses:
            if not 0 <= use.resource < len(problem.resources):
                yield f"{here}: resource {use.resource}: must lie in 0..{len(problem.resources) - 1}"
                continue
            setup = problem.resources[use.resource].setup
            rows, columns = (len(setup), min(map(len, setup))) if setup else (1, 1)
            if not 0 <= use.enter < columns:
                yield f"{here}: enters in state {use.enter}: must lie in 0..{columns - 1}"
            if not 0 <= use.leave < rows:
                yield f"{here}: leaves in state {use.leave}: must lie in 0..{rows - 1}"
            if use.hold and followers > 1:
                yield f"{here}: holds a resource, but {followers} operations follow: must be at most 1 to hand over to"
