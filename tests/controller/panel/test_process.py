"""Process parameters through the panel: versions, trial, choice; who may, and what the next start takes."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cells.cell import load_cell
from controller.panel.database import PanelDatabase
from controller.panel.dry_run import DryRuns
from controller.panel.process_store import ProcessStore
from controller.serve import with_process
from controller.supervision.settings import CellSettings
from tests.controller.panel.conftest import Make
from tests.controller.panel.rig import Rig
from tests.controller.panel.test_cli_panel import STUB

API = "/api/v1/process"
SLOWER = {"changes": {"motion.insert_m_per_s": 0.03}, "note": "rotor bearings creak"}


@pytest.fixture
def rig(make: Make, tmp_path: Path) -> Rig:
    """A panel whose trials are a stub's."""
    rig = make()
    stub = tmp_path / "stub.py"
    stub.write_text(STUB)
    rig.panel.dry_runs = DryRuns(tmp_path / "runs", "six_arm", (sys.executable, str(stub)))
    return rig


def tried(rig: Rig, number: int) -> dict[str, Any]:
    anna = rig.client("anna")
    run = anna.post(f"{API}/versions/{number}/trial")
    assert run.status_code == 202, run.text
    deadline = time.monotonic() + 20.0
    while (version := anna.get(API).json()["versions"][0])["trial"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    trial: dict[str, Any] = version["trial"]
    return trial


def test_a_version_is_made_tried_chosen_and_audited(rig: Rig) -> None:
    anna = rig.client("anna")
    before = anna.get(API).json()
    assert (before["running"], before["next_start"], before["versions"]) == (0, 0, [])
    made = anna.post(f"{API}/versions", json=SLOWER)
    assert made.status_code == 201, made.text
    (version,) = made.json()["versions"]
    assert (version["number"], version["author"], version["note"]) == (1, "anna", SLOWER["note"])
    assert version["changes"] == SLOWER["changes"]
    untried = anna.put(f"{API}/next-start", json={"version": 1})
    assert (untried.status_code, "was not tried" in untried.json()["detail"]) == (409, True)
    assert tried(rig, 1)["met"]
    chosen = anna.put(f"{API}/next-start", json={"version": 1}).json()
    assert (chosen["running"], chosen["next_start"]) == (0, 1), "the running cell keeps what it has"
    back = anna.put(f"{API}/next-start", json={"version": 0}).json()
    assert back["next_start"] == 0
    actions = [(row["action"], row["name"]) for row in anna.get("/api/v1/audit?most=10").json()]
    assert actions.count(("process choice", "anna")) == 2
    assert ("process version", "anna") in actions
    assert ("process trial", "anna") in actions


def test_operators_and_viewers_only_look(rig: Rig) -> None:
    rig.client("anna").post(f"{API}/versions", json=SLOWER)
    for name in ("otto", "vera"):
        client = rig.client(name)
        assert client.get(API).status_code == 200
        assert client.post(f"{API}/versions", json=SLOWER).status_code == 403
        assert client.post(f"{API}/versions/1/trial").status_code == 403
        assert client.put(f"{API}/next-start", json={"version": 0}).status_code == 403


def test_choosing_needs_the_password_typed_just_now(rig: Rig) -> None:
    rig.client("anna")
    rig.times.pass_s(600.0)
    refused = rig.client("anna").put(f"{API}/next-start", json={"version": 0})
    assert (refused.status_code, refused.json()["confirm"]) == (403, True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"motion.grip_s": -1.0}, "motion.grip_s"),
        ({"work_height_m": 0.2}, "allowed: dial.index_s"),
    ],
)
def test_what_is_no_cell_is_refused(rig: Rig, changes: dict[str, float], said: str) -> None:
    answer = rig.client("anna").post(f"{API}/versions", json={"changes": changes, "note": "x"})
    assert answer.status_code == 409
    assert said in answer.json()["detail"]
    assert rig.client("anna").get(API).json()["versions"] == []


def test_an_unknown_version_is_said(rig: Rig) -> None:
    anna = rig.client("anna")
    assert anna.post(f"{API}/versions/7/trial").status_code == 404
    assert anna.put(f"{API}/next-start", json={"version": 7}).status_code == 404


def test_versions_are_final(rig: Rig) -> None:
    rig.client("anna").post(f"{API}/versions", json=SLOWER)
    for statement in ("UPDATE process SET note = 'x'", "DELETE FROM process"):
        with pytest.raises(Exception, match="a version"):
            rig.panel.database.execute(statement)


def test_the_next_start_takes_the_chosen_version(tmp_path: Path) -> None:
    with PanelDatabase(tmp_path / "panel.db") as database:
        store = ProcessStore(database, lambda: 1)
        store.choose(store.add({"motion.grip_s": 0.5, "dial.index_s": 2.0}, "note", "anna"), "anna")
        settings, process = with_process(CellSettings(), tmp_path, store)
        assert process.running == 1
        changed, plain = load_cell(settings.cell), load_cell("six_arm")
        assert (changed.motion.grip_s, changed.dial.index_s) == (0.5, 2.0)
        assert changed.motion.release_s == plain.motion.release_s
        assert {each["value"] for each in process.parameters if each["name"] == "motion.grip_s"} == {0.25}
        store.choose(0, "anna")
        settings, process = with_process(CellSettings(), tmp_path, store)
        assert (settings.cell, process.running) == ("six_arm", 0)
