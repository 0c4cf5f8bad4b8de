import json
import re
import sys
import threading
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from controller import cli_solve
from controller.cli import app
from controller.console import INTERRUPTED, MET, USAGE
from controller.scheduling.shop import ScheduledOperation, ShopSchedule, verify
from controller.scheduling.shop.exact import MissingSolverError
from controller.scheduling.shop.read import read_shop

# Fisher and Thompson's ft06; its optimum is 55, its one-machine bound 52.
FT06 = """6 6
2 1 0 3 1 6 3 7 5 3 4 6
1 8 2 5 4 10 5 10 0 10 3 4
2 5 3 4 5 8 0 9 1 1 4 7
1 5 0 5 2 5 3 3 4 8 5 9
2 9 1 3 4 5 5 4 0 3 3 1
1 3 3 3 5 9 0 10 4 4 2 1
"""


@pytest.fixture
def ft06(tmp_path):
    path = tmp_path / "ft06.txt"
    path.write_text(FT06, encoding="utf-8")
    return path


def call(*arguments, **options):
    return CliRunner().invoke(app, ["solve", *map(str, arguments)], **options)


def test_json_is_a_valid_schedule_and_repeats(ft06, tmp_path):
    documents = []
    for number, threads in enumerate((1, 2)):
        out = tmp_path / f"{number}.json"
        result = call(ft06, "--iterations", 20_000, "--seed", 3, "--threads", threads, "--json", out)
        assert result.exit_code == MET, result.output
        documents.append(json.loads(out.read_text(encoding="utf-8")))
    first, second = documents
    assert first["schedule"] == second["schedule"]
    assert (first["makespan"], first["lower_bound"], first["optimal"]) == (55, 52, False)
    assert first["iterations"] == 20_000
    problem = read_shop(ft06).problem
    items = [
        ScheduledOperation(job=o["job"], operation=o["operation"], mode=0, start=o["start"], end=o["end"])
        for o in sorted(first["schedule"], key=lambda o: (o["start"], o["end"]))
    ]
    assert verify(problem, ShopSchedule(operations=tuple(items), makespan=55, lower_bound=52)) == []
    machines = [o["machine"] for o in first["schedule"][:6]]
    assert machines == [2, 0, 1, 3, 5, 4]


def test_table_shows_figures_and_every_machine(ft06):
    result = call(ft06, "--iterations", 20_000)
    for expected in (r"makespan\s+55", r"lower bound\s+52", r"gap\s+5\.77 %", "machines counted from 0"):
        assert re.search(expected, result.output)
    rows = re.findall(r"^machine (\d) ([0-5·]{72})\s+(\d+) %$", result.output, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(6))


def test_gantt_as_svg_and_page(ft06, tmp_path):
    for suffix in ("svg", "html"):
        assert call(ft06, "--iterations", 1000, "--gantt", tmp_path / f"g.{suffix}").exit_code == MET
    svg = (tmp_path / "g.svg").read_text(encoding="utf-8")
    ET.fromstring(svg)
    assert svg.count("<g><title>") == 36
    assert svg.split("<style>")[0].split("aria")[0] in (tmp_path / "g.html").read_text(encoding="utf-8")


def test_exact_proves(ft06):
    assert re.search("makespan +55, proven optimal", call(ft06, "--iterations", 20_000, "--exact").output)


def test_a_missing_solver_is_said_before_the_search(ft06, monkeypatch):
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    with pytest.raises(MissingSolverError, match=r"pip install 'jointcell\[exact\]'"):
        call(ft06, "--seconds", 1000, "--exact", catch_exceptions=False)


def test_ctrl_c_shows_the_best_so_far(ft06, monkeypatch):
    pressed = threading.Event()
    pressed.set()
    monkeypatch.setattr(cli_solve, "threading", SimpleNamespace(Event=lambda: pressed))
    result = call(ft06, "--seconds", 1000)
    assert result.exit_code == INTERRUPTED
    assert "makespan" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seconds", "nan"], "--seconds"),
        (["--seconds", "0"], "--seconds"),
        (["--threads", "65"], "--threads"),
        (["--iterations", "0"], "--iterations"),
        (["--gantt", "chart.png"], "ends in .svg or .html"),
    ],
)
def test_wrong_options(ft06, arguments, message):
    result = call(ft06, *arguments)
    assert result.exit_code == USAGE
    assert message in result.output
