"""Read standard job-shop files.

* Job shop, standard specification: "jobs machines", then for each job its operations as pairs machine, duration.
* Job shop, Taillard's specification: "jobs machines", then a row of durations for each job, then a row of machines.
* Flexible job shop: "jobs machines [mean alternatives]", then for each job the number of operations and for each
  operation the number of alternatives and pairs machine, duration (Brandimarte 1993).
* Flexible job shop with precedence graphs: "operations arcs machines", then the arcs as pairs of operations, then for each
  operation the number of alternatives and pairs machine, duration (Birgin et al. 2014). Jobs are what arcs connect.

Lines that begin with # and empty lines are skipped. Machines count from 0 or from 1: if machine 0 occurs, from 0;
otherwise from 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cells.errors import CellError, Finding
from controller.scheduling.longest_path import find_circuit
from controller.scheduling.problem import ProblemError
from controller.scheduling.shop.problem import (
    LONGEST,
    MOST_OPERATIONS,
    Job,
    Mode,
    Operation,
    Resource,
    ShopProblem,
    Use,
    chain,
)

_MOST_BYTES = 64 * 2**20
_MOST_MACHINES = 10_000
_Alternatives = list[tuple[int, int]]  # machine, duration


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFile:
    """What a file holds.

    Attributes:
        problem: The shop.
        kind: Which of the formats it is, in words.
        first_machine: The number of the first machine in the file, 0 or 1.
    """

    problem: ShopProblem
    kind: str
    first_machine: int


def read_shop(path: Path) -> ShopFile:
    """Read a file; the format is told by what it holds, and .fjs by its name.

    Raises:
        CellError: The file can't be read or is malformed; the message names line and what was expected.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise CellError([_finding(path, 0, "", f"is larger than {_MOST_BYTES} bytes", "a smaller file")])
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CellError([_finding(path, 0, "", "is not text", "a text file (UTF-8)")]) from error
    rows = list(_rows(path, text))
    if not rows:
        raise CellError([_finding(path, 1, "", "is empty", "a line with the numbers of jobs and machines")])
    header = rows[0]
    if not 2 <= len(header.values) <= 3:
        raise header.wrong(
            "2 or 3 numbers: jobs, machines (and mean alternatives), or operations, arcs, machines"
        )
    body = rows[1:]
    if len(header.values) == 3 and _looks_like_graph(header, body):
        return _graph(path, header, body)
    header.whole(0, 1, MOST_OPERATIONS, "number of jobs")
    header.whole(1, 1, _MOST_MACHINES, "number of machines")
    jobs, machines = int(header.values[0]), int(header.values[1])
    if path.suffix.lower() != ".fjs":
        if len(body) == 2 * jobs and all(len(row.values) == machines for row in body):
            return _taillard(path, jobs, machines, body)
        if not _looks_flexible(body):
            return _job_shop(path, jobs, machines, body)
    return _flexible(path, jobs, machines, body)


@dataclass(frozen=True, slots=True)
class _Row:
    """The numbers of one line."""

    path: Path
    line: int
    values: list[float]

    def wrong(self, expected: str, at: int | None = None) -> CellError:
        """The error of this line, about one of its numbers or about how many there are."""
        value = (
            f"{len(self.values)} numbers"
            if at is None
            else f"{self.values[at]:g}, number {at + 1} of the line"
        )
        return CellError([_finding(self.path, self.line, value, "is not what was expected", expected)])

    def whole(self, at: int, low: int, high: int, what: str) -> int:
        """A whole number at a position."""
        if at >= len(self.values):
            raise self.wrong(f"at least {at + 1} numbers: {what} is missing")
        value = self.values[at]
        if not (value.is_integer() and low <= value <= high):
            raise self.wrong(f"{what}, a whole number in {low}..{high}", at)
        return int(value)


def _finding(path: Path, line: int, value: str, message: str, allowed: str) -> Finding:
    return Finding(
        file=str(path), where=f"line {line}" if line else "", value=value, message=message, allowed=allowed
    )


