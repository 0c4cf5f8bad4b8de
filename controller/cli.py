"""The command line: `jointcell`.

Exit codes: 0 met, 1 target missed or check failed, 2 usage or configuration, 3 fault in simulation or cell,
4 not reachable, 130 interrupted.
"""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cells.errors import CellError

app = typer.Typer(
    name="jointcell",
    help="Controller for a six-robot cell that assembles the flexible joints of humanoid robots.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

MET, MISSED, USAGE, FAULT, INTERRUPTED = 0, 1, 2, 3, 130
_MOST_JOINTS = 10_000


class Driver(str, Enum):
    """What executes a plan."""

    sim = "sim"
    fake = "fake"


CellOption = Annotated[str, typer.Option("--cell", help="A bundled cell or the path of a cell file.")]
ModelsOption = Annotated[
    str,
    typer.Option("--models", help="'mix' for all bundled joint models, or their names separated by commas."),
]
JointsOption = Annotated[
    int, typer.Option("--joints", min=1, max=_MOST_JOINTS, help="Joints to finish in steady state.")
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, help="Seed of everything random; same seed, same run.")
]


@app.command()
def run(
    cell: CellOption = "six_arm",
    models: ModelsOption = "mix",
    joints: JointsOption = 24,
    driver: Annotated[
        Driver, typer.Option(help="Physics, or drivers that take exactly the planned time.")
    ] = Driver.sim,
    seed: SeedOption = 0,
    target: Annotated[float, typer.Option(help="Cycle time that 95 % of the cycles must keep [s].")] = 30.0,
    out: Annotated[
        Path | None, typer.Option(help="Directory for record and report; runs/<time> by default.")
    ] = None,
    json: Annotated[str, typer.Option(help="Write run.json to this file, or '-' for standard output.")] = "",
    junit: Annotated[
        Path | None, typer.Option(help="Write a JUnit file with one test case per cycle.")
    ] = None,
    gui: Annotated[bool, typer.Option("--gui", help="Show the simulation (needs a display).")] = False,
) -> None:
    """Plan, assemble the joints, report; exit code 0 when the target is met."""
    if not 0.0 < target < 86_400.0:  # also refuses NaN
        raise typer.BadParameter(f"{target}: must be above 0 and below 86400 s", param_hint="--target")
    if gui and not os.environ.get("DISPLAY"):
        raise typer.BadParameter("there is no display; run without it", param_hint="--gui")
    from controller.app import RunOptions
    from controller.app import run as run_cell
    from controller.report import junit as junit_text
    from controller.report import result_table, step_summary

    options = RunOptions(
        cell=cell,
        models=_names(models),
        joints=joints,
        driver=driver.value,
        seed=seed,
        target_s=target,
        out=_new_directory(out),
        command=" ".join(["jointcell", *sys.argv[1:]]),
        gui=gui,
    )
    with _bars() as bars:
        outcome = run_cell(options, bars.step, bars.joints)
    text = outcome.summary.to_json()
    if json == "-":
        sys.stdout.write(text)
    else:
        if json:
            _write(Path(json), text, "--json")
        console = Console()
        console.print(result_table(outcome.summary))
        console.print(f"Report: {outcome.report}", soft_wrap=True)
    if junit is not None:
        _write(junit, junit_text(outcome.summary), "--junit")
    if step_file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(step_file).open("a", encoding="utf-8") as file:
            file.write(step_summary(outcome.summary))
    if outcome.state.fault:
        Console(stderr=True).print(f"Fault: {outcome.state.fault}", style="bold", soft_wrap=True)
        raise typer.Exit(FAULT)
    raise typer.Exit(MET if outcome.summary.met else MISSED)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Cell, arm or joint model files (TOML).")],
) -> None:
    """Validate files: all findings at once."""
    from controller.checking import check_file

    failed = False
    for file in files:
        try:
            print(f"{file}: {check_file(file)}")
        except CellError as error:
            failed = True
            print(error)
    raise typer.Exit(MISSED if failed else MET)


