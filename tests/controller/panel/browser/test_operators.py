"""What operators do, clicked through in a real browser against a cell that runs."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from controller.panel import CellFacts
from controller.supervision.packml import State
from controller.supervision.requests import Jog, ScrapJoint
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
from tests.controller.panel.browser.served_panel import PHONE, Served, browser, replayed
from tests.controller.panel.rig import PASSWORD


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def served(chromium: Browser, facts: CellFacts, tmp_path: Path) -> Iterator[Served]:
    with replayed(facts, tmp_path, chromium) as panel:
        yield panel


def test_first_start(chromium: Browser, facts: CellFacts, tmp_path: Path) -> None:
    """The link of the terminal makes the first engineer, once, and the page shows the live cell."""
    with replayed(facts, tmp_path, chromium, people=False) as panel:
        page = panel.page(path=panel.panel.setup_url.removeprefix(panel.url))
        page.get_by_label("Name").fill("m.keller")
        page.get_by_label("Password").fill(PASSWORD)
        began = time.monotonic()
        give(page, "Make the first user")
        shows(page, "Stopped")
        assert time.monotonic() - began < 10.0
        assert "#" not in page.url
        expect(page.locator(".who")).to_have_text("m.keller, engineer")
        expect(page.locator("footer")).to_have_text(NOT_A_SAFETY_FUNCTION)
        expect(page.locator(".chip").first).to_have_text("SIMULATION")


def test_login_and_logout(served: Served) -> None:
    page = served.page()
    page.get_by_label("Name").fill("otto")
    page.get_by_label("Password").fill("not it at all")
    give(page, "Log in")
    expect(page.get_by_role("alert").first).to_have_text("name or password is wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".who")).to_have_text("otto, operator")
    give(page, "Log out")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_start_hold_unhold_stop_abort_clear(served: Served) -> None:
    page = served.page("otto")
    shows(page, "Stopped")
    assert enabled(page) == {"Reset", "Abort"}, "as the server allows"
    runs(page)
    expect(page.locator(".armcards .state").first).to_have_text(re.compile("Working|Waiting"))
    expect(page.get_by_role("button", name="In control: give back")).to_be_visible()
    give(page, "Hold")
    shows(page, "Held")
    expect(page.locator(".armcards .state").first).to_have_text("Held")
    give(page, "Unhold")
    shows(page, "Running")
    give(page, "Stop")
    shows(page, "Stopped")
    give(page, "Abort")
    shows(page, "Aborted")
    assert enabled(page) == {"Clear"}
    give(page, "Clear")
    shows(page, "Stopped")
    assert [type(request).__name__ for _, request, _ in served.cell.asked] == ["GiveCommand"] * 7


def test_live_motion(served: Served) -> None:
    """Two looks at the canvas differ while the cell runs and are the same while it is held."""
    page = served.page("otto")
    runs(page)
    canvas = page.locator("canvas.cellview")
    page.wait_for_timeout(600)
    first = canvas.evaluate("canvas => canvas.toDataURL()")
    page.wait_for_timeout(700)
    assert canvas.evaluate("canvas => canvas.toDataURL()") != first
    give(page, "Hold")
    shows(page, "Held")
    page.wait_for_timeout(300)
    still = canvas.evaluate("canvas => canvas.toDataURL()")
    page.wait_for_timeout(400)
    assert canvas.evaluate("canvas => canvas.toDataURL()") == still
    for view in ("Top", "Side", "Iso"):
        give(page, view)
        assert canvas.evaluate("canvas => canvas.toDataURL()") != still or view == "Iso"
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    assert canvas.evaluate("canvas => canvas.toDataURL()") != still


def test_a_fault_shows_what_and_what_to_do(served: Served) -> None:
    page = served.page("otto")
    runs(page)
    served.cell.fault("R3", "following error of joint 2: 0.08 rad (allowed: 0.05)")
    shows(page, "Aborted")
    alarm = page.locator(".alarm", has_text="R3")
    expect(alarm).to_contain_text("The arm has stopped with a fault.")
    expect(alarm).to_contain_text("following error of joint 2: 0.08 rad")
    expect(alarm.locator(".remedy")).to_contain_text("mend its cause, then Clear and Reset")
    expect(alarm.get_by_role("img", name="priority 1")).to_be_visible()
    expect(page.locator(".unseen-count")).to_have_text("1 unacknowledged")
    expect(page.locator(".arm.faulty .state")).to_have_text("Fault")
    alarm.get_by_role("button", name="Acknowledge R3").click()
    expect(page.locator(".unseen-count")).to_have_text("")
    give(page, "Clear")
    shows(page, "Stopped")
    expect(page.locator(".alarms")).to_have_text("No alarms.")


def test_orders(served: Served) -> None:
    page = served.page("otto", "/orders")
    page.get_by_label("Name of the order").fill("<b>rush</b> 7")
    page.get_by_label("Joints", exact=True).fill("12")
    expect(page.get_by_role("button", name="Queue", exact=True)).to_be_disabled()
    page.get_by_label("queue without trying it").check()
    give(page, "Queue")
    row = page.get_by_role("row", name="<b>rush</b> 7")
    expect(row).to_be_visible()
    expect(page.locator(".notices")).to_contain_text("takes effect when the next joint enters")
    row.get_by_role("button", name="Withdraw").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(row).to_have_count(0)


def test_history(served: Served) -> None:
    page = served.page("otto")
    runs(page)
    served.cell._played_s = served.cell._left[7][0] - 0.2  # a joint leaves in a moment
    deadline = time.monotonic() + 8.0
    while not served.panel.cycles.rows(
        model="", since_utc_ns=0, until_utc_ns=2**62, good=None, over_s=0, most=5
    ):
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)
    page.get_by_role("link", name="History").click()
    page.get_by_role("checkbox", name="Compare the cycle of").first.check()
    expect(page.locator("figure canvas")).to_be_visible()
    page.get_by_label("Verdict").select_option("rejected")
    give(page, "Filter")
    expect(page.get_by_text("No cycle fits.")).to_be_visible()
    page.get_by_label("Serial number").fill("J 4711/x")
    give(page, "Show its story")
    expect(page.get_by_role("heading", name="Joint J 4711/x")).to_be_visible()
    expect(page.get_by_text("The journal knows no joint of this number.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Joint J 4711/x")).to_be_visible()


def test_jog_by_hold_to_run(served: Served) -> None:
    page = served.page("anna", "/maintenance")
    plus = page.get_by_role("button", name="Hold to turn joint 2 up")
    expect(plus).to_be_disabled()
    served.panel.database.execute("UPDATE session SET confirmed_ns = 0")
    give(page, "Maintenance")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    give(page, "Go on")
    expect(page.get_by_text("Stopped, mode Maintenance")).to_be_visible()
    expect(page.get_by_text("Jogging needs the state Idle (Reset first)")).to_be_visible()
    give(page, "Reset")
    expect(page.get_by_text("Idle, mode Maintenance")).to_be_visible()
    before = served.cell.view.arms[0].q[1]
    turns(page, 2, "up", 900)
    page.wait_for_timeout(400)
    turned = served.cell.view.arms[0].q[1]
    assert turned > before + 0.02
    jogs = [request for _, request, _ in served.cell.asked if isinstance(request, Jog)]
    assert len(jogs) >= 4
    assert {jog.share for jog in jogs} == {0.05, 0.0}
    assert jogs[-1].share == 0.0, "letting go stops at once"
    page.wait_for_timeout(300)
    assert served.cell.view.arms[0].q[1] == turned
    plus.focus()
    page.keyboard.down("Space")
    page.wait_for_timeout(500)
    page.keyboard.up("Space")
    page.wait_for_timeout(300)
    assert served.cell.view.arms[0].q[1] > turned, "by keyboard too"


def test_start_without_an_order_says_why_and_what_helps(served: Served) -> None:
    served.cell._orders.clear()
    page = served.page("otto")
    give(page, "Reset")
    shows(page, "Idle")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    expect(page.locator(".reason")).to_contain_text(
        "Start waits: there is nothing to make, queue an order first."
    )
    page.get_by_role("link", name="Queue an order").click()
    page.get_by_label("Name of the order").fill("o-1")
    page.get_by_label("queue without trying it").check()
    give(page, "Queue")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    expect(page.locator(".reason")).to_be_hidden()


def test_queueing_while_somebody_else_is_in_control(served: Served) -> None:
    """Who it is and the way to take over stand beside the button, and what was typed stays."""
    otto, olga = served.page("otto"), served.page("olga", "/orders")
    runs(otto)
    olga.get_by_label("Name of the order").fill("mine")
    olga.get_by_label("queue without trying it").check()
    queue = olga.get_by_role("button", name="Queue", exact=True)
    expect(queue).to_be_disabled()
    expect(olga.locator(".controlnote")).to_contain_text("otto is in control, and this needs control.")
    expect(olga.locator(".reason")).to_contain_text("otto is in control: you can Stop and Abort")
    give(olga, "Take over from otto")
    expect(queue).to_be_enabled()
    queue.click()
    expect(olga.get_by_role("row", name="mine")).to_be_visible()
    expect(otto.locator(".reason")).to_contain_text("olga is in control")


def test_a_joint_is_taken_out(served: Served) -> None:
    page = served.page("otto", "/maintenance")
    out = page.get_by_role("button", name="Taken out")
    page.get_by_label("Serial number").fill("J0007")
    out.click()
    page.get_by_role("dialog").get_by_role("button", name="It is out").click()
    expect(page.locator(".notices")).to_contain_text("J0007 is taken out")
    assert [request for _, request, _ in served.cell.asked] == [ScrapJoint(serial="J0007")]
    runs(page)
    expect(out).to_be_disabled()


def test_the_cycle_clock_says_why_it_stands(served: Served) -> None:
    page = served.page("otto")
    runs(page)
    expect(page.locator(".stands")).to_have_text("")
    give(page, "Hold")
    shows(page, "Held")
    expect(page.locator(".stands")).to_contain_text(
        re.compile(r"The clock stands: Held for \d+ s, hold by otto")
    )
    stood = page.locator(".big").inner_text()
    page.wait_for_timeout(1200)
    assert page.locator(".big").inner_text() == stood


def test_two_users(served: Served) -> None:
    one_controls_both_stop(served.page("otto"), served.page("olga"))


def test_viewers_only_look(served: Served) -> None:
    page = served.page("vera")
    shows(page, "Stopped")
    assert enabled(page) == set()
    expect(page.get_by_role("button", name="Take control")).to_be_hidden()


def test_a_lost_server_is_said_within_a_second_and_stop_is_tried(served: Served) -> None:
    page = served.page("otto")
    runs(page)
    note_when_lost(page)
    served.end()
    ended = page.evaluate("performance.now()")
    expect(page.locator(".age")).to_have_text(re.compile(r"NO DATA \d+ s"))
    assert page.evaluate("window.lostAt") - ended < 1000.0
    expect(page.locator(".lost")).to_contain_text("Stop and Abort are still sent")
    assert enabled(page) == {"Stop", "Abort"}
    give(page, "Stop")
    alert = page.locator(".notice.urgent")
    expect(alert).to_contain_text("STOP NOT CONFIRMED: no answer from the server")
    expect(alert).to_contain_text("use the emergency-stop devices at the cell")
    assert served.cell.view.state is State.EXECUTE, "the cell goes on undisturbed"
    served.complaints[:] = [line for line in served.complaints if "WebSocket" not in line]


def test_a_stuck_cell_is_said_within_a_second_and_stop_is_not_confirmed(served: Served) -> None:
    page = served.page("otto")
    runs(page)
    served.cell.frozen.set()
    began = time.monotonic()
    expect(page.locator(".age")).to_have_text(re.compile("NO DATA"))
    assert time.monotonic() - began < 1.6
    give(page, "Stop")
    expect(page.locator(".notice.urgent")).to_contain_text("STOP NOT CONFIRMED: no answer from the cell")
    served.cell.frozen.clear()
    expect(page.locator(".age")).to_have_text(re.compile("^data"))


def test_on_a_phone(served: Served) -> None:
    page = served.page("otto", size=PHONE)
    shows(page, "Stopped")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    for name in ("Stop", "Abort"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box is not None
        assert box["height"] >= 48
        assert box["y"] + box["height"] <= PHONE[1], "always within reach"
    runs(page)
    page.mouse.wheel(0, 1500)
    give(page, "Stop")
    shows(page, "Stopped")


def test_by_keyboard_alone(served: Served) -> None:
    """Log in, start, hold, acknowledge, stop: with Tab, Enter and Space."""
    page = served.page()
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("otto")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    shows(page, "Stopped")
    served.cell.raise_alarm("feeder_empty", "feeder_rotor", "4 rotors are left")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()

    def press(name: str, key: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(
                "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
            ).startswith(name):
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
                page.keyboard.press(key)
                return
        raise AssertionError(f"{name} cannot be reached")

    press("Reset", "Enter")
    shows(page, "Idle")
    press("Start", "Space")
    shows(page, "Running")
    press("Acknowledge", "Enter")
    expect(page.locator(".unseen-count")).to_have_text("")
    press("Stop", "Enter")
    shows(page, "Stopped")
