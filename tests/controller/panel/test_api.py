"""Commands and what else may be asked of the cell: by whom, in which state, with which answer."""

import threading
import time
from typing import Any

import pytest

from controller.panel.desk import STOPPING
from controller.supervision.packml import State
from controller.supervision.requests import GiveCommand, Jog
from tests.controller.panel.rig import Rig

API = "/api/v1"


def command(rig: Rig, who: str, name: str, **headers: str) -> Any:
    return rig.client(who).post(f"{API}/cell/commands/{name}", headers=headers)


def in_state(rig: Rig, state: State) -> None:
    deadline = time.monotonic() + 3.0
    while rig.cell.view.state is not state:
        assert time.monotonic() < deadline, f"still {rig.cell.view.state.name}"
        time.sleep(0.02)


def run(rig: Rig, who: str = "otto") -> None:
    command(rig, who, "reset")
    in_state(rig, State.IDLE)
    assert command(rig, who, "start").status_code == 202
    in_state(rig, State.EXECUTE)


def test_a_command_is_accepted_with_the_state_it_leads_to(rig: Rig) -> None:
    answer = command(rig, "otto", "reset")
    assert answer.status_code == 202
    assert answer.json() == {"state": "RESETTING", "allowed": ["stop", "abort"]}


def test_a_command_that_does_not_fit_is_refused_with_what_is_allowed(rig: Rig) -> None:
    answer = command(rig, "otto", "start")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["state"] == "STOPPED"
    assert answer.json()["allowed"] == ["reset", "abort"]
    assert "START in state STOPPED" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["reset", "stop", "abort"])
def test_viewers_command_nothing(rig: Rig, name: str) -> None:
    assert command(rig, "vera", name).status_code == 403
    assert rig.cell.asked == []


def test_the_first_command_takes_control_and_keeps_others_out(rig: Rig) -> None:
    run(rig, "otto")
    refused = command(rig, "olga", "hold")
    assert refused.status_code == 409
    assert refused.json()["control"] == "otto"
    assert rig.cell.view.state is State.EXECUTE


@pytest.mark.parametrize(("name", "after"), [("stop", State.STOPPED), ("abort", State.ABORTED)])
def test_everybody_who_operates_may_stop_and_abort(rig: Rig, name: str, after: State) -> None:
    run(rig, "otto")
    assert command(rig, "olga", name).status_code == 202
    in_state(rig, after)
    assert rig.client("olga").get(f"{API}/control").json() == {"name": "otto"}, "a stop takes no control"


def test_control_is_taken_over_by_naming_the_holder(rig: Rig) -> None:
    run(rig, "otto")
    take = f"{API}/control/take"
    assert rig.client("olga").post(take, json={}).status_code == 409
    assert rig.client("olga").post(take, json={"instead_of": "anna"}).status_code == 409
    assert rig.client("olga").post(take, json={"instead_of": "otto"}).json() == {"name": "olga"}
    assert command(rig, "olga", "hold").status_code == 202
    assert command(rig, "otto", "unhold").status_code == 409


def test_control_lapses_with_its_login(rig: Rig) -> None:
    run(rig, "otto")
    rig.client("otto").delete(f"{API}/sessions/me")
    assert rig.client("olga").get(f"{API}/control").json() == {"name": ""}
    assert command(rig, "olga", "hold").status_code == 202


