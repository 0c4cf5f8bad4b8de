"""The result of a run as Markdown for the summary page of a CI job."""

import re

from controller.report.markup import printable
from controller.report.summary import RunSummary
from controller.report.table import key_figures

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|<>&~@])")
MOST_REJECTS = 20  # a job summary is short


def step_summary(summary: RunSummary) -> str:
    """Verdict, key figures, and the joints that were rejected."""
    lines = [f"### {_plain(summary.verdict)}", "", "| | |", "|---|---|"]
    lines += [f"| {_plain(name)} | {_plain(value)} |" for name, value in key_figures(summary).items()]
    rejected = [joint for joint in summary.joints if not joint.good]
    if rejected:
        lines += ["", "| Rejected | Model | Outside its limits |", "|---|---|---|"]
        for joint in rejected[:MOST_REJECTS]:
            outside = ", ".join(name for name, value in joint.eol.items() if not value.ok) or "–"
            lines.append(f"| {_plain(joint.serial)} | {_plain(joint.model)} | {_plain(outside)} |")
        if len(rejected) > MOST_REJECTS:
            lines.append(f"| and {len(rejected) - MOST_REJECTS} more | | |")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: on one line, its special characters escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(printable(text).split()))
