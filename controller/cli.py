"""The command line: `jointcell`. Results go to standard output; progress and what went wrong go to standard error.

The commands import what they need when they are called: compiler and physics engine would otherwise make
`jointcell --help` wait for a second.
"""

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from controller.cli_arms import arms
from controller.cli_bench import bench
from controller.cli_bridge import bridge, confirm_motion
from controller.cli_opcua import opcua
from controller.cli_panel import COMMANDS, serve, status, users
from controller.cli_replay import replay
from controller.cli_solve import solve
from controller.console import (
    INTERRUPTED,
    MET,
    MISSED,
    USAGE,
    complain,
    existing_directory,
    fault,
    progress,
    refuse,
    show,
)
from controller.outputs import check_writable, new_directory, reserved_stdout, say

app = typer.Typer(
    name="jointcell",
    help="Controller for a six-robot cell that assembles the flexible joints of humanoid robots.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(bench, name="bench")
app.add_typer(bridge, name="bridge")
app.command()(arms)
app.command()(solve)
app.command()(replay)
app.command()(serve)
app.command()(opcua)
app.command()(status)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(users, name="users")

_MOST_JOINTS = 10_000
_LARGEST_SEED = 2**63 - 1
_LONGEST_TARGET_S = 86_400.0
_SCREEN_LINES = 24

_RUN_EXAMPLES = """
Examples:

\b
  jointcell run
      the bundled cell, all bundled joint models, physics, 30 s
  jointcell run --driver fake --joints 100
      a dry run without physics: everything takes its planned time
  jointcell run --models Pro-PR60-50-90,Pro-NE30-30 --joints 4 --seed 7
      a mix of two models; the same seed gives the same run
  jointcell run --target 28.5 --junit cycles.xml --json -
      a gate for CI: exit code 0 when 95 % of the cycles keep 28.5 s, else 1

\b
Exit codes: 0 target met, 1 target missed, 2 usage or configuration,
3 fault in simulation or cell, 130 interrupted (the record is kept).
"""


class Driver(StrEnum):
    """What executes a plan."""

    sim = "sim"
    fake = "fake"
    serial = "serial"


CellOption = Annotated[str, typer.Option(help="A bundled cell or the path of a cell file.")]
ModelsOption = Annotated[
    str, typer.Option(help="'mix' for all bundled joint models, or their names separated by commas.")
]
JointsOption = Annotated[int, typer.Option(min=1, max=_MOST_JOINTS, help="Joints to finish in steady state.")]
SeedOption = Annotated[
    int, typer.Option(min=0, max=_LARGEST_SEED, help="Seed of everything random; same seed, same run.")
]
DirectoryArgument = Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Directory of a run.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"jointcell {version('jointcell')}\n")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Controller for a six-robot cell that assembles the flexible joints of humanoid robots."""


@app.command(epilog=_RUN_EXAMPLES)
def run(
    cell: CellOption = "six_arm",
    models: ModelsOption = "mix",
    joints: JointsOption = 24,
    driver: Annotated[
        Driver,
        typer.Option(help="Physics, drivers that take exactly the planned time, or arms on serial lines."),
    ] = Driver.sim,
    emulate: Annotated[
        bool,
        typer.Option("--emulate", help="With --driver serial: emulated arms and lines, in real time."),
    ] = False,
    seed: SeedOption = 0,
    target: Annotated[float, typer.Option(help="Cycle time that 95 % of the cycles must keep [s].")] = 30.0,
    out: Annotated[
        Path | None,
        typer.Option(help="New or empty directory for the results; runs/<time> by default."),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE|-", help="Write run.json here too; '-' is standard output."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(help="Write a JUnit file with one test case per cycle.")
    ] = None,
    gui: Annotated[bool, typer.Option("--gui", help="Show the simulation (needs a display).")] = False,
    render: Annotated[
        bool, typer.Option("--render", help="Also draw the last cycle as an animation (takes a minute).")
    ] = False,
) -> None:
    """Plan, assemble the joints, report; exit code 0 when the target is met."""
    if not 0.0 < target <= _LONGEST_TARGET_S:  # also refuses NaN
        refuse("--target", target, f"a number of seconds above 0, at most {_LONGEST_TARGET_S:g}")
    if gui and not os.environ.get("DISPLAY"):
        raise typer.BadParameter("there is no display; run without it", param_hint="--gui")
    names = _model_names(models)
    to_stdout = json is not None and str(json) == "-"
    directory = new_directory(out)
    if json is not None and not to_stdout:
        check_writable(json, "--json")
    if junit is not None:
        check_writable(junit, "--junit")
    _check_inputs(cell, names)
    if emulate and driver is not Driver.serial:
        refuse("--emulate", "", "only with --driver serial")
    if driver is Driver.serial and not emulate:
        confirm_motion(cell)  # real arms will move
    with reserved_stdout():
        from controller.app import run as run_cell
        from controller.report import junit as junit_text
        from controller.report import result_table, step_summary
        from controller.run_facts import RunOptions

        options = RunOptions(
            cell=cell,
            models=names,
            joints=joints,
            driver=driver.value,
            emulate=emulate,
            seed=seed,
            target_s=target,
            out=directory,
            command=shlex.join(["jointcell", *sys.argv[1:]]),
            gui=gui,
            render=render,
        )
        try:
            with progress() as bars:
                outcome = run_cell(options, bars.step, bars.joints)
            text = outcome.summary.to_json()
            if json is not None and not to_stdout:
                json.write_text(text, encoding="utf-8")
            if junit is not None:
                junit.write_text(junit_text(outcome.summary), encoding="utf-8")
            if step_file := os.environ.get("GITHUB_STEP_SUMMARY"):
                with Path(step_file).open("a", encoding="utf-8") as file:
                    file.write(step_summary(outcome.summary))
        except KeyboardInterrupt:
            _interrupted(directory)
        except OSError as error:  # most likely a full disk: that everything can be written was checked above
            fault(f"{error.filename or directory}: cannot be written: {error.strerror}")
    if to_stdout:
        say(text)
    else:
        show(result_table(outcome.summary))
        say(f"Report: {outcome.report}\n")
    if outcome.state.fault:
        fault(outcome.state.fault)
    raise typer.Exit(MET if outcome.summary.met else MISSED)


@app.command()
def plan(
    out: Annotated[Path, typer.Option(help="New or empty directory for the plan.")],
    cell: CellOption = "six_arm",
    models: ModelsOption = "mix",
    joints: JointsOption = 24,
    seed: SeedOption = 0,
) -> None:
    """Write schedule, motion plan and certificate of an order."""
    names = _model_names(models)
    directory = new_directory(out)
    _check_inputs(cell, names)
    with reserved_stdout():
        from controller.app import store_plan

        with progress() as bars:
            text = store_plan(cell, names, joints, seed, directory, bars.step)
    say(f"{text}\nPlan: {directory}\n")


@app.command()
def verify(
    directory: Annotated[Path, typer.Argument(metavar="PLAN_DIR", help="Directory of a plan.")],
) -> None:
    """Check a plan with code and libraries that the planner does not use."""
    with reserved_stdout():
        from controller.app import verify_plan_files

        with progress() as bars:
            verdict = verify_plan_files(existing_directory(directory, "RUN_DIR"), bars.step)
    if verdict.violations:
        complain("\n".join(str(violation) for violation in verdict.violations[:_SCREEN_LINES]))
        raise typer.Exit(MISSED)
    measured = verdict.measured
    say(
        f"Nothing found wrong. {measured.arm_pairs} pairs of arms and {measured.fixture_pairs} of arm and fixture were "
        f"measured; the smallest distances are {measured.arms_m * 1000:.1f} and {measured.fixtures_m * 1000:.1f} mm.\n"
    )


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Cell, arm or joint model files (TOML).")],
) -> None:
    """Validate files: all findings at once."""
    from cells.errors import CellError, Finding
    from controller.checking import check_file

    findings: list[Finding] = []
    for file in files:
        try:
            say(f"{file}: {check_file(file)}\n")
        except CellError as error:
            findings += error.findings
    if findings:
        complain(str(CellError(findings)))
        raise typer.Exit(MISSED)


@app.command()
def models() -> None:
    """List the joint models with their data and where it comes from."""
    from controller.listing import models_table

    show(models_table())


@app.command()
def doctor(
    settings: Annotated[
        Path | None, typer.Option(help="Settings of a running cell (TOML); the environment goes above them.")
    ] = None,
) -> None:
    """Check this machine and the settings of a running cell, and say what to do."""
    with reserved_stdout():
        from controller.doctor import examine, findings_table

        findings = examine(settings)
    show(findings_table(findings))
    raise typer.Exit(MISSED if any(finding.broken for finding in findings) else MET)


@app.command()
def report(directory: DirectoryArgument) -> None:
    """Write the HTML report of a run anew."""
    with reserved_stdout():
        from controller.app import report as write_report

        path = write_report(existing_directory(directory, "RUN_DIR"))
    say(f"{path}\n")


def _check_inputs(cell: str, names: Sequence[str]) -> None:
    """Load everything that is named, so that all findings come at once and before anything is compiled."""
    from cells.cell import load_cell
    from cells.errors import CellError, Finding
    from cells.joint_model import load_joint_model

    findings: list[Finding] = []
    loads: list[Callable[[], object]] = [lambda: load_cell(cell)]
    loads += [lambda name=name: load_joint_model(name) for name in names]  # type: ignore[misc]
    for load in loads:
        try:
            load()
        except CellError as error:
            findings += error.findings
    if findings:
        raise CellError(findings)


def _model_names(models: str) -> tuple[str, ...]:
    """The names given, none for the mix of all."""
    names = tuple(name.strip() for name in models.split(","))
    if names == ("mix",):
        return ()
    if not all(names) or len(set(names)) < len(names) or "mix" in names:
        refuse("--models", models, "'mix', or names of `jointcell models` separated by commas, each once")
    return names


def _interrupted(directory: Path) -> NoReturn:
    from controller.execution.record import FILE_NAME

    record = directory / FILE_NAME
    if record.is_file():
        complain(f"Interrupted; everything was brought to rest. The record ends here: {record}")
    else:
        complain("Interrupted before anything moved.")
    raise typer.Exit(INTERRUPTED)


def _guarded(action: Callable[[], object]) -> int:
    """Run the command line and turn what went wrong into one screen and an exit code."""
    try:
        action()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        from controller.explanation import explanation_of  # brings everything that can go wrong along

        if (explanation := explanation_of(error)) is None:
            raise
        complain(explanation)
        return USAGE
    return MET


def main() -> None:
    """Entry point of the command `jointcell`."""
    sys.exit(_guarded(app))


if __name__ == "__main__":
    main()
