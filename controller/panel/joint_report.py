"""The story of one joint as a page of its own, to keep or to send: no script, nothing from outside."""

from typing import Any

from controller.panel.genealogy import JointStory
from controller.report.markup import escaped

_STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;color:#23282d}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc;"
    "vertical-align:top}th{font-weight:600}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}"
    "dt{color:#555}dd{margin:0}"
)


def joint_report(story: JointStory, cell: str) -> str:
    """The page."""
    verdict = (
        f"rejected: {story['reject']}" if story["reject"] else "good" if story["left_utc"] else "in the cell"
    )
    facts = {
        "Model": story["model"],
        "Order": story["order"],
        "Cell": cell,
        "Left (UTC)": story["left_utc"] or "not yet",
        "Verdict": verdict,
    }
    head = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>" for name, value in facts.items())
    rows = "".join(
        f"<tr><td>{escaped(entry['time_utc'])}</td><td>{escaped(entry['kind'].replace('_', ' '))}</td>"
        f"<td>{_words(entry['facts'])}</td></tr>"
        for entry in story["entries"]
    )
    title = f"Joint {escaped(story['serial'])}"
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1><dl>{head}</dl><h2>What happened</h2>"
        f"<table><thead><tr><th>Time (UTC)</th><th>Event</th><th>Details</th></tr></thead><tbody>{rows}</tbody></table>"
        "</body></html>\n"
    )


def _words(facts: dict[str, Any]) -> str:
    pairs = []
    for name, value in facts.items():
        shown = (
            ", ".join(f"{key} {entry}" for key, entry in value.items()) if isinstance(value, dict) else value
        )
        pairs.append(f"{escaped(name.replace('_', ' '))}: {escaped(shown)}")
    return "; ".join(pairs)
