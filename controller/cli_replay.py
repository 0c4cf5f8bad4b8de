"""Replaying on the command line: the record of a run, the journals of a cell, or a recording of the panel."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from controller.console import MISSED, complain, existing_directory, show
from controller.outputs import reserved_stdout, say

if TYPE_CHECKING:
    from controller.panel.recording_check import RecordedRun

_IDEAL_CYCLE_S = 30.0


def replay(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="RUN_DIR|FILE.mcap", help="Directory of a run or of journals, or a recording."
        ),
    ],
) -> None:
    """Replay a run's record, the journals of a cell, or a recording; say what does not fit, and the figures."""
    if what.is_file():
        _replay_recording(what)
        return
    directory = existing_directory(what, "RUN_DIR")
    from controller.supervision.archive import journal_files

    if journal_files(directory):
        _replay_journals(directory)
        return
    with reserved_stdout():
        from controller.replaying import differences

        found = differences(directory)
    if found:
        complain("\n".join(found))
        raise typer.Exit(MISSED)
    say("The record leads to the state and the figures that the run reported.\n")


def _replay_journals(directory: Path) -> None:
    from controller.supervision.replay import replay_journals

    replayed = replay_journals(directory)
    if replayed.findings:
        complain("\n".join(replayed.findings))
        raise typer.Exit(MISSED)
    figures = replayed.figures(_IDEAL_CYCLE_S)
    say(
        f"{replayed.files} journal files lead to the state that was kept: {replayed.shift.good} good joints, "
        f"{replayed.shift.rejected} rejected, {len(replayed.shift.joints)} in the cell; "
        f"OEE {100 * figures.oee:.1f} % (availability {100 * figures.availability:.1f} %, performance "
        f"{100 * figures.performance:.1f} %, quality {100 * figures.quality:.1f} %) at an ideal cycle of "
        f"{_IDEAL_CYCLE_S:g} s, {figures.yearly_capacity} joints a year\n"
    )


def _replay_recording(file: Path) -> None:
    from controller.panel.recording_check import findings, run_of
    from controller.panel.recording_reader import RecordingError, read_recording

    try:
        contents = read_recording(file)
    except RecordingError as error:
        complain(str(error))
        raise typer.Exit(MISSED) from None
    _show(run_of(contents))
    if found := findings(contents):
        complain("\n".join(found))
        raise typer.Exit(MISSED)
    say(f"{contents.messages} messages, and nothing wrong found with them.\n")


def _show(run: "RecordedRun") -> None:
    """The figures, as far as the recording holds them."""
    from datetime import UTC, datetime

    from rich.table import Table
    from rich.text import Text

    began = datetime.fromtimestamp(run.began_ns * 1e-9, UTC).isoformat(sep=" ", timespec="seconds")
    kind = {True: "simulation", False: "REAL ARMS", None: "simulation or not: not said"}[run.simulated]
    cycles = len(run.cycle_times_s)
    rows = [
        ("Cell", f"{run.cell or 'not said'}, driver {run.driver or 'not said'}, {kind}"),
        ("Began", f"{began}, lasted {run.duration_s:.1f} s"),
        ("Pictures", f"{run.pictures} of each arm, longest gap {run.longest_gap_s:.2f} s"),
        ("States", " → ".join(run.states) or "no change"),
        ("Joints", f"{run.good} good, {run.rejected} rejected"),
        ("Cycle", _cycle(run) if cycles else "no two joints left"),
        ("Alarms", str(run.alarms)),
        *(("Fault", fault) for fault in run.faults),
        *((arm, f"moved {100 * share:.0f} % of the time") for arm, share in run.moving.items()),
    ]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, text in rows:
        table.add_row(Text(name), Text(text, overflow="fold"))
    show(table)


def _cycle(run: "RecordedRun") -> str:
    times = run.cycle_times_s
    p50, p95 = run.quantile_s(0.50), run.quantile_s(0.95)
    text = f"{len(times)} cycles, p50 {p50:.2f} s, p95 {p95:.2f} s, longest {max(times):.2f} s"
    if run.target_s is None or p95 is None:
        return text
    return f"{text}; target {run.target_s:g} s {'met' if p95 <= run.target_s else 'missed'}"
