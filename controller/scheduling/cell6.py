"""CELL6 documents: a mix and a round as JSON, as described in docs/benchmarks/cell6/README.md."""

import json
from typing import Any

import numpy as np

from controller.scheduling.mix import Mix
from controller.scheduling.mix_schedule import MixSchedule
from controller.scheduling.problem import Buffer, Mode, Operation, ProblemError, SchedulingProblem
from controller.scheduling.schedule import ScheduledOperation

SCHEMA_VERSION = 1


def instance_json(mix: Mix, name: str, about: str) -> str:
    """A mix as a CELL6 instance."""
    first = mix.problems[0]
    document = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "about": about,
        "positions": first.positions,
        "index": first.index_ticks,
        "margin": first.margin,
        "operations": [
            {"name": o.name, "places": [[m.arm, m.position] for m in o.modes]} for o in first.operations
        ],
        "precedence": first.precedence,
        "buffers": [{"name": b.name, "loads": b.loads, "unload": b.unload} for b in first.buffers],
        "exclusions": first.exclusions,
        "kinds": [
            {
                "count": count,
                "times": [
                    [[m.before, m.inside, m.after, m.start, m.end] for m in o.modes]
                    for o in problem.operations
                ],
                "buffers": [[b.process, b.unload_offset] for b in problem.buffers],
            }
            for problem, count in zip(mix.problems, mix.counts, strict=True)
        ],
        "travel": first.travel.tolist(),
    }
    return _dumped(document)


def read_instance(text: str) -> Mix:
    """The mix of a CELL6 instance.

    Raises:
        ProblemError: The text is no instance, or what it describes contradicts itself.
    """
    try:
        return _mix(json.loads(text))
    except ProblemError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise ProblemError(f"not a CELL6 instance of version {SCHEMA_VERSION}: {error!r}") from error


def _mix(document: Any) -> Mix:
    if document["schema_version"] != SCHEMA_VERSION:
        raise ProblemError(f"schema_version = {document['schema_version']!r}: must be {SCHEMA_VERSION}")
    shared: dict[str, Any] = {
        "positions": int(document["positions"]),
        "index_ticks": int(document["index"]),
        "margin": int(document["margin"]),
        "travel": np.array(document["travel"], np.int64),
        "precedence": tuple((str(a), str(b)) for a, b in document["precedence"]),
        "exclusions": tuple(
            ((int(a), int(p)), (int(b), int(q))) for (a, p), (b, q) in document["exclusions"]
        ),
    }
    problems = []
    for kind in document["kinds"]:
        operations = []
        for operation, rows in zip(document["operations"], kind["times"], strict=True):
            modes = tuple(
                Mode(arm=int(arm), position=int(position), before=b, inside=i, after=a, start=s, end=e)
                for (arm, position), (b, i, a, s, e) in (
                    (place, map(int, row)) for place, row in zip(operation["places"], rows, strict=True)
                )
            )
            operations.append(Operation(name=str(operation["name"]), modes=modes))
        buffers = tuple(
            Buffer(
                name=str(buffer["name"]),
                loads=tuple(map(str, buffer["loads"])),
                process=int(process),
                unload=str(buffer["unload"]),
                unload_offset=int(offset),
            )
            for buffer, (process, offset) in zip(document["buffers"], kind["buffers"], strict=True)
        )
        problems.append(SchedulingProblem(operations=tuple(operations), buffers=buffers, **shared))
    return Mix(problems=tuple(problems), counts=tuple(int(kind["count"]) for kind in document["kinds"]))


def solution_json(schedule: MixSchedule, name: str) -> str:
    """A round as a CELL6 solution."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "instance": name,
        "round": schedule.round_ticks,
        "cycle_time": schedule.cycle_time,
        "lower_bound": schedule.lower_bound,
        "release": schedule.release,
        "indices": schedule.indices,
        "visits": [
            [[i.operation, i.mode.arm, i.mode.position, i.enter] for i in items]
            for items in schedule.operations
        ],
    }
    return _dumped(document)


def read_solution(text: str, mix: Mix) -> MixSchedule:
    """The round of a CELL6 solution to a mix; nothing but its form is checked.

    Raises:
        ProblemError: The text is no solution, or names places that the mix does not have.
    """
    try:
        document = json.loads(text)
        release = tuple(int(kind) for kind in document["release"])
        return MixSchedule(
            release=release,
            round_ticks=int(document["round"]),
            lower_bound=int(document["lower_bound"]),
            indices=tuple(int(start) for start in document["indices"]),
            operations=tuple(
                tuple(_visit(mix.problems[kind].operations[v], *row) for v, row in enumerate(rows))
                for kind, rows in zip(release, document["visits"], strict=True)
            ),
            critical=(),
        )
    except (ValueError, KeyError, TypeError, IndexError, StopIteration, RecursionError) as error:
        raise ProblemError(f"not a CELL6 solution of this instance: {error!r}") from error


def _visit(operation: Operation, name: str, arm: int, position: int, enter: int) -> ScheduledOperation:
    mode = next(mode for mode in operation.modes if (mode.arm, mode.position) == (arm, position))
    return ScheduledOperation(
        operation=str(name),
        mode=mode,
        window=max(position, 0),
        start=enter - mode.before,
        enter=enter,
        leave=enter + mode.inside,
        end=enter + mode.inside + mode.after,
    )


def _dumped(document: dict[str, object]) -> str:
    """One line for each entry of a list, so that files can be compared and are not too long."""
    lines = []
    for key, value in document.items():
        if isinstance(value, list | tuple) and value and not isinstance(value[0], int | str):
            rows = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in value)
            lines.append(f"{json.dumps(key)}: [\n  {rows}\n ]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"
