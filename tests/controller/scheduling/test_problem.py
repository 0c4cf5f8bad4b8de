import numpy as np
import pytest

from controller.scheduling.problem import (
    NO_ARM,
    OFF_DIAL,
    Buffer,
    Mode,
    Operation,
    ProblemError,
    SchedulingProblem,
)


def place(name, **changes):
    return Operation(
        name=name, modes=(Mode(**{"arm": 0, "position": 0, "inside": 5, "before": 4} | changes),)
    )


def problem(**changes):
    values = {
        "positions": 2,
        "index_ticks": 3,
        "operations": (place("a"), place("b", position=1)),
        "travel": np.ones((1, 1, 1), np.int64),
    }
    return SchedulingProblem(**(values | changes))


def test_travel_is_a_read_only_copy():
    travel = np.ones((1, 1, 1), np.int64)
    built = problem(travel=travel)
    travel[0, 0, 0] = 9
    assert built.travel[0, 0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        built.travel[0, 0, 0] = 2


def test_all_findings_come_at_once():
    with pytest.raises(ProblemError) as caught:
        problem(positions=1, margin=4, precedence=(("a", "c"),))
    message = str(caught.value)
    assert "margin = 4: must lie in 0..index_ticks = 3" in message
    assert "operation 'b', mode 0: position = 1: must lie in -1..0" in message
    assert "precedence ('a', 'c'): there is no operation 'c'" in message


BENCH = Buffer(name="bench", loads=("a",), process=1, unload="b", unload_offset=2)
LOAD = place("a", position=OFF_DIAL)


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"positions": 0}, "positions = 0: must be at least 1"),
        ({"index_ticks": -1}, "index_ticks = -1: must not be negative"),
        ({"travel": np.ones((1, 1), np.int64)}, r"travel has shape \(1, 1\)"),
        ({"travel": -np.ones((1, 1, 1), np.int64)}, "travel holds -1 ticks"),
        ({"operations": ()}, "operations: there is none"),
        ({"operations": (place("a"), place("a"))}, "operation 'a' occurs 2 times"),
        ({"operations": (Operation(name="a", modes=()),)}, "operation 'a' has no mode"),
        ({"operations": (place("a", arm=1),)}, "arm = 1: must lie in -1..0"),
        ({"operations": (place("a", inside=0),)}, "inside = 0: must be at least 1 tick"),
        ({"operations": (place("a", after=-2),)}, "after = -2: must not be negative"),
        ({"operations": (place("a", end=1),)}, "end = 1: must lie in 0..0"),
        ({"operations": (place("a", arm=NO_ARM),)}, "has no arm, so before, after"),
        ({"operations": (place("a", arm=NO_ARM, before=0, position=OFF_DIAL),)}, "neither an arm nor"),
        ({"precedence": (("a", "b"), ("b", "a"))}, "precedence runs in a circle: a -> b -> a"),
        ({"exclusions": (((0, 0), (0, 1)),)}, "names one arm twice"),
        ({"exclusions": (((0, 0), (1, 1)),)}, r"\(1, 1\) does not exist on the dial"),
        ({"buffers": (BENCH,)}, "buffer 'bench': load 'a' has a mode on the dial"),
    ],
)
def test_contradictions_are_named(changes, finding):
    with pytest.raises(ProblemError, match=finding):
        problem(**changes)


@pytest.mark.parametrize(
    ("buffer", "unload", "finding"),
    [
        ({"loads": ()}, {}, "buffer 'bench': has no load"),
        ({"process": -1}, {}, "process = -1: must not be negative"),
        ({"unload": "z"}, {}, "buffer 'bench': there is no operation 'z'"),
        ({"unload_offset": 5}, {}, "unload_offset = 5: must lie in 0..4, the least `before` of 'b'"),
        ({"loads": ("a", "a")}, {}, "operation 'a' loads 2 buffers"),
        ({"unload_offset": 0}, {"arm": NO_ARM, "before": 0}, "unload 'b' has a mode without an arm"),
    ],
)
def test_contradictions_of_buffers_are_named(buffer, unload, finding):
    values = {"name": "bench", "loads": ("a",), "process": 1, "unload": "b", "unload_offset": 2} | buffer
    with pytest.raises(ProblemError, match=finding):
        problem(operations=(LOAD, place("b", **unload)), buffers=(Buffer(**values),))


def test_circle_through_a_buffer_is_found():
    with pytest.raises(ProblemError, match="circle: a -> b -> a"):
        problem(operations=(LOAD, place("b")), buffers=(BENCH,), precedence=(("b", "a"),))
