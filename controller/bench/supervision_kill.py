"""A running shift that is killed again and again: what the journal knows against what the arms did.

A child process runs the shift at fast-forward and is killed (SIGKILL) at a random instant; the next one goes on. The
operator who answers the questions of the restarted cell reads what the drivers' witness wrote.
"""

import mmap
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from controller.bench.fast_cell import MODELS, FastCell, Found, cell, planner, warm
from controller.bench.row import Figure, Options, Row
from controller.bench.witness import FloatArray, Truth, Witness
from controller.supervision.archive import journal_files
from controller.supervision.journal import Journal
from controller.supervision.packml import State
from controller.supervision.production import UNLOAD
from controller.supervision.shift import DIAL, INDEX, JournalError, Shift

_ORDER = {MODELS[0]: 3, MODELS[1]: 3}
_LONGEST_S = 1.0  # of processor time until a child is killed: half of what a shift of this order takes
_POLL_S = 0.002
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_REPLAYED_EVERY = 25  # kills
_KILLS, _FEW_KILLS = 500, 8


@dataclass
class Killed:
    """What came of it.

    Attributes:
        kills: How often a child was killed.
        findings: What was wrong, in words.
        questions: How many questions the operator was asked.
        joints: Joints that were ordered; ``good`` of them the journal counts, ``left`` truly left.
    """

    kills: int = 0
    findings: list[str] = field(default_factory=list)
    questions: int = 0
    joints: int = 0
    good: int = 0
    left: int = 0


def rows(options: Options) -> Iterator[Row]:
    """The figures of the study."""
    warm()
    with TemporaryDirectory() as directory:
        result = killed_shift(Path(directory), _FEW_KILLS if options.quick else _KILLS, options.seed)
    for line in result.findings[:20]:
        print(line, file=sys.stderr)
    yield Figure(
        name=f"kill -9 at {result.kills} random instants of a shift: joints or operations that do not add up",
        value=len(result.findings),
        goal=0,
        must_hold=True,
        note=f"{result.joints} joints ordered, {result.good} counted good, {result.left} truly left; "
        f"{result.questions} questions were asked, integrity checked after every kill",
    )


def killed_shift(directory: Path, kills: int, seed: int) -> Killed:
    """Kill a shift so often, let its last order come to its end, and compare."""
    first = FastCell(directory / "warm")  # what can be planned once is, before there is any child
    first.order(lines=_ORDER)
    first.start_up()
    first.until(State.COMPLETE)
    first.end()
    rng = np.random.default_rng(seed)
    shared = np.frombuffer(mmap.mmap(-1, len(cell().arms) * 6 * 8), dtype=np.float64).reshape(-1, 6)
    shared[:] = [planner().park(arm.id) for arm in cell().arms]
    result = Killed()
    while result.kills < kills and not result.findings:
        _child(directory, shared, result, float(rng.uniform(0.0, _LONGEST_S)))
    if not result.findings:
        _child(directory, shared, result, None)
        _compare(directory, result, whole=True)
    return result


def _child(directory: Path, shared: FloatArray, result: Killed, kill_after_s: float | None) -> None:
    """One life of the controller, which may end early."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _live(directory, shared)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    ended, status = 0, 0
    while kill_after_s is not None and not ended and _processor_s(pid) < kill_after_s:
        time.sleep(_POLL_S)
        ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        if kill_after_s is not None:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        result.kills += 1
    elif os.WEXITSTATUS(status):
        result.findings.append(f"after {result.kills} kills the cell could not go on")
    _compare(directory, result, whole=result.kills % _REPLAYED_EVERY == 0)


def _processor_s(pid: int) -> float:
    """Processor time of a process: it does not depend on how busy the machine is."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _live(directory: Path, shared: FloatArray) -> None:
    truth, witness = Truth(directory / "witness"), Witness(directory / "witness", shared)
    start = {arm.id: shared[number].copy() for number, arm in enumerate(cell().arms)}
    fast = FastCell(directory, start=start, witness=witness)

    def found(serial: str, number: str) -> Found:
        turned = truth.times[DIAL, INDEX] > fast.shift.indices  # in which window the dial stands can be seen
        if turned if serial == DIAL else truth.done(serial, number):
            return "done"
        witness.undone(serial, number)
        return "not_done"

    fast.answer(found)
    if not fast.supervisor.production.wanted:
        fast.order(f"A{len(fast.shift.orders)}-{fast.shift.highest}", _ORDER)
    fast.start_up()
    fast.until(State.COMPLETE)


def _compare(directory: Path, result: Killed, *, whole: bool) -> None:
    """The journal that a dead controller left, against the truth."""
    files = journal_files(directory)
    if not files:
        return
    truth = Truth(directory / "witness")
    try:
        with Journal(files[-1]) as journal:
            journal.check()
            shift = journal.shift()
            if whole and journal.replay() != shift:
                result.findings.append("the journal does not replay to its snapshot")
    except JournalError as error:
        result.findings.append(str(error))
        return
    result.findings += list(_differences(shift, truth))
    result.questions += sum(len(joint.begun) for joint in shift.joints.values()) + (shift.dial == "turning")
    result.joints = shift.good + len(shift.joints)
    result.good, result.left = shift.good, len(truth.left)


def _differences(shift: Shift, truth: Truth) -> Iterator[str]:
    for (serial, number), times in truth.times.items():
        if serial != DIAL and times > 1:
            yield f"operation {number} of {serial} was done {times} times"
    for serial, times in truth.left.items():
        if times > 1:
            yield f"{serial} left {times} times"
    for (serial, number), what in truth.last.items():
        joint = shift.joints.get(serial)
        if serial == DIAL or what == "undone" or (joint is None and truth.left[serial]):
            continue
        if joint is None:
            yield f"{serial} is lost: operation {number} was {what}"
        elif number not in (*joint.begun, *joint.done, *joint.unknown):
            yield f"operation {number} of {serial} was {what}, and the journal does not know"
    for serial, joint in shift.joints.items():
        for number in joint.done:
            if not truth.done(serial, number):
                yield f"operation {number} of {serial} counts as done and is not"
        if truth.left[serial] and UNLOAD not in (*joint.begun, *joint.unknown):
            yield f"{serial} has left, and the journal does not know"
    gone = truth.left.keys() - shift.joints.keys()
    if shift.good != len(gone):
        yield f"{shift.good} joints are counted, {len(gone)} left"
    turned = truth.times[DIAL, INDEX]
    if shift.indices != turned and not (shift.indices == turned - 1 and shift.dial != "at_rest"):
        yield f"the dial stands in window {turned}, the journal says {shift.indices} ({shift.dial})"
