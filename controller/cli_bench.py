"""`jointcell bench`: benchmarks, side by side with peers.

Exit code 1 means that results disagree with a peer or that something that must hold does not; a missed goal of speed is
shown and changes nothing, since the machine may be busy.
"""

from pathlib import Path
from typing import Annotated

import typer

from controller.console import MISSED, progress, show
from controller.outputs import check_writable, reserved_stdout, say

_PIPED_WIDTH = 180  # columns: benchmarks have long names and many figures

bench = typer.Typer(help="Benchmarks, side by side with peers as ratios.", no_args_is_help=True)

PeersOption = Annotated[bool, typer.Option("--peers", help="Measure the peers too (extra `peers`).")]
QuickOption = Annotated[bool, typer.Option("--quick", help="Small inputs and few repeats, for CI.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the inputs.")]
JsonOption = Annotated[
    Path | None, typer.Option(metavar="FILE|-", help="Write JSON here; '-' is standard output.")
]


@bench.command()
def kernels(
    peers: PeersOption = False, quick: QuickOption = False, seed: SeedOption = 0, json: JsonOption = None
) -> None:
    """Kinematics and motion: forward, inverse, dynamics, time parameterisation, distance, search."""
    _bench("kernels", peers, quick, seed, json)


@bench.command()
def schedule(
    peers: PeersOption = False, quick: QuickOption = False, seed: SeedOption = 0, json: JsonOption = None
) -> None:
    """Scheduling: the bundled cell, and standard job shops beside CP-SAT."""
    _bench("schedule", peers, quick, seed, json)


@bench.command()
def panel(
    peers: PeersOption = False, quick: QuickOption = False, seed: SeedOption = 0, json: JsonOption = None
) -> None:
    """The control panel: what serving costs, how old pictures are, how soon a stop arrives. It has no peers."""
    _bench("panel", peers, quick, seed, json)


def _bench(suite: str, peers: bool, quick: bool, seed: int, json: Path | None) -> None:
    to_stdout = json is not None and str(json) == "-"
    if json is not None and not to_stdout:
        check_writable(json, "--json")
    with reserved_stdout():
        from controller.bench.document import bench_json, bench_table
        from controller.bench.machine import machine
        from controller.bench.peer import PACKAGES
        from controller.bench.row import Options
        from controller.bench.suites import rows_of

        rows = []
        with progress() as bars:
            for row in rows_of(suite, Options(peers=peers, quick=quick, seed=seed)):
                rows.append(row)
                bars.step(row.name[:28], 1, 1)
        facts = machine(PACKAGES if peers else ())
        text = bench_json(suite, rows, facts)
        if json is not None and not to_stdout:
            json.write_text(text, encoding="utf-8")
    if to_stdout:
        say(text)
    else:
        show(bench_table(rows, facts), _PIPED_WIDTH)
    if any(row.wrong for row in rows):
        raise typer.Exit(MISSED)
