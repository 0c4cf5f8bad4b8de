"""`jointcell solve`: the scheduling core on a standard job-shop file."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from controller.console import INTERRUPTED, progress, refuse, show
from controller.outputs import check_writable, reserved_stdout, say

_LONGEST_S = 86_400.0
_MOST_THREADS = 64
_AXIS = 72  # characters of the time axis in the terminal


def solve(
    file: Annotated[Path, typer.Argument(help="Job shop (.jsp, .txt) or flexible job shop (.fjs).")],
    seconds: Annotated[float, typer.Option(help="Time limit of the search [s].")] = 10.0,
    threads: Annotated[
        int,
        typer.Option(min=0, max=_MOST_THREADS, help="Threads that search; 0: one for each core, at most 8."),
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of everything random.")] = 0,
    iterations: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2**40,
            help="Limit the moves instead of the time: same seed, same schedule, any machine.",
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Then as long again with CP-SAT for proof (extra `exact`).")
    ] = False,
    gantt: Annotated[
        Path | None, typer.Option(help="Draw the schedule into this .svg or .html file.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE|-", help="Write the schedule as JSON; '-' is standard output."),
    ] = None,
) -> None:
    """Schedule a standard job-shop file: makespan, lower bound, gap and a Gantt chart.

    Ctrl-C ends the search with the best schedule found so far and exit code 130.
    """
    if not 0.0 < seconds <= _LONGEST_S:  # also refuses NaN
        refuse("--seconds", seconds, f"a number above 0, at most {_LONGEST_S:g}")
    if gantt is not None and gantt.suffix.lower() not in (".svg", ".html"):
        refuse("--gantt", str(gantt), "a name that ends in .svg or .html")
    to_stdout = json is not None and str(json) == "-"
    for path, option in ((gantt, "--gantt"), (None if to_stdout else json, "--json")):
        if path is not None:
            check_writable(path, option)
    threads = threads or min(os.cpu_count() or 1, 8)
    cancel = threading.Event()
    with reserved_stdout():
        from controller.report.shop_gantt import shop_gantt, shop_page
        from controller.report.shop_table import shop_table
        from controller.scheduling.shop.exact import load_solver, prove
        from controller.scheduling.shop.read import read_shop
        from controller.scheduling.shop.solution_json import solution_json
        from controller.scheduling.shop.solve import solve as search
        from kinematics import use_cache

        shop = read_shop(file)
        if exact:
            load_solver()  # complain before the search, not after it
        use_cache()
        with progress() as bars:
            bars.step("compiling (only once)", 0, 1)
            with _cancelled_by_interrupts(cancel):
                solution = search(
                    shop.problem,
                    seed=seed,
                    threads=threads,
                    seconds=None if iterations else seconds,
                    iterations=iterations,
                    progress=lambda best, done, spent: bars.step(
                        "searching",
                        done if iterations else round(10 * spent),
                        iterations or round(10 * seconds),
                    ),
                    cancel=cancel,
                )
            schedule = solution.schedule
            if exact and not schedule.optimal and not cancel.is_set():
                bars.step("proving", 0, 1)
                schedule = prove(shop.problem, seconds=seconds, threads=threads, known=schedule) or schedule
        if gantt is not None:
            page = gantt.suffix.lower() == ".html"
            text = (
                shop_page(shop.problem, schedule, file.name) if page else shop_gantt(shop.problem, schedule)
            )
            gantt.write_text(text, encoding="utf-8")
        document = solution_json(shop, solution, schedule, seed=seed, threads=threads)
        if json is not None and not to_stdout:
            json.write_text(document, encoding="utf-8")
    if to_stdout:
        say(document)
    else:
        facts = {
            "file": f"{shop.kind}, {len(shop.problem.jobs)} jobs, {len(shop.problem.operations)} operations, "
            f"{len(shop.problem.resources)} machines counted from {shop.first_machine}",
            "search": f"{solution.iterations} moves in {solution.seconds:.1f} s, {threads} threads, seed {seed}",
        }
        show(shop_table(shop.problem, schedule, facts, _AXIS))
    if cancel.is_set():
        raise typer.Exit(INTERRUPTED)


@contextmanager
def _cancelled_by_interrupts(cancel: threading.Event) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM only sets the event; a second one ends the program as usual."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def interrupt(number: int, frame: FrameType | None) -> None:
        cancel.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
