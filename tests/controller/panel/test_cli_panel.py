"""The panel on the command line, against a panel that is served; and trying an order in a process of its own."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from controller import cli
from controller.panel import CellFacts
from controller.panel.dry_run import BusyError, DryRuns
from controller.serve import NOTE, _write_private
from controller.supervision.packml import State
from tests.controller.panel.browser.served_panel import Served, serve
from tests.controller.panel.replayed_cell import ReplayedCell

Call = Callable[..., SimpleNamespace]


@pytest.fixture
def served(facts: CellFacts, tmp_path: Path) -> Iterator[Served]:
    with ReplayedCell() as cell, serve(cell, facts, tmp_path) as panel:
        note = {"url": panel.url, "token": panel.panel.sessions.local()}
        _write_private(tmp_path / NOTE, json.dumps(note))
        yield panel


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    def run(*arguments: str) -> SimpleNamespace:
        code = cli._guarded(lambda: cli.app([*arguments, "--data", str(tmp_path)]))
        captured = capfd.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


def test_the_cell_from_the_command_line(served: Served, call: Call) -> None:
    answer = call("start")
    assert answer.code == 1
    assert "allowed: RESET, ABORT" in answer.err
    assert call("reset").out == "reset: accepted, state RESETTING\n"
    time.sleep(0.4)
    assert call("start").code == 0
    time.sleep(0.4)
    shown = call("status")
    assert shown.code == 0
    assert "State" in shown.out
    assert "EXECUTE" in shown.out
    picture = json.loads(call("status", "--json").out)
    assert picture["moment"]["state"] == "EXECUTE"
    assert call("hold").code == 0
    assert call("stop").code == 0
    assert call("abort").code == 0
    time.sleep(0.4)
    assert served.cell.view.state is State.ABORTED
    assert call("status").code == 3
    names = {by for _, _, by in served.cell.asked}
    assert names == {"command line"}


def test_nobody_serves(call: Call, tmp_path: Path) -> None:
    answer = call("status")
    assert answer.code == 4
    assert "jointcell serve" in answer.err
    (tmp_path / NOTE).write_text(json.dumps({"url": "http://127.0.0.1:9", "token": "x"}))
    answer = call("stop")
    assert answer.code == 4
    assert "NOT CONFIRMED" in answer.err


def test_the_note_is_for_its_owner_only(served: Served, tmp_path: Path) -> None:
    assert (tmp_path / NOTE).stat().st_mode & 0o077 == 0
    before = json.loads((tmp_path / NOTE).read_text())["token"]
    served.panel.sessions.local()
    assert served.panel.sessions.of_token(before) is None, "the next start makes it worthless"


def test_users_are_added(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sys.stdin", SimpleNamespace(isatty=lambda: False, readline=lambda: "a long password\n")
    )
    assert call("users", "add", "otto", "--role", "operator").out == "otto is added as operator.\n"
    again = call("users", "add", "otto", "--role", "operator")
    assert again.code == 2
    assert "taken" in again.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "192.168.7.20"), "no users"),
        (("--driver", "magic"), "allowed: "),
        (("--tls-cert", "x.pem"), "together with --tls-key"),
    ],
)
def test_what_serve_refuses(
    call: Call, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    answer = call("serve", *arguments)
    assert answer.code == 2
    assert said in answer.err


STUB = """
import json, pathlib, sys
arguments = sys.argv[1:]
out = pathlib.Path(arguments[arguments.index("--out") + 1])
assert arguments[:3] == ["run", "--driver", "fake"]
models = arguments[arguments.index("--models") + 1]
if "bad" in models:
    sys.exit("This cell cannot do it: no arm reaches")
out.mkdir()
figures = {"met": True, "cycle_time_p95_s": 27.1, "cycle_time_mean_s": 26.2, "lower_bound_s": 24.0}
(out / "run.json").write_text(json.dumps(figures))
"""


def finished(runs: DryRuns, number: str) -> dict[str, object]:
    deadline = time.monotonic() + 20.0
    while (run := runs.get(number)) is not None and run["status"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert run is not None
    return dict(run)


def test_an_order_is_tried(tmp_path: Path) -> None:
    stub = tmp_path / "stub.py"
    stub.write_text(STUB)
    runs = DryRuns(tmp_path / "runs", "six_arm", (sys.executable, str(stub)))
    runs.start("a", ["Pro-NE30-30"], 30.0)
    run = finished(runs, "a")
    assert (run["status"], run["met"], run["cycle_p95_s"]) == ("done", True, 27.1)
    runs.start("b", ["bad"], 30.0)
    run = finished(runs, "b")
    assert (run["status"], run["reason"]) == ("failed", "This cell cannot do it: no arm reaches")
    assert runs.get("c") is None


def test_one_order_at_a_time(tmp_path: Path) -> None:
    runs = DryRuns(tmp_path / "runs", "six_arm", (sys.executable, "-c", "import time; time.sleep(60)"))
    runs.start("a", ["Pro-NE30-30"], 30.0)
    with pytest.raises(BusyError):
        runs.start("b", ["Pro-NE30-30"], 30.0)
    runs.close()
    assert finished(runs, "a")["status"] == "failed"
