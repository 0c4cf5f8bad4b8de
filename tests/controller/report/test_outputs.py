"""Terminal, JUnit and Markdown."""

import io
from xml.etree import ElementTree

import pytest
from rich.console import Console

from controller.report.junit import junit
from controller.report.quantities import quantity
from controller.report.step_summary import step_summary
from controller.report.summary import EndOfLineValue
from controller.report.table import result_table


def printed(summary):
    console = Console(file=io.StringIO(), width=120)
    console.print(result_table(summary))
    return console.file.getvalue()


def test_terminal_result_is_short_and_starts_with_the_verdict(run, good_run):
    for summary, _ in (run, good_run):
        lines = printed(summary).rstrip().splitlines()
        assert lines[0].strip().startswith(summary.headline)
        assert len(lines) <= 9
        assert f"p95 {summary.cycle_time_p95_s:.2f} s" in printed(summary)


def test_terminal_takes_no_markup_from_names(run):
    arm = run[0].arms[0].model_copy(update={"name": "[red]A1[/red]"})
    assert "[red]A1[/red]" in printed(run[0].model_copy(update={"arms": (arm,)}))


def test_junit_has_a_case_per_cycle_and_the_gate(run, good_run):
    for summary, _ in (run, good_run):
        suite = ElementTree.fromstring(junit(summary)).find("testsuite")
        cases = suite.findall("testcase")
        assert len(cases) == int(suite.get("tests")) == len(summary.cycle_times_s) + 1
        times = [float(case.get("time")) for case in cases[:-1]]
        assert times == pytest.approx(summary.cycle_times_s, abs=5e-4)
        assert len(suite.findall(".//failure")) == int(suite.get("failures")) == (0 if summary.met else 1)
    missed = ElementTree.fromstring(junit(run[0]))
    assert missed.findall(".//testcase")[-1].find("failure").get("message") == run[0].verdict
    assert len(missed.findall(".//system-out")) == sum(c > 30 for c in run[0].cycle_times_s)


def test_junit_takes_any_name(run):
    ElementTree.fromstring(junit(run[0].model_copy(update={"cell": '<&"\x00\ud800'})))


def test_step_summary_names_the_rejected_joint(run, good_run):
    text = step_summary(run[0])
    assert text.startswith("### Target of 30 s missed by")
    assert "| J0011 | Pro-PR60-80-90 | current\\_ripple |" in text
    assert "Rejected" not in step_summary(good_run[0])


def test_step_summary_keeps_hostile_names_in_their_cell(run):
    bad = run[0].joints[11].model_copy(update={"serial": "a|b\n<script>[x](y)`"})
    text = step_summary(run[0].model_copy(update={"joints": (bad,)}))
    row = text.splitlines()[-1]
    assert row.startswith("| a\\|b \\<script\\>\\[x\\](y)\\` | ")


def test_step_summary_stays_short(run):
    rejected = tuple(j.model_copy(update={"good": False}) for j in run[0].joints)
    text = step_summary(run[0].model_copy(update={"joints": rejected}))
    assert text.rstrip().endswith("| and 6 more | | |")


@pytest.mark.parametrize(
    ("name", "value", "low", "high", "shown", "window"),
    [
        ("backlash", 4.84813681e-5, 0.0, 9.69627362e-5, "10.0", "≤ 20.0"),
        ("supply", 42.014, 41.0, 43.0, "42.01", "41.00 – 43.00"),
        ("encoder_offset", None, None, None, "–", ""),
        ("made_up", 1.0, 0.5, None, "1.0000", "≥ 0.5000"),
    ],
)
def test_quantities_in_handy_units(name, value, low, high, shown, window):
    measured = EndOfLineValue(value=value, unit="u", low=low, high=high, ok=True)
    assert quantity(name, "u").shown(value) == shown
    assert quantity(name, "u").window(measured) == window
