"""What Prometheus reads, checked by its own tool and against the picture."""

import os
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.controller.panel.rig import Rig

REQUIRED = os.environ.get("REQUIRE_TOOLS") == "1"


def test_promtool_finds_nothing(rig: Rig) -> None:
    tool = shutil.which("promtool")
    if tool is None:
        assert not REQUIRED, "promtool is missing (Debian: prometheus)"
        pytest.skip("promtool is missing (Debian: prometheus)")
    rig.cell.raise_alarm("feeder_empty", "feeder_rotor")
    rig.client("otto").post("/api/v1/cell/commands/reset")
    text = rig.client("vera").get("/metrics").text
    found = subprocess.run(
        [tool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_the_figures_are_those_of_the_picture(rig: Rig) -> None:
    rig.cell.raise_alarm("feeder_empty", "feeder_rotor")
    rig.client().post("/api/v1/cell/commands/stop", headers={"origin": "http://evil.example"})
    families = {
        family.name: family
        for family in text_string_to_metric_families(rig.client("vera").get("/metrics").text)
    }
    states = {sample.labels["state"]: sample.value for sample in families["cell_state"].samples}
    assert states.pop("stopped") == 1.0
    assert len(states) == 16
    assert set(states.values()) == {0.0}
    alarms = {sample.labels["priority"]: sample.value for sample in families["cell_alarms_active"].samples}
    assert alarms == {"1": 0, "2": 1, "3": 0, "4": 0}
    (refused,) = [
        sample for sample in families["panel_requests_refused"].samples if sample.name.endswith("_total")
    ]
    assert (refused.labels["status"], refused.value) == ("403", 1.0)
    (clients,) = families["panel_stream_clients"].samples
    assert clients.value == 0.0


def test_every_number_is_there_once(rig: Rig) -> None:
    rig.client("otto").post("/api/v1/cell/commands/reset")
    lines = rig.client("vera").get("/metrics").text.splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    samples = [line.rsplit(" ", 1)[0] for line in lines if not line.startswith("#")]
    assert len(samples) == len(set(samples))
    assert {name.split("_")[0] for name in names} == {"cell", "panel"}


def test_metrics_need_a_login(rig: Rig) -> None:
    assert rig.client().get("/metrics").status_code == 401
