"""`jointcell serve` with the simulated cell behind it: what operators do, in real browsers, from the first day on.

All scenarios share one served cell; each begins by bringing it to Stopped and ends wherever it ends.
"""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.controller.panel.browser.gestures import (
    NOT_A_SAFETY_FUNCTION,
    enabled,
    give,
    note_when_lost,
    one_controls_both_stop,
    runs,
    shows,
    turns,
)
from tests.controller.panel.browser.served_panel import PHONE, browser
from tests.end_to_end.runs import JOINTCELL, ROOT
from tests.end_to_end.served_cell import PASSWORD, ServedCell, free_port
from tests.extras import need

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.pybullet]
MODEL = "Pro-NE30-30"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        expect.set_options(timeout=120_000)  # a machine may be busy
        yield opened


@dataclass
class FirstDay:
    """What the first engineer saw, and the files that were left."""

    data: Path
    who: str
    footer: str
    chip: str
    address: str
    second_use: str


@pytest.fixture(scope="module")
def first_day(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> FirstDay:
    """An engineer comes by the link of the terminal and lets two joints be made, quicker than real."""
    data = tmp_path_factory.mktemp("cell") / "data"
    with ServedCell(data, ("--driver", "fake"), {"JOINTCELL_PACE": "fast"}, browser=chromium) as cell:
        page = chromium.new_page(base_url=cell.url)
        page.goto(cell.link)
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill(PASSWORD)
        give(page, "Make the first user")
        shows(page, "Stopped")
        day = FirstDay(
            data=data,
            who=page.locator(".who").inner_text(),
            footer=page.locator("footer").inner_text(),
            chip=page.locator(".chip").first.inner_text(),
            address=page.url,
            second_use="",
        )
        page.get_by_role("link", name="Orders").click()
        page.get_by_label("Name of the order").fill("first")
        page.get_by_label("Joint model").first.select_option(MODEL)
        page.get_by_label("Joints", exact=True).fill("2")
        page.get_by_label("queue without trying it").check()
        give(page, "Queue")
        expect(page.get_by_role("row", name="first")).to_be_visible()
        give(page, "Reset")
        shows(page, "Idle")
        give(page, "Start")
        shows(page, "Complete")
        other = chromium.new_page(base_url=cell.url)
        other.goto(cell.link)
        other.get_by_label("Name").fill("eve")
        other.get_by_label("Password").fill(PASSWORD)
        give(other, "Make the first user")
        said = other.locator(".notice.urgent, [role=alert]").filter(has_text=re.compile(r"\w")).first
        day = replace(day, second_use=said.inner_text())
        for each in chromium.contexts:
            each.close()
    for name in ("otto", "olga"):
        command = [*JOINTCELL, "users", "add", name, "--role", "operator", "--data", str(data)]
        subprocess.run(command, cwd=ROOT, input=PASSWORD, text=True, check=True, stdout=subprocess.DEVNULL)
    return day


@pytest.fixture(scope="module")
def serving(first_day: FirstDay, chromium: Browser) -> Iterator[ServedCell]:
    """The same cell on the next day, simulated, in real time."""
    need("asyncua", "opcua")
    port = free_port()
    options = ("--driver", "sim", "--opcua", "--opcua-port", str(port))
    with ServedCell(first_day.data, options, browser=chromium, opcua_port=port) as cell:
        yield cell


@pytest.fixture
def cell(serving: ServedCell, chromium: Browser) -> Iterator[ServedCell]:
    """The served cell at rest, with an order of its own to work on and nobody in control."""
    page = serving.page("anna", "/system")
    state = serving.ask(page, "GET", "cell")["moment"]["state"]
    if state not in ("STOPPED", "ABORTED"):
        serving.ask(page, "POST", "cell/commands/stop")
    if state == "ABORTED":
        serving.ask(page, "POST", "cell/commands/clear")
    shows(page, "Stopped")
    serving.ask(page, "PUT", "cell/mode", {"mode": "production"})
    orders = {order["order"] for order in serving.ask(page, "GET", "orders")}
    if "steady" not in orders:
        serving.ask(page, "POST", "orders", {"order": "steady", "lines": {MODEL: 50}, "priority": 9})
    serving.leave()
    yield serving
    serving.leave()
    for context in chromium.contexts:
        context.close()


def test_the_first_engineer_comes_by_the_link_once(first_day: FirstDay) -> None:
    assert first_day.who == "anna, engineer"
    assert first_day.footer == NOT_A_SAFETY_FUNCTION
    assert first_day.chip == "SIMULATION"
    assert "#" not in first_day.address
    assert "there are users already" in first_day.second_use


def test_login_and_logout(cell: ServedCell, chromium: Browser) -> None:
    page = chromium.new_page(base_url=cell.url)
    page.goto("/")
    page.get_by_label("Name").fill("otto")
    page.get_by_label("Password").fill("not it, but long")
    give(page, "Log in")
    expect(page.get_by_text("wrong")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    give(page, "Log in")
    shows(page, "Stopped")
    expect(page.locator(".who")).to_have_text("otto, operator")
    give(page, "Log out")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_start_hold_unhold_stop_abort_clear(cell: ServedCell) -> None:
    page = cell.page("otto")
    shows(page, "Stopped")
    assert enabled(page) == {"Reset", "Abort"}, "as the server allows"
    runs(page)
    expect(page.locator(".arm.working").first).to_be_visible()
    canvas = page.locator("canvas.cellview")
    first = canvas.evaluate("canvas => canvas.toDataURL()")
    page.wait_for_timeout(1000)
    assert canvas.evaluate("canvas => canvas.toDataURL()") != first, "live motion"
    give(page, "Hold")
    shows(page, "Held")
    page.wait_for_timeout(500)
    held = page.evaluate("document.querySelector('.armcards').textContent")
    angles = [arm["now"]["q_rad"] for arm in cell.ask(page, "GET", "arms")]
    page.wait_for_timeout(700)
    assert [arm["now"]["q_rad"] for arm in cell.ask(page, "GET", "arms")] == angles, held
    give(page, "Unhold")
    shows(page, "Running")
    give(page, "Stop")
    shows(page, "Stopped")
    give(page, "Abort")
    shows(page, "Aborted")
    assert enabled(page) == {"Clear"}
    give(page, "Clear")
    shows(page, "Stopped")
    told = subprocess.run(
        [*JOINTCELL, "status", "--data", str(cell.data)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "STOPPED" in told.stdout


def test_an_order_is_queued_and_withdrawn_while_the_cell_runs(cell: ServedCell) -> None:
    page = cell.page("otto")
    runs(page)
    page.get_by_role("link", name="Orders").click()
    page.get_by_label("Name of the order").fill("<b>rush</b> 7")
    page.get_by_label("Joints", exact=True).fill("3")
    expect(page.get_by_role("button", name="Queue", exact=True)).to_be_disabled()
    page.get_by_label("queue without trying it").check()
    page.get_by_label("Priority").fill("1")
    give(page, "Queue")
    row = page.get_by_role("row", name="<b>rush</b> 7")
    expect(row).to_be_visible()
    expect(page.get_by_role("table", name="Orders").get_by_role("row").nth(1)).to_contain_text("rush")
    row.get_by_role("button", name="Withdraw").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.locator(".notices")).to_contain_text("is withdrawn")
    shows(page, "Running")


def test_history_tells_of_the_first_day(cell: ServedCell) -> None:
    page = cell.page("otto", "/history")
    rows = page.get_by_role("table", name="Cycles").get_by_role("row")
    expect(rows.filter(has_text="J0000002")).to_have_count(1)
    for box in page.get_by_role("checkbox", name="Compare the cycle of").all()[:2]:
        box.check()
    expect(page.locator("figure canvas")).to_have_count(2)
    page.get_by_label("Verdict").select_option("rejected")
    give(page, "Filter")
    expect(page.get_by_text("No cycle fits.")).to_be_visible()
    page.get_by_label("Serial number").fill("J0000001")
    give(page, "Show its story")
    expect(page.get_by_role("heading", name="Joint J0000001")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("close with cap|160")).first).to_be_visible()


def test_jog_by_hold_to_run(cell: ServedCell) -> None:
    page = cell.page("anna", "/maintenance")
    plus = page.get_by_role("button", name="Hold to turn joint 1 up")
    expect(plus).to_be_disabled()
    give(page, "Maintenance")
    expect(page.get_by_text("Stopped, mode Maintenance")).to_be_visible()
    expect(plus).to_be_disabled()
    give(page, "Reset")
    shows(page, "Idle")
    expect(plus).to_be_enabled()

    def joint() -> float:
        return float(cell.ask(page, "GET", "arms/R1")["now"]["q_rad"][0])

    before = joint()
    for _ in range(5):  # a page whose pictures are late on a busy machine lets go
        turns(page, 1, "up", 1000)
        page.wait_for_timeout(1000)
        if (turned := joint()) > before + 0.02:
            break
    assert turned > before + 0.02
    page.wait_for_timeout(400)
    assert joint() == pytest.approx(turned, abs=1e-3), "letting go stops"
    page.get_by_role("button", name="Hold to turn joint 1 down").focus()
    for _ in range(5):
        page.keyboard.down("Space")
        page.wait_for_timeout(1000)
        page.keyboard.up("Space")
        page.wait_for_timeout(1000)
        if joint() < turned - 0.02:
            break
    assert joint() < turned - 0.02, "by keyboard too"


def test_a_fault_shows_what_and_what_to_do(cell: ServedCell) -> None:
    """An engineer jogs an arm into the cell: contact aborts it; alarm and remedy lead out again."""
    page = cell.page("anna", "/maintenance")
    jogged = page.get_by_role("region", name="Jog one joint").get_by_label("Arm", exact=True)
    give(page, "Maintenance")
    expect(page.get_by_text("mode Maintenance", exact=False).first).to_be_visible()
    give(page, "Reset")
    shows(page, "Idle")
    jogged.select_option("R4")  # empty-handed so early in an order
    page.get_by_role("slider", name="Speed", exact=True).fill("10")
    for _ in range(30):  # a page whose signs of life are late on a busy machine lets go
        if page.locator(".unit").inner_text() != "Idle":
            break
        turns(page, 2, "up", 2000)
    shows(page, "Aborted")
    page.get_by_role("link", name="Run", exact=True).click()
    alarm = page.locator(".alarm", has_text="Contact where none was planned")
    expect(alarm.locator(".remedy")).to_contain_text("free the arms by jogging in mode Maintenance")
    alarm.get_by_role("button", name="Acknowledge").click()
    give(page, "Clear")
    shows(page, "Stopped")
    page.get_by_role("link", name="Maintenance").click()
    jogged.select_option("R4")
    give(page, "Reset")
    shows(page, "Idle")
    turns(page, 2, "down", 3000)
    page.wait_for_timeout(500)
    give(page, "Production")
    expect(page.get_by_text("Idle, mode Production")).to_be_visible()
    give(page, "Start")
    shows(page, "Running")


def test_two_users(cell: ServedCell) -> None:
    one_controls_both_stop(cell.page("otto"), cell.page("olga"))


def test_an_opcua_client_that_has_not_logged_in_reads_the_state(cell: ServedCell) -> None:
    address = f"opc.tcp://127.0.0.1:{cell.opcua_port}/cell"
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's thread has a loop of its own
        assert elsewhere.submit(lambda: asyncio.run(_state_by_opcua(address))).result() == "STOPPED"


def test_on_a_phone(cell: ServedCell) -> None:
    page = cell.page("otto", size=PHONE)
    shows(page, "Stopped")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    runs(page)
    page.mouse.wheel(0, 1500)
    for name in ("Stop", "Abort"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box is not None
        assert box["height"] >= 48
        assert box["y"] + box["height"] <= PHONE[1], "always within reach"
    give(page, "Stop")
    shows(page, "Stopped")


def test_a_lost_server_is_said_within_a_second_and_comes_back(cell: ServedCell) -> None:
    """The whole process stands still for seconds: the page says so, stop is not confirmed, and all of it comes back."""
    page = cell.page("otto")
    runs(page)
    note_when_lost(page)
    os.kill(cell.process.pid, signal.SIGSTOP)
    try:
        stood = page.evaluate("performance.now()")
        expect(page.locator(".age")).to_have_text(re.compile(r"NO DATA \d+ s"))
        assert page.evaluate("window.lostAt") - stood < 1000.0
        assert enabled(page) == {"Stop", "Abort"}
        give(page, "Stop")
        alert = page.locator(".notice.urgent")
        expect(alert).to_contain_text("STOP NOT CONFIRMED: no answer from the server")
        expect(alert).to_contain_text("use the emergency-stop devices at the cell")
    finally:
        os.kill(cell.process.pid, signal.SIGCONT)
    expect(page.locator(".age")).to_have_text(re.compile("^data"))
    assert page.locator(".unit").inner_text() in ("Running", "Stopping", "Stopped", "Aborting", "Aborted")


def test_a_power_cut_asks_what_was_done(cell: ServedCell) -> None:
    """The process dies while arms work: after the restart somebody has to look before anything moves."""
    page = cell.page("otto")
    runs(page)
    expect(page.locator(".arm.working").first).to_be_visible()
    cell.process.kill()
    cell.process.wait()
    expect(page.locator(".age")).to_have_text(re.compile(r"NO DATA"))
    cell.start()
    shows(page, "Stopped")
    questions = page.locator(".alarm", has_text="Please look")
    expect(questions.first).to_be_visible()
    expect(page.locator(".reason")).to_contain_text("Reset waits: first say what became of operation")
    expect(page.get_by_role("button", name="Reset", exact=True)).to_be_disabled()
    while questions.count():
        left = questions.count()
        questions.first.get_by_role("button", name="Not done").click()
        expect(questions).to_have_count(left - 1)
    runs(page)
    give(page, "Stop")
    shows(page, "Stopped")
    assert len(list((cell.data / "recordings").glob("*.mcap"))) >= 2


async def _state_by_opcua(address: str) -> str:
    from asyncua import Client

    async with Client(address, timeout=20.0) as client:
        namespace = await client.get_namespace_index("urn:jointcell:cell")
        return str(await client.get_node(f"ns={namespace};s=Cell/Status/CurrentState").read_value())