def _rows(path: Path, text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                values = [float(word) for word in line.split()]
            except ValueError as error:
                raise CellError(
                    [
                        _finding(
                            path,
                            number,
                            line.strip()[:60],
                            "is not a row of numbers",
                            "numbers, or # before a comment",
                        )
                    ]
                ) from error
            yield _Row(path, number, values)


def _looks_flexible(body: list[_Row]) -> bool:
    """Whether every row is a count of operations, each with a count of alternatives: a job shop's is only by chance."""
    for row in body:
        at = operations = 0
        while operations < row.values[0]:
            at += 1
            operations += 1
            if at >= len(row.values) or not 1 <= row.values[at] <= len(row.values):
                return False
            at += 2 * int(row.values[at])
        if at + 1 != len(row.values):
            return False
    return True


def _looks_like_graph(header: _Row, body: list[_Row]) -> bool:
    """Whether arcs follow the first line (a job's line is longer), or there are none (a shop has machines)."""
    return header.values[1] == 0 or (len(body) > 0 and len(body[0].values) == 2)


def _count(path: Path, rows: list[_Row], wanted: int, what: str, last: int) -> None:
    if len(rows) != wanted:
        line = rows[wanted].line if len(rows) > wanted else last + 1
        raise CellError(
            [
                _finding(
                    path,
                    line,
                    f"{len(rows)} lines",
                    "is not what was expected",
                    f"{wanted} lines with {what}",
                )
            ]
        )


def _job_shop(path: Path, jobs: int, machines: int, body: list[_Row]) -> ShopFile:
    _count(path, body, jobs, "the operations of a job each", body[-1].line if body else 1)
    table = []
    for row in body:
        if len(row.values) % 2:
            raise row.wrong("pairs of machine and duration: an even number of numbers")
        table.append([[_pair(row, at, machines)] for at in range(0, len(row.values), 2)])
    return _shop(path, "job shop", table, [chain(len(job)) for job in table], machines, body)


def _taillard(path: Path, jobs: int, machines: int, body: list[_Row]) -> ShopFile:
    table = []
    for times, route in zip(body[:jobs], body[jobs:], strict=True):
        table.append(
            [
                [(route.whole(k, 0, machines, "machine"), times.whole(k, 0, LONGEST, "duration"))]
                for k in range(machines)
            ]
        )
    return _shop(
        path, "job shop (Taillard's specification)", table, [chain(machines)] * jobs, machines, body[jobs:]
    )


def _flexible(path: Path, jobs: int, machines: int, body: list[_Row]) -> ShopFile:
    _count(path, body, jobs, "the operations of a job each", body[-1].line if body else 1)
    table = []
    for row in body:
        count, at = row.whole(0, 1, MOST_OPERATIONS, "number of operations"), 1
        job = []
        for _ in range(count):
            alternatives, at = _alternatives(row, at, machines)
            job.append(alternatives)
        if at != len(row.values):
            raise row.wrong(f"{at} numbers for {count} operations")
        table.append(job)
    return _shop(path, "flexible job shop", table, [chain(len(job)) for job in table], machines, body)


def _graph(path: Path, header: _Row, body: list[_Row]) -> ShopFile:
    n = header.whole(0, 1, MOST_OPERATIONS, "number of operations")
    arcs = header.whole(1, 0, len(body), "number of arcs, each on a line of its own")
    machines = header.whole(2, 1, _MOST_MACHINES, "number of machines")
    _count(path, body, arcs + n, f"{arcs} arcs and {n} operations", body[-1].line if body else header.line)
    pairs = []
    for row in body[:arcs]:
        if len(row.values) != 2:
            raise row.wrong("an arc: 2 numbers")
        pairs.append((row.whole(0, 0, n - 1, "operation"), row.whole(1, 0, n - 1, "operation")))
    if circuit := find_circuit(n, [(a, b, 0) for a, b in pairs]):
        at = pairs.index((circuit[0], circuit[1 % len(circuit)]))
        told = " -> ".join(map(str, (*circuit, circuit[0])))
        raise body[at].wrong(f"arcs without a circle: the precedence {told} runs in a circle")
    operations = []
    for row in body[arcs:]:
        alternatives, at = _alternatives(row, 0, machines)
        if at != len(row.values):
            raise row.wrong(f"{at} numbers for one operation")
        operations.append(alternatives)
    groups = _connected(n, pairs)
    place = {v: k for group in groups for k, v in enumerate(group)}
    owner = {v: j for j, group in enumerate(groups) for v in group}
    precedence: list[list[tuple[int, int]]] = [[] for _ in groups]
    for a, b in pairs:
        precedence[owner[a]].append((place[a], place[b]))
    return _shop(
        path,
        "flexible job shop with precedence graphs",
        [[operations[v] for v in group] for group in groups],
        [tuple(job) for job in precedence],
        machines,
        body[arcs:],
    )


def _connected(n: int, pairs: list[tuple[int, int]]) -> list[list[int]]:
    """The operations of each job: what arcs connect, in rising order."""
    root = list(range(n))

    def find(v: int) -> int:
        while root[v] != v:
            root[v] = root[root[v]]
            v = root[v]
        return v

    for a, b in pairs:
        low, high = sorted((find(a), find(b)))
        root[high] = low
    groups: dict[int, list[int]] = {}
    for v in range(n):
        groups.setdefault(find(v), []).append(v)
    return list(groups.values())


def _alternatives(row: _Row, at: int, machines: int) -> tuple[_Alternatives, int]:
    """The alternatives of the operation that begins at a position, and where the next one begins."""
    count = row.whole(at, 1, machines, "number of alternatives")
    return [_pair(row, at + 1 + 2 * i, machines) for i in range(count)], at + 1 + 2 * count


def _pair(row: _Row, at: int, machines: int) -> tuple[int, int]:
    return row.whole(at, 0, machines, "machine"), row.whole(at + 1, 0, LONGEST, "duration")


def _shop(
    path: Path,
    kind: str,
    table: list[list[_Alternatives]],
    precedence: list[tuple[tuple[int, int], ...]],
    machines: int,
    rows: list[_Row],
) -> ShopFile:
    used = {machine for job in table for operation in job for machine, _ in operation}
    first = 0 if 0 in used else 1
    if first == 0 and machines in used:
        raise CellError(
            [
                _finding(
                    path,
                    rows[0].line,
                    f"machines 0 and {machines}",
                    "both occur",
                    f"{machines} machines, counted from 0 or from 1",
                )
            ]
        )
    try:
        problem = ShopProblem(
            resources=tuple(Resource(name=f"machine {k + first}") for k in range(machines)),
            jobs=tuple(
                Job(
                    name=f"job {j}",
                    operations=tuple(
                        Operation(
                            modes=tuple(
                                Mode(duration=ticks, uses=(Use(resource=machine - first),))
                                for machine, ticks in alternatives
                            )
                        )
                        for alternatives in operations
                    ),
                    precedence=arcs,
                )
                for j, (operations, arcs) in enumerate(zip(table, precedence, strict=True))
            ),
        )
    except ProblemError as error:
        raise CellError([_finding(path, 0, "", str(error), "a shop without contradictions")]) from error
    return ShopFile(problem=problem, kind=kind, first_machine=first)
