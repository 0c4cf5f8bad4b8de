"""`jointcell bench`: benchmarks, side by side with peers.

Exit code 1 means that results disagree with a peer or that something that must hold does not; a missed goal of speed is
shown and changes nothing, since the machine may be busy.
"""

from pathlib import Path
from typing import Annotated

import typer

from controller.console import MISSED, progress, refuse, show
from controller.outputs import check_writable, reserved_stdout, say

_PIPED_WIDTH = 180  # columns: benchmarks have long names and many figures

bench = typer.Typer(help="Benchmarks, side by side with peers as ratios.", no_args_is_help=True)

PeersOption = Annotated[bool, typer.Option("--peers", help="Measure the peers too (extra `peers`).")]
QuickOption = Annotated[bool, typer.Option("--quick", help="Small inputs and few repeats, for CI.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the inputs.")]
JsonOption = Annotated[
    Path | None, typer.Option(metavar="FILE|-", help="Write JSON here; '-' is standard output.")
]


OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", metavar="PART", help="Only this part; may be given again.")
]
EachOption = Annotated[
    int,
    typer.Option(min=1, max=10, help="Instances of each family of ten in the studies that take an hour."),
]


@bench.command()
def kernels(
    peers: PeersOption = False,
    quick: QuickOption = False,
    seed: SeedOption = 0,
    only: OnlyOption = None,
    json: JsonOption = None,
) -> None:
    """Kinematics and motion: forward, inverse, dynamics, time parameterisation, distance, search."""
    _bench("kernels", peers, quick, seed, only or [], json)


@bench.command()
def schedule(
    peers: PeersOption = False,
    quick: QuickOption = False,
    seed: SeedOption = 0,
    only: OnlyOption = None,
    each: EachOption = 10,
    json: JsonOption = None,
) -> None:
    """Scheduling: the bundled cell, and standard job shops beside CP-SAT."""
    _bench("schedule", peers, quick, seed, only or [], json, each)


@bench.command()
def plan(
    quick: QuickOption = False, seed: SeedOption = 0, only: OnlyOption = None, json: JsonOption = None
) -> None:
    """Plans: time, cycle against bound, coordination, verify, planted faults, layouts, lost arms (extra `verify`)."""
    _bench("plan", False, quick, seed, only or [], json)


@bench.command()
def supervision(
    quick: QuickOption = False, seed: SeedOption = 0, only: OnlyOption = None, json: JsonOption = None
) -> None:
    """The cell killed, without a disk, under random commands and for a simulated day; hours without --quick."""
    _bench("supervision", False, quick, seed, only or [], json)


@bench.command()
def serial(
    quick: QuickOption = False, seed: SeedOption = 0, only: OnlyOption = None, json: JsonOption = None
) -> None:
    """Serial arms: what lines cost, what bad lines and bad moments do, and the firmware to the last bit."""
    _bench("serial", False, quick, seed, only or [], json)


@bench.command()
def panel(
    quick: QuickOption = False, seed: SeedOption = 0, only: OnlyOption = None, json: JsonOption = None
) -> None:
    """The control panel: what serving costs, how old pictures are, how soon a stop arrives."""
    _bench("panel", False, quick, seed, only or [], json)


def _bench(
    suite: str, peers: bool, quick: bool, seed: int, only: list[str], json: Path | None, each: int = 10
) -> None:
    to_stdout = json is not None and str(json) == "-"
    if json is not None and not to_stdout:
        check_writable(json, "--json")
    with reserved_stdout():
        from controller.bench.document import bench_json, bench_table
        from controller.bench.machine import machine
        from controller.bench.peer import PACKAGES
        from controller.bench.row import Options
        from controller.bench.suites import SUITES, rows_of

        for part in only:
            if part not in SUITES[suite]:
                refuse("--only", part, f"one of {', '.join(SUITES[suite])}")
        rows = []
        with progress() as bars:
            for row in rows_of(suite, Options(peers=peers, quick=quick, seed=seed, each=each), only):
                rows.append(row)
                bars.step(row.name[:28], 1, 1)
                if json is not None and not to_stdout:  # a study of hours may be interrupted
                    json.write_text(
                        bench_json(suite, rows, machine(PACKAGES if peers else ())), encoding="utf-8"
                    )
        facts = machine(PACKAGES if peers else ())
    if to_stdout:
        say(bench_json(suite, rows, facts))
    else:
        show(bench_table(rows, facts), _PIPED_WIDTH)
    if any(row.wrong for row in rows):
        raise typer.Exit(MISSED)
