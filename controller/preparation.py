"""Finding out, in a process of its own, what a cell does: its plan, and who does what when an arm is lost.

It takes half a minute and more of a processor, so it must not keep a running cell from anything. What is found is kept from
one run to the next, see `controller.choice`. First comes a plan that is found quickly, unless a good one is kept.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from cells.cell import Cell, load_cell
from cells.joint_model import JointModel, load_joint_model
from controller.choice import Choice, KeptChoice
from controller.motion.plan import MotionPlanner
from controller.planning import decide
from controller.rearranging import Arrangements, NoArrangementError, quick_choice
from controller.scheduling.mix import Mix
from kinematics.jit import keep_in

_WHOLE: frozenset[str] = frozenset()
_ENDS_S = 2.0
_BEHIND_THE_CELL = 10  # nice


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """``quick``: a better one follows."""

    missing: frozenset[str]
    choice: Choice
    quick: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    missing: frozenset[str]
    reason: str


_Message = _Progress | _Found | _Refused | Mix


class Preparation:
    """The process, and what it has found so far; a context manager.

    Args:
        source: Name or path of the cell.
        models: The joint models.
        cache: Directory in which what is found is kept.
        arrangements: What it finds is put into.

    Attributes:
        arrangements: The same.
    """

    def __init__(
        self, source: str, models: Sequence[JointModel], cache: Path, arrangements: Arrangements
    ) -> None:
        self.arrangements = arrangements
        self._doing = "what it can do"
        self._asked: set[frozenset[str]] = set()
        self._failure = ""
        context = multiprocessing.get_context(
            "spawn"
        )  # nothing of this program's threads or engines goes along
        self._connection, self._other_end = context.Pipe()
        self._process = context.Process(
            target=_work,
            args=(self._other_end, source, tuple(model.name for model in models), cache),
            name="jointcell preparation",
            daemon=True,
        )
        self._reader = threading.Thread(target=self._read, name="preparation", daemon=True)

    def __enter__(self) -> Self:
        """Start it."""
        self._process.start()
        self._other_end.close()
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, whatever it does."""
        self._process.terminate()
        self._process.join(_ENDS_S)
        self._reader.join(_ENDS_S)
        self._connection.close()

    @property
    def words(self) -> str:
        """What is being found out; empty when all is known."""
        doing = f"finding out: {self._doing}" if self._doing else ""
        return self._failure or doing or self.arrangements.waits_for_better

    def unknown(self, missing: frozenset[str]) -> str:
        """Why it is not known (yet) what the cell does without some of its arms; empty when it is.

        What nobody has thought of so far, several arms missing, is found out next.
        """
        if self.arrangements.known(missing):
            return ""
        if self._failure:
            return self._failure
        if len(missing) > 1 and missing not in self._asked:
            self._asked.add(missing)
            with contextlib.suppress(OSError):  # it has ended; whoever reads says so
                self._connection.send(missing)
        whom = f"what the cell does without {', '.join(sorted(missing))}" if missing else "the plan"
        return f"{whom} is still being found out ({self._doing or 'next'}), try again soon"

    def _read(self) -> None:
        try:
            while True:
                self._take(self._connection.recv())
        except (EOFError, OSError):
            self._failure = self._failure or "what finds plans has ended"
            if not self.arrangements.known(_WHOLE):
                self.arrangements.refuse(_WHOLE, self._failure)

    def _take(self, message: _Message) -> None:
        match message:
            case _Progress():
                self._doing = message.text
            case _Found():
                self.arrangements.put(message.missing, message.choice, quick=message.quick)
            case _Refused():
                if not message.missing:
                    self._failure = message.reason
                self.arrangements.refuse(message.missing, message.reason)
            case Mix():
                self.arrangements.put_mix(message)


def _work(connection: Connection, source: str, names: Sequence[str], cache: Path) -> None:
    """The process: everything in the order in which it will be wanted, then what is asked for."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the process that started this one, which ends it
    keep_in(str(cache))  # where the kernels of the process that started this one are
    cell, models = load_cell(source), tuple(load_joint_model(name) for name in names)
    planner = MotionPlanner(cell)

    def tell(what: str, done: int, of: int) -> None:
        connection.send(_Progress(text=f"{what}, {100 * done // max(of, 1)} %" if done else what))

    try:
        choice = _plan(connection, cell, models, planner, cache, tell)
    except Exception as error:
        connection.send(_Refused(missing=_WHOLE, reason=str(error) or type(error).__name__))
        return
    os.nice(_BEHIND_THE_CELL)
    arrangements = Arrangements(planner, models, choice)
    connection.send(arrangements.prepare(lambda done, of: tell("who can do what", done, of)))
    wanted = [frozenset({arm.id}) for arm in cell.arms]
    for number, missing in enumerate(wanted):
        tell(f"what to do without {min(missing)}", number, len(wanted))
        connection.send(_without(cell, models, arrangements, missing, cache))
    connection.send(_Progress(text=""))
    while True:
        try:
            missing = connection.recv()
        except EOFError:
            return
        connection.send(_without(cell, models, arrangements, missing, cache))


def _plan(
    connection: Connection,
    cell: Cell,
    models: Sequence[JointModel],
    planner: MotionPlanner,
    cache: Path,
    tell: Callable[[str, int, int], None],
) -> Choice:
    """The plan of the whole cell; when it is not kept, one that is found quickly goes before it."""
    if KeptChoice(cache, cell, models).read() is None:
        tell("a first plan", 0, 1)
        quick = quick_choice(MotionPlanner(cell), models)
        if quick is not None:
            connection.send(_Found(missing=_WHOLE, choice=quick, quick=True))
    choice = decide(planner, models, tell, cache)
    connection.send(_Found(missing=_WHOLE, choice=choice))
    return choice


def _without(
    cell: Cell,
    models: Sequence[JointModel],
    arrangements: Arrangements,
    missing: frozenset[str],
    cache: Path,
) -> _Message:
    kept = KeptChoice(cache, cell, models, missing)
    choice = kept.read()
    try:
        if choice is None:
            choice = arrangements.choice(missing)
            kept.write(choice)
    except NoArrangementError as error:
        return _Refused(missing=missing, reason=str(error))
    return _Found(missing=missing, choice=choice)
