"""The live stream: what is sent, what is never lost, and what a client that does not read costs."""

import asyncio
import json
import time
from typing import Any

import pytest

from controller.panel.events import KEPT, EventLog
from controller.panel.sessions import Identity
from controller.panel.stream import TOO_SLOW, Hub, Mailbox
from controller.panel.users import Role
from tests.controller.panel.replayed_cell import ReplayedCell
from tests.controller.panel.rig import Rig

API = "/api/v1"
VERA = Identity(name="vera", role=Role.VIEWER, key="k", via="session")


def messages(stream: Any, wanted: int) -> list[dict[str, Any]]:
    return [json.loads(stream.receive_bytes()) for _ in range(wanted)]


def test_a_snapshot_comes_first_then_pictures_with_rising_numbers(rig: Rig) -> None:
    with rig.stream("vera") as stream:
        first, *others = messages(stream, 30)
    assert first["type"] == "snapshot"
    assert first["v"] == 1
    assert first["value"]["you"]["name"] == "vera"
    assert set(first["value"]["parts"]) == {"alarms", "orders", "cycles", "figures", "plan", "supplies"}
    numbers = [message["value"]["number"] for message in others if message["type"] == "state"]
    assert len(numbers) > 10
    assert numbers == sorted(set(numbers))


def test_twenty_pictures_a_second_at_most_and_fewer_on_request(rig: Rig) -> None:
    for rate, low, high in ((20, 12, 22), (5, 3, 6)):
        with rig.stream("vera", f"?rate={rate}") as stream:
            stream.receive_bytes()
            began, found = time.monotonic(), 0
            while time.monotonic() - began < 1.0:
                found += json.loads(stream.receive_bytes())["type"] == "state"
        assert low <= found <= high, rate


def test_events_are_numbered_without_a_gap_and_found_again(rig: Rig) -> None:
    otto = rig.client("otto")
    with rig.stream("vera", "?rate=1") as stream:
        seq = json.loads(stream.receive_bytes())["value"]["seq"]
        for name in ("reset", "hold", "stop", "abort", "clear"):
            otto.post(f"{API}/cell/commands/{name}")
        found: list[dict[str, Any]] = []
        while len(found) < 7:
            message = json.loads(stream.receive_bytes())
            if message["type"] == "event":
                found.append(message["value"])
    assert [event["seq"] for event in found] == list(range(seq + 1, seq + 8))
    assert {"command", "state"} <= {event["kind"] for event in found}
    page = rig.client("vera").get(f"{API}/events?after={seq}").json()
    assert page["complete"]
    assert page["events"][:7] == found
    with rig.stream("vera", f"?after={seq}&rate=1") as stream:
        again = [message for message in messages(stream, 8) if message["type"] == "event"]
    assert [message["value"] for message in again][:7] == found


def test_a_missing_stretch_of_events_is_said() -> None:
    told: list[int] = []
    log = EventLog(lambda event: told.append(event["seq"]))
    for number in range(KEPT + 50):
        log.tell("command", number, "x", {})
    assert told == list(range(1, KEPT + 51))
    assert log.oldest == 51
    assert [event["seq"] for event in log.after(KEPT + 48)] == [KEPT + 49, KEPT + 50]


def test_alarms_faults_cycles_and_orders_become_events(rig: Rig) -> None:
    rig.client("vera")
    rig.tick()
    before = rig.panel.hub.events.seq
    rig.cell.raise_alarm("feeder_empty", "feeder_rotor", "4 left")
    rig.tick()
    rig.cell.fault("R3", "following error of joint 2")
    rig.tick()
    rig.client("otto").post(f"{API}/orders", json={"order": "o-9", "lines": {"Pro-NE30-30": 1}})
    rig.tick()
    kinds = [event["kind"] for event in rig.panel.hub.events.after(before)]
    assert set(kinds) >= {"alarm", "fault", "state", "order", "command"}
    texts = " ".join(event["text"] for event in rig.panel.hub.events.after(before))
    assert "following error of joint 2" in texts
    assert "feeder_rotor" in texts


def test_a_login_that_ends_ends_its_stream(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.panel.stream._CHECK_S", 0.1)
    with rig.stream("vera", "?rate=20") as stream:
        stream.receive_bytes()
        rig.times.pass_s(1900)
        deadline = time.monotonic() + 3.0
        while (message := stream.receive()).get("bytes") is not None:
            assert time.monotonic() < deadline
    assert message["code"] == 4401


def test_a_stuck_cell_shows_as_old_data(rig: Rig) -> None:
    with rig.stream("vera") as stream:
        stream.receive_bytes()
        rig.cell.frozen.set()
        deadline = time.monotonic() + 3.0
        age = 0.0
        while age < 1.0:
            assert time.monotonic() < deadline
            message = json.loads(stream.receive_bytes())
            age = message["value"]["age_s"] if message["type"] == "state" else age


def hub_of(cell: ReplayedCell) -> Hub:
    return Hub(cell, 20.0, lambda: {"control": ""}, lambda before, after: None)


def test_the_newest_picture_replaces_the_one_before() -> None:
    cell = ReplayedCell()
    hub = hub_of(cell)
    reading, silent = Mailbox(1), Mailbox(1)
    hub._mailboxes |= {reading, silent}
    for _ in range(200):
        time.sleep(0.0005)
        hub.tick()
        reading.take()
    kinds = [json.loads(line)["type"] for line in silent.take()]
    assert kinds.count("state") == 1
    assert len(kinds) <= 8, "one of each part at most"
    assert reading.take() == []


class Stubborn:
    """A client that does not read: sending to it never ends."""

    def __init__(self) -> None:
        self.closed: int | None = None
        self.sent = 0
        self._never = asyncio.Event()

    async def send_bytes(self, data: bytes) -> None:
        self.sent += 1
        if self.sent > 2:
            await self._never.wait()

    async def receive(self) -> dict[str, Any]:
        await self._never.wait()
        return {"type": "websocket.disconnect"}

    async def close(self, code: int, reason: str) -> None:
        self.closed = code


def test_a_client_that_does_not_read_costs_nothing_and_keeps_nobody_waiting() -> None:
    async def study() -> tuple[int, int]:
        cell = ReplayedCell()
        hub = hub_of(cell)
        socket = Stubborn()
        serving = asyncio.create_task(hub.serve(socket, VERA, 20.0, None, lambda: True))  # type: ignore[arg-type]
        other = Mailbox(1)
        await asyncio.sleep(0)
        hub._mailboxes.add(other)
        got = 0
        for _ in range(100):
            hub.tick()
            await asyncio.sleep(0.001)
            got += any(b'"state"' in line[:20] for line in other.take())
        (box,) = hub._mailboxes - {other}
        waiting = len(box.parts) + len(box.events) + bool(box.picture)
        serving.cancel()
        return got, waiting

    got, waiting = asyncio.run(study())
    assert got == 100
    assert waiting <= 8


def test_a_client_with_too_many_events_waiting_is_let_go() -> None:
    async def study() -> int | None:
        hub = hub_of(ReplayedCell())
        socket = Stubborn()
        serving = asyncio.create_task(hub.serve(socket, VERA, 20.0, None, lambda: True))  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
        for number in range(1200):
            hub.events.tell("command", number, "x", {})
        socket._never.set()
        await asyncio.wait_for(serving, 2.0)
        return socket.closed

    assert asyncio.run(study()) in (TOO_SLOW, None)
