"""The report is one closed, inert file: nothing fetched, nothing executed, everything escaped."""

import base64
import hashlib
import re
import struct
import zlib
from html.parser import HTMLParser

import pytest

from controller.report.html import Origin, Picture, PlanView, Scope, render_report, write_report
from controller.report.summary import BindingRecord, EndOfLineValue
from tests.controller.motion.small_plan import planned

SCOPE = Scope(simulated=("arms",), modelled=("fits",), left_out=("heat",))
ORIGIN = Origin(command="jointcell run --seed 7", versions={"jointcell": "0.1.0"})
HOSTILE = "<img src=x onerror=alert(1)>\"'&\x00"
VOID = {"meta", "img", "br", "hr"}


def png():
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\x00\x80")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


class Page(HTMLParser):
    """Collects tags, attributes and text; fails when elements are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self.open, self.styles = [], [], "", [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.styles.append(data)
        else:
            self.text += data


@pytest.fixture(scope="module")
def text(run):
    pictures = [Picture(caption="The cell", png=png())]
    return render_report(*run, scope=SCOPE, origin=ORIGIN, pictures=pictures)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_nothing_is_fetched_or_executed(text, page):
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name != "style", (tag, value)  # refused by the policy
        if name in {"src", "href", "xlink:href"}:
            assert value.startswith("data:image/png;base64,")
    for address in re.findall(r"https?://[^\s\"'<>]+", text):
        assert address == "http://www.w3.org/2000/svg"  # a name, never fetched
    assert "@import" not in text
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", text))


def test_policy_allows_exactly_the_styles_of_the_page(page):
    policy = next(
        value for tag, name, value in page.attributes if tag == "meta" and "default-src" in (value or "")
    )
    hashes = {base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in page.styles}
    assert set(re.findall(r"'sha256-([^']+)'", policy)) == hashes
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_ids_are_unique_and_references_resolve(text, page):
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)


def test_verdict_figures_and_origin_are_there(run, page):
    summary, _ = run
    assert summary.headline in page.text
    assert f"{summary.cycle_time_p95_s:.2f}" in page.text
    for words in (
        *summary.shortfalls,
        "jointcell run --seed 7",
        summary.trace_sha256,
        "arms",
        "fits",
        "heat",
    ):
        assert words in page.text
    for joint in summary.joints:
        assert joint.serial in page.text
    assert page.text.count("▲ reject") == 1
    assert "Slowest cycle" in page.text


def test_a_good_run_shows_no_slowest_cycle_and_no_triangle(good_run):
    page = Page(render_report(*good_run, scope=SCOPE, origin=ORIGIN))
    assert "Target of 30 s met" in page.text
    assert "Slowest cycle" not in page.text
    assert "▲" not in page.text


def test_hostile_names_stay_text(run):
    summary, timeline = run
    first = summary.joints[0]
    eol = {HOSTILE: EndOfLineValue(value=None, unit=HOSTILE, low=None, high=1.0, ok=False)}
    joints = (first.model_copy(update={"serial": HOSTILE, "model": HOSTILE, "eol": eol}), *summary.joints[1:])
    changed = summary.model_copy(update={"joints": joints, "cell": HOSTILE, "trace_sha256": HOSTILE})
    page = Page(
        render_report(
            changed,
            timeline,
            scope=Scope(simulated=(HOSTILE,), modelled=()),
            origin=Origin(command=HOSTILE, versions={HOSTILE: HOSTILE}),
            pictures=[Picture(caption=HOSTILE, png=png())],
        )
    )
    assert page.tags.count("img") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.text.count("<img src=x onerror=alert(1)>") >= 6


def test_the_same_run_gives_the_same_bytes(tmp_path, run):
    for name in ("a.html", "b.html"):
        write_report(tmp_path / name, *run, scope=SCOPE, origin=ORIGIN)
    first, second = ((tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second
    assert first.startswith(b"<!DOCTYPE html>")


def test_a_run_without_joints_still_makes_a_report(run):
    summary, timeline = run
    empty = summary.model_copy(
        update={
            "joints": (),
            "arms": (),
            "cycle_times_s": (),
            "cycle_time_mean_s": None,
            "cycle_time_p50_s": None,
            "cycle_time_p95_s": None,
            "cycle_time_max_s": None,
            "gap": None,
            "flow_time_p50_s": None,
            "min_clearance_m": None,
            "part_pose_error_max_m": None,
        }
    )
    page = Page(render_report(empty, timeline, scope=SCOPE, origin=ORIGIN))
    assert "No cycle was completed." in page.text
    assert "not measured" in page.text


def test_only_png_pictures_are_taken(run):
    with pytest.raises(ValueError, match="picture 'cell' is not a PNG"):
        render_report(*run, scope=SCOPE, origin=ORIGIN, pictures=[Picture(caption="cell", png=b"GIF89a")])


def test_the_plan_and_what_binds_are_shown_and_drawings_are_images(run):
    summary, timeline = run
    motion = planned()
    binding = (BindingRecord(resource="R3", operation="<70>", seconds=8.2),)
    page = render_report(
        summary.model_copy(update={"binding": binding}),
        timeline,
        scope=SCOPE,
        origin=ORIGIN,
        plan=PlanView(
            graph=motion.graph, starts_s=motion.starts_s, swept_svg=b"<svg><script>alert(1)</script></svg>"
        ),
    )
    parsed = Page(page)
    assert "script" not in parsed.tags
    assert "What binds" in parsed.text
    assert "R3 <70>" in parsed.text
    assert "Event graph of the last cycle" in parsed.text
    assert "waits for" in parsed.text
    images = [value for tag, name, value in parsed.attributes if (tag, name) == ("img", "src")]
    assert [value.split(",")[0] for value in images] == ["data:image/svg+xml;base64"]
