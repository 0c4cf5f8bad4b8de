"""Every page in a real browser: accessible, light, quick, and without a word from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from controller.panel import CellFacts
from controller.panel.pages import page_bytes
from tests.controller.panel.browser.served_panel import DESK, PHONE, TABLET, Served, browser, replayed

PAGES = ("/", "/arms/R3", "/history", "/orders", "/maintenance", "/system", "/joints/J0007")
MOST_BYTES = 150_000
FIRST_PAINT_MS = 300.0
SCRIPT = "<img src=x onerror=document.title='gotcha'>"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def served(chromium: Browser, facts: CellFacts, tmp_path: Path) -> Iterator[Served]:
    with replayed(facts, tmp_path, chromium) as panel:
        yield panel


def alarmed(served: Served) -> None:
    """Something of every kind on the page, with markup in every text."""
    served.cell.raise_alarm("feeder_empty", "feeder_rotor", f"4 left {SCRIPT}")
    served.cell.raise_alarm("joint_rejected", "J0009", SCRIPT)
    served.cell.fault("R2", SCRIPT)
    served.cell.wonder("J0012", "70", SCRIPT)
    served.cell._queue(SCRIPT, {SCRIPT: 3}, due=SCRIPT)
    served.panel.audit.write(None, SCRIPT, SCRIPT, {"name": SCRIPT}, SCRIPT)


def test_no_page_has_a_finding_of_axe(served: Served) -> None:
    alarmed(served)
    found = {}
    page = served.page("anna", bypass_csp=True)
    for path in PAGES:
        for size in (DESK, PHONE) if path == "/" else (DESK,):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.goto(path)
            expect(page.locator("h1")).to_have_count(1)
            page.wait_for_timeout(150)
            answer = Axe().run(page)
            violations = [
                (entry["id"], entry["nodes"][0]["html"][:120]) for entry in answer.response["violations"]
            ]
            if violations:
                found[path, size] = violations
    page.context.clear_cookies()
    page.goto("/login")
    expect(page.locator("h1")).to_have_text("Log in")
    if violations := [entry["id"] for entry in Axe().run(page).response["violations"]]:
        found["/login", PHONE] = violations
    assert not found


def test_texts_are_shown_as_text(served: Served) -> None:
    """Markup in alarms, orders, audit and serial numbers is shown, not run; no policy is even asked."""
    alarmed(served)
    page = served.page("anna")
    expect(page.locator(".alarm", has_text="R2")).to_contain_text(SCRIPT)
    for path in PAGES:
        page.goto(path)
        expect(page.locator("h1")).to_have_count(1)
        page.wait_for_timeout(100)
        assert page.locator("img[src=x]").count() == 0
        assert "gotcha" not in page.title()


def test_nothing_is_asked_from_outside_and_everything_is_light(served: Served) -> None:
    page = served.page("anna")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        page.goto(path)
        expect(page.locator("h1")).to_have_count(1)
    page.wait_for_timeout(200)
    assert asked
    assert all(url.startswith((served.url, served.url.replace("http", "ws"), "data:")) for url in asked)
    assert page_bytes() <= MOST_BYTES


def test_the_first_paint_is_quick(served: Served) -> None:
    page = served.page("vera")
    paints = []
    for _ in range(5):
        page.goto("/")
        expect(page.locator(".armcards .arm")).to_have_count(6)
        paints.append(
            page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 1e9")
        )
    assert sorted(paints)[1] <= FIRST_PAINT_MS, paints


@pytest.mark.parametrize("size", [DESK, TABLET, PHONE])
def test_no_page_scrolls_sideways(served: Served, size: tuple[int, int]) -> None:
    alarmed(served)
    page = served.page("anna", size=size)
    for path in PAGES:
        page.goto(path)
        expect(page.locator("h1")).to_have_count(1)
        page.wait_for_timeout(250)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
    if size == DESK:
        served.cell._alarms = type(served.cell._alarms)()
        page.goto("/")
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollHeight") <= size[1], "one screen"