def test_the_same_idempotency_key_asks_once(rig: Rig) -> None:
    answers = [command(rig, "otto", "reset", **{"idempotency-key": "k1"}) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert len(rig.cell.asked) == 1
    assert command(rig, "otto", "reset", **{"idempotency-key": "k2"}).status_code == 409


def test_a_cell_that_does_not_answer_is_not_confirmed(rig: Rig) -> None:
    run(rig)
    rig.cell.frozen.set()
    answer = command(rig, "otto", "stop")
    assert answer.status_code == 504
    assert "not confirmed" in answer.json()["detail"]
    assert rig.panel.audit.rows()[0].outcome == "not confirmed"


def test_slow_requests_of_others_do_not_hold_a_stop_up(rig: Rig) -> None:
    run(rig)
    rig.cell.slow_s = 0.8
    client = rig.client("otto")
    body = {"share": 0.5}
    threads = [threading.Thread(target=lambda: client.put(f"{API}/cell/feed", json=body)) for _ in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    rig.cell.slow_s = 0.0
    began = time.monotonic()
    assert command(rig, "olga", "stop").status_code == 202
    assert time.monotonic() - began < 0.7, "it waited for the others"
    for thread in threads:
        thread.join()


def test_stop_goes_on_without_an_audit(rig: Rig) -> None:
    run(rig)
    rig.panel.database.execute("DROP TABLE audit")
    assert command(rig, "otto", "stop").status_code == 202
    assert "audit cannot be written" in rig.client("vera").get(f"{API}/system").json()["health"][0]


def test_every_command_is_in_the_audit(rig: Rig) -> None:
    command(rig, "otto", "reset")
    command(rig, "otto", "hold")
    rows = rig.client("anna").get(f"{API}/audit").json()
    found = [(row["name"], row["action"], row["detail"], row["outcome"].split(":")[0]) for row in rows]
    assert found[1:4] == [
        ("otto", "GiveCommand", '{"command": "HOLD"}', "refused"),
        ("otto", "GiveCommand", '{"command": "RESET"}', "accepted"),
        ("otto", "control", "{}", "taken"),
    ]
    with pytest.raises(Exception, match="the audit is final"):
        rig.panel.database.execute("UPDATE audit SET name = 'nobody'")
    with pytest.raises(Exception, match="the audit stays"):
        rig.panel.database.execute("DELETE FROM audit")


def test_maintenance_mode_asks_engineers_for_the_password(rig: Rig) -> None:
    mode = {"mode": "maintenance"}
    assert rig.client("otto").put(f"{API}/cell/mode", json=mode).status_code == 403
    anna = rig.client("anna")
    rig.times.pass_s(301)
    refused = anna.put(f"{API}/cell/mode", json=mode)
    assert refused.status_code == 403
    assert refused.json()["confirm"] is True
    assert anna.post(f"{API}/sessions/me/confirm", json={"password": "wrong"}).status_code == 401
    assert anna.post(f"{API}/sessions/me/confirm", json={"password": "a long password"}).status_code == 204
    assert anna.put(f"{API}/cell/mode", json=mode).status_code == 200
    assert rig.cell.view.mode.name == "MAINTENANCE"


JOG = {"arm": "R1", "joint": 2, "share": 0.05}


def test_jogging_needs_maintenance_and_an_engineer(rig: Rig) -> None:
    assert rig.client("otto").post(f"{API}/maintenance/jog", json=JOG).status_code == 403
    refused = rig.client("anna").post(f"{API}/maintenance/jog", json=JOG)
    assert refused.status_code == 409
    assert "maintenance" in refused.json()["detail"]


@pytest.mark.parametrize("share", [0.11, -0.5, 1e300])
def test_jogging_is_slow(rig: Rig, share: float) -> None:
    assert rig.client("anna").post(f"{API}/maintenance/jog", json=JOG | {"share": share}).status_code == 422


def ready_to_jog(rig: Rig) -> None:
    anna = rig.client("anna")
    anna.put(f"{API}/cell/mode", json={"mode": "maintenance"})
    anna.post(f"{API}/cell/commands/reset")
    time.sleep(0.4)
    assert anna.get(f"{API}/cell").json()["moment"]["state"] == "IDLE"


def test_a_jog_that_is_not_renewed_is_stopped_by_the_panel_too(rig: Rig) -> None:
    anna = rig.client("anna")
    ready_to_jog(rig)
    for _ in range(4):
        assert anna.post(f"{API}/maintenance/jog", json=JOG).status_code == 202
        time.sleep(0.1)
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline:
        jogs = [(at, request) for at, request, _ in rig.cell.asked if isinstance(request, Jog)]
        if jogs[-1][1].share == 0.0:
            break
        time.sleep(0.02)
    assert [request.share for _, request in jogs] == [0.05] * 4 + [0.0]
    assert 0.2e9 < jogs[-1][0] - jogs[-2][0] < 0.6e9
    assert "no sign of life" in rig.panel.audit.rows()[0].outcome


def test_a_sign_of_life_that_was_overtaken_turns_nothing(rig: Rig) -> None:
    anna = rig.client("anna")
    ready_to_jog(rig)
    held, let_go = JOG | {"press": "7"}, JOG | {"press": "7", "share": 0.0}
    assert [anna.post(f"{API}/maintenance/jog", json=body).status_code for body in (held, let_go)] == [
        202,
        202,
    ]
    late = anna.post(f"{API}/maintenance/jog", json=held)
    assert (late.status_code, late.json()["detail"]) == (409, "the button was let go")
    assert anna.post(f"{API}/maintenance/jog", json=held | {"press": "8"}).status_code == 202
    shares = [request.share for _, request, _ in rig.cell.asked if isinstance(request, Jog)]
    assert shares == [0.05, 0.0, 0.05]


def test_letting_go_stops_at_once(rig: Rig) -> None:
    anna = rig.client("anna")
    ready_to_jog(rig)
    anna.post(f"{API}/maintenance/jog", json=JOG)
    anna.post(f"{API}/maintenance/jog", json=JOG | {"share": 0.0})
    time.sleep(0.4)
    shares = [request.share for _, request, _ in rig.cell.asked if isinstance(request, Jog)]
    assert shares == [0.05, 0.0], "nothing more is sent"


def test_orders_are_queued_once_and_withdrawn(rig: Rig) -> None:
    otto = rig.client("otto")
    order = {"order": "o-2", "lines": {"Pro-NE30-30": 4}, "priority": 2, "due": "2026-12-01"}
    assert otto.post(f"{API}/orders", json=order).status_code == 202
    assert otto.post(f"{API}/orders", json=order).status_code == 409
    assert [found["order"] for found in otto.get(f"{API}/orders").json()] == ["mixed-1", "o-2"]
    assert otto.delete(f"{API}/orders/o-2").status_code == 202
    assert otto.delete(f"{API}/orders/o-2").status_code == 409
    unknown = otto.post(f"{API}/orders", json=order | {"lines": {"Pro-XX": 1}})
    assert unknown.status_code == 409
    assert "Pro-XX" in unknown.json()["detail"]


def test_alarms_are_acknowledged_by_operators_and_shelved_by_engineers(rig: Rig) -> None:
    rig.cell.raise_alarm("feeder_empty", "feeder_rotor", "4 left")
    name = {"kind": "feeder_empty", "source": "feeder_rotor"}
    shelf = name | {"for_s": 600}
    assert rig.client("otto").post(f"{API}/alarms/shelve", json=shelf).status_code == 403
    assert rig.client("otto").post(f"{API}/alarms/acknowledge", json=name).status_code == 202
    picture = rig.client("vera").get(f"{API}/cell").json()
    (alarm,) = picture["parts"]["alarms"]["alarms"]
    assert (alarm["acknowledged"], alarm["priority"], alarm["first_out"]) == (True, 2, True)
    rig.client("otto").post(f"{API}/control/release")
    assert rig.client("anna").post(f"{API}/alarms/shelve", json=shelf).status_code == 202
    assert rig.client("vera").get(f"{API}/cell").json()["parts"]["alarms"]["alarms"] == []
    unknown = rig.client("anna").post(f"{API}/alarms/acknowledge", json=name | {"source": "nobody"})
    assert unknown.status_code == 409


def test_questions_are_answered(rig: Rig) -> None:
    rig.cell.wonder("J0012", "70", "Is the wave generator in?")
    answer = {"serial": "J0012", "operation": "70", "found": "done"}
    assert rig.client("otto").post(f"{API}/questions/answer", json=answer).status_code == 202
    assert rig.cell.view.questions == ()


def test_feeders_and_tray(rig: Rig) -> None:
    otto = rig.client("otto")
    load = {"feeder": "feeder_cap", "batch": "C-17", "count": 500}
    assert otto.post(f"{API}/supplies/feeders", json=load).status_code == 202
    assert otto.post(f"{API}/supplies/feeders", json=load | {"count": 0}).status_code == 422
    assert otto.post(f"{API}/supplies/feeders", json=load | {"feeder": "nowhere"}).status_code == 409
    assert otto.post(f"{API}/supplies/tray/empty").status_code == 202
    supplies = otto.get(f"{API}/cell").json()["parts"]["supplies"]
    assert supplies["tray"] == 0
    assert {"feeder": "feeder_cap", "batch": "C-17", "left": 500} in supplies["feeders"]


def test_speed_and_single_step(rig: Rig) -> None:
    otto = rig.client("otto")
    assert otto.put(f"{API}/cell/feed", json={"share": 0.5, "arm": "R2"}).status_code == 200
    assert otto.put(f"{API}/cell/feed", json={"share": 0.0}).status_code == 422
    assert otto.put(f"{API}/cell/feed", json={"share": 0.5, "arm": "R9"}).status_code == 409
    assert [arm["now"]["feed"] for arm in otto.get(f"{API}/arms").json()] == [1, 0.5, 1, 1, 1, 1]
    assert otto.post(f"{API}/cell/step").status_code == 409
    assert otto.put(f"{API}/cell/single-step", json={"on": True}).status_code == 200
    assert otto.post(f"{API}/cell/step").status_code == 202


def test_an_arm_and_one_that_is_not_there(rig: Rig) -> None:
    found = rig.client("vera").get(f"{API}/arms/R3").json()
    assert found["facts"]["model"] == "Yaskawa GP7"
    assert len(found["now"]["points_mm"]) == 24
    assert rig.client("vera").get(f"{API}/arms/R9").status_code == 404
    assert rig.client("anna").post(f"{API}/arms/R9/take-out").status_code == 404


def test_the_arms_points_are_those_of_the_kinematics(rig: Rig) -> None:
    """The page draws what the server's forward kinematics says: base where it stands, links of constant length."""
    arms = rig.client("vera").get(f"{API}/arms").json()
    for cell_arm, arm in zip(rig.cell.cell.arms, arms, strict=True):
        points = arm["now"]["points_mm"]
        assert points[:3] == [round(1000 * float(value)) for value in cell_arm.X_WB[:3, 3]]
        upper = [points[3 * 3 + k] - points[2 * 3 + k] for k in range(3)]
        assert abs(sum(value**2 for value in upper) ** 0.5 - 1000 * cell_arm.arm.chain.c2) < 3.0


def test_ready_and_alive(rig: Rig) -> None:
    client = rig.client()
    assert client.get("/healthz").json() == {"status": "alive", "reasons": []}
    assert client.get("/readyz").status_code == 200
    rig.cell.frozen.set()
    time.sleep(1.1)
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_stop_is_what_is_never_held_up() -> None:
    assert {command.name for command in STOPPING} == {"STOP", "ABORT"}
    assert GiveCommand.__dataclass_fields__.keys() == {"command"}
