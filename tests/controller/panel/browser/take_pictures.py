"""Takes the documentation's pictures of the panel, in front of the recorded cell.

python -m tests.controller.panel.browser.take_pictures            # the Run page, into docs/pictures
python -m tests.controller.panel.browser.take_pictures DIRECTORY  # every page in every size, to look at
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from cells.cell import load_cell
from cells.joint_model import joint_model_names, load_joint_model
from controller.panel_facts import facts_of
from controller.supervision.alarms import Acknowledged, Key, advance
from kinematics import use_cache
from tests.controller.panel.browser.served_panel import DESK, PHONE, TABLET, Served, browser, replayed
from tests.controller.panel.replayed_cell import ReplayedCell

DOCS = Path(__file__).parents[4] / "docs" / "pictures"
PAGES = ("/", "/arms/R3", "/history", "/orders", "/maintenance", "/system")


def main() -> None:
    """Take them."""
    use_cache(Path(__file__).parents[4] / ".jit_cache")
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    directory.mkdir(parents=True, exist_ok=True)
    models = tuple(load_joint_model(name) for name in joint_model_names())
    facts = facts_of(load_cell("six_arm"), models, source="six_arm", driver="fake", simulated=True)
    with (
        browser() as chromium,
        tempfile.TemporaryDirectory() as folder,
        replayed(facts, Path(folder), chromium) as served,
    ):
        _prepare(served)
        page = served.page("anna")
        _run_for_a_while(page, served)
        for path in PAGES if len(sys.argv) > 1 else ("/",):
            for size in (DESK, TABLET, PHONE):
                _take(page, path, size, directory)


def _prepare(served: Served) -> None:
    cell: ReplayedCell = served.cell
    cell.raise_alarm("feeder_empty", "feeder_rotor", "the last rotor was taken")
    seen = Acknowledged(time_ns=cell.view.time_ns, key=Key("feeder_empty", "feeder_rotor"), by="otto")
    cell._alarms = advance(cell._alarms, seen)
    cell.raise_alarm("joint_rejected", "J0009", "180: ripple of the no-load current 24 % (allowed: 20 %)")


def _run_for_a_while(page: Page, served: Served) -> None:
    """Into the middle of the record, where a trend can be seen."""
    page.get_by_role("button", name="Reset").click()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Start").click()
    page.wait_for_timeout(700)
    served.cell._played_s = 262.0
    served.cell._offsets = [(-1e9, served.cell.view.time_ns * 1e-9 - 262.0)]
    page.wait_for_timeout(6000)


def _take(page: Page, path: str, size: tuple[int, int], directory: Path) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(path)
    page.wait_for_timeout(2500)
    if path == "/history":
        for box in page.get_by_role("checkbox").all()[:2]:
            box.check()
        page.wait_for_timeout(700)
    name = path.strip("/").replace("/", "-") or "run"
    shot = Image.open(io.BytesIO(page.screenshot(full_page=size != DESK)))
    target = directory / f"panel-{name}-{size[0]}.png"
    shot.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE).save(target, optimize=True)
    print(f"{target}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