@app.command()
def models() -> None:
    """List the joint models with their data and where it comes from."""
    from controller.listing import models_table

    Console().print(models_table())


@app.command()
def arms() -> None:
    """List the arms with their data and where it comes from."""
    from controller.listing import arms_table

    Console().print(arms_table())


@app.command()
def doctor() -> None:
    """Check this machine and say what to do."""
    from controller.doctor import examine

    findings = examine()
    for finding in findings:
        print(finding)
    raise typer.Exit(MISSED if any(finding.remedy for finding in findings) else MET)


@app.command()
def report(directory: Annotated[Path, typer.Argument(help="Directory of a run.")]) -> None:
    """Write the HTML report of a run anew."""
    from controller.app import report as write

    print(write(_existing(directory)))


@app.command()
def replay(directory: Annotated[Path, typer.Argument(help="Directory of a run.")]) -> None:
    """Replay a record through the pure state and compare with what the run reported."""
    from controller.replaying import differences

    found = differences(_existing(directory))
    for difference in found:
        print(difference)
    if not found:
        print("The record leads to the state and the figures that the run reported.")
    raise typer.Exit(MISSED if found else MET)


class _Bars:
    """Progress on standard error, and only on a terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._bars: dict[str, int] = {}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step(self, what: str, done: int, of: int) -> None:
        """Show how far something is; whatever came before is finished."""
        if what not in self._bars:
            for bar in self._bars.values():
                total = self._progress.tasks[bar].total
                self._progress.update(bar, completed=total)  # type: ignore[arg-type]
            self._bars[what] = self._progress.add_task(what, total=of)
        self._progress.update(self._bars[what], completed=done, total=of)  # type: ignore[arg-type]

    def joints(self, done: int, of: int) -> None:
        """Show how many joints have left the cell."""
        self.step("assembling joints", done, of)


def _bars() -> _Bars:
    return _Bars()


def _names(models: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in models.split(",") if name.strip())
    if not names:
        raise typer.BadParameter("names no model; try 'mix' or: jointcell models", param_hint="--models")
    return () if names == ("mix",) else names


def _new_directory(out: Path | None) -> Path:
    """An empty directory that can be written, made before anything else is done."""
    directory = out or Path("runs") / datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".probe"
        probe.write_bytes(b"\0" * 65_536)
        probe.unlink()
    except OSError as error:
        raise typer.BadParameter(
            f"{directory}: cannot be written: {error.strerror}", param_hint="--out"
        ) from error
    return directory


def _existing(directory: Path) -> Path:
    if not directory.is_dir():
        raise typer.BadParameter(f"{directory}: is not a directory; give that of a run, such as runs/...")
    return directory


def _write(path: Path, text: str, option: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{path}: cannot be written: {error.strerror}", param_hint=option) from error


def _guarded(action: Callable[[], None]) -> int:
    """Run the command line and turn what went wrong into one screen and an exit code."""
    from controller.motion.coordinate import DeadlockError
    from controller.motion.poses import UnreachableError
    from controller.motion.volumes import CollisionError
    from controller.scheduling.build import InfeasibleCellError
    from controller.scheduling.construct import InfeasibleProblemError
    from controller.scheduling.problem import ProblemError

    infeasible = (
        CollisionError,
        DeadlockError,
        InfeasibleCellError,
        InfeasibleProblemError,
        ProblemError,
        UnreachableError,
    )
    try:
        action()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    except CellError as error:
        print(error, file=sys.stderr)
        return USAGE
    except infeasible as error:
        print(f"This cell cannot do it: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("Interrupted; everything was brought to rest, and the record ends here.", file=sys.stderr)
        return INTERRUPTED
    return MET


def main() -> None:
    """Entry point of the command `jointcell`."""
    sys.exit(_guarded(app))


if __name__ == "__main__":
    main()
