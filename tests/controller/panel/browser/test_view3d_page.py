"""The 3D page in a real browser: where its link is, and that the arms on it move."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from controller.panel import CellFacts
from controller.supervision.packml import Command, State
from controller.supervision.requests import GiveCommand
from tests.controller.panel.browser.served_panel import FLAGS, TABLET, browser, need_chromium, replayed
from tests.extras import need

need("viser", "view3d")

_DRAWING_MS = 90_000  # without a graphics card, on a machine that does much else
_SOFTWARE_GL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A browser that draws WebGL in software."""
    with sync_playwright() as playwright:
        flags = [flag for flag in FLAGS if flag != "--disable-gpu"]
        opened = playwright.chromium.launch(executable_path=need_chromium(), args=[*flags, *_SOFTWARE_GL])
        yield opened
        opened.close()


def pixels(page: Page) -> np.ndarray:
    """What the frame shows."""
    shot = page.locator("iframe.view3d").screenshot(timeout=_DRAWING_MS)
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=np.int16)


@pytest.mark.slow
def test_arms_are_drawn_and_move(chromium: Browser, facts: CellFacts, tmp_path: Path) -> None:
    with replayed(facts, tmp_path, chromium) as served:
        page = served.page("otto", size=TABLET)
        page.set_default_timeout(_DRAWING_MS)
        page.get_by_role("link", name="in 3D").click()
        expect(page.locator("h1")).to_have_text("3D view")
        page.frame_locator("iframe.view3d").locator("canvas").first.wait_for()
        page.wait_for_timeout(5000)
        at_rest = pixels(page)
        assert len(np.unique(at_rest.reshape(-1, 3), axis=0)) > 100, "there is something to see"
        for command, state in ((Command.RESET, State.IDLE), (Command.START, State.EXECUTE)):
            assert served.cell.ask(GiveCommand(command=command), "test").accepted
            while served.cell.view.state is not state:
                page.wait_for_timeout(50)
        page.wait_for_timeout(5000)
        changed = np.abs(pixels(page) - at_rest).max(axis=2) > 30
        assert changed.mean() > 0.002, "the arms have moved"
        page.get_by_role("link", name="Run", exact=True).click()
        expect(page.locator(".armcards .arm")).to_have_count(6)
        # Viser's page says on the console what it tries and does without.
        served.complaints[:] = [
            line for line in served.complaints if "unsafe-eval" not in line and "THREE" not in line
        ]


def test_there_is_a_link_only_where_the_view_is_installed(facts: CellFacts, tmp_path: Path) -> None:
    with browser() as opened:
        for installed in (True, False):
            folder = tmp_path / str(installed)
            folder.mkdir()
            with replayed(replace(facts, view3d=installed), folder, opened) as served:
                page = served.page("vera")
                expect(page.locator(".armcards .arm")).to_have_count(6)
                expect(page.get_by_role("link", name="in 3D")).to_have_count(int(installed))
                if not installed:
                    page = served.page("vera", "/3d", bypass_csp=True)
                    expect(page.locator("main")).to_contain_text("jointcell[view3d]")
                    assert [entry["id"] for entry in Axe().run(page).response["violations"]] == []
