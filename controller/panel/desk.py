"""Where a request from the outside becomes a request to the cell: who may, who is in control, the answer, the audit.

Stop and abort are never held up: they need no control, no other request can take their threads, and a failing audit does
not keep them back.
"""

import asyncio
import dataclasses
import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from controller.panel.audit import Audit
from controller.panel.control import Control
from controller.panel.events import EventLog
from controller.panel.problems import ProblemError
from controller.panel.sessions import Identity
from controller.supervision.metrics import PanelMetrics
from controller.supervision.packml import Command
from controller.supervision.requests import Answer, GiveCommand, Jog, Request
from controller.supervision.view import CellService

STOPPING = frozenset({Command.STOP, Command.ABORT})
_THREADS = 8
_REMEMBERED = 256
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_JOG_NS = 250_000_000  # a jog that is not renewed for so long ends


class Desk:
    """Asks the cell on behalf of somebody.

    Args:
        cell: The cell.
        control: Who is in control.
        audit: Where everything asked for is written down.
        metrics: Counts and times.
        events: Where commands are told.
        now_ns: Time of day (UTC).
        answer_s: How long to wait for the cell's decision.
    """

    def __init__(
        self,
        cell: CellService,
        control: Control,
        audit: Audit,
        metrics: PanelMetrics,
        events: EventLog,
        now_ns: Callable[[], int],
        answer_s: float,
    ) -> None:
        self._cell = cell
        self._control = control
        self._audit = audit
        self._metrics = metrics
        self._events = events
        self._now_ns = now_ns
        self._answer_s = answer_s
        self._threads = ThreadPoolExecutor(_THREADS, "panel-ask")
        self._stop_threads = ThreadPoolExecutor(_THREADS, "panel-stop")
        self._answers: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._jogs: dict[str, asyncio.TimerHandle] = {}
        self._let_go: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED)  # whose, which press of a button

    def close(self) -> None:
        """End the threads; a jog that is under way ends with the panel."""
        for timer in self._jogs.values():
            timer.cancel()
        for threads in (self._threads, self._stop_threads):
            threads.shutdown(wait=False, cancel_futures=True)

    async def ask(self, request: Request, who: Identity, address: str, *, once: str = "") -> Answer:
        """Ask and wait for the decision.

        Args:
            request: What is asked.
            who: On whose behalf; the role has been checked.
            address: Where it came from, for the audit.
            once: A name given by the client: the same name again gets the same answer and asks nothing.

        Raises:
            ProblemError: 409 when somebody else is in control or the cell refuses, 504 when it does not answer.
        """
        key = (who.key, once)
        if once and key in self._answers:
            return self._answers[key]
        stopping = isinstance(request, GiveCommand) and request.command in STOPPING
        if not stopping:
            self._need_control(who, address)
        began = time.perf_counter()
        threads = self._stop_threads if stopping else self._threads
        try:
            answer = await asyncio.get_running_loop().run_in_executor(
                threads, self._cell.ask, request, who.name, self._answer_s
            )
        except TimeoutError:
            self._note(request, who, address, "not confirmed")
            raise ProblemError(
                504, "not confirmed: the cell has not answered; it may still act on this"
            ) from None
        self._metrics.answered(time.perf_counter() - began, stopping)
        self._note(request, who, address, "accepted" if answer.accepted else f"refused: {answer.reason}")
        if not answer.accepted:
            raise ProblemError(
                409,
                answer.reason,
                state=self._cell.view.state.name,
                allowed=[command.name.lower() for command in answer.allowed],
            )
        if once:
            self._answers[key] = answer
            while len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        return answer

    async def jog(self, request: Jog, who: Identity, address: str, *, press: str = "") -> Answer:
        """Hold-to-run: turns for at most 250 ms unless asked again. Only the beginning and the end are in the audit.

        Args:
            request: What is asked.
            who: On whose behalf.
            address: Where it came from.
            press: Name of one press of a button. After its share of 0, signs of life of it that were overtaken on the
                way are refused, so that nothing turns after letting go.

        Raises:
            ProblemError: As `ask` does.
        """
        self._need_control(who, address)
        if press and request.share == 0.0:
            self._let_go.append((who.key, press))
        elif press and (who.key, press) in self._let_go:
            raise ProblemError(409, "the button was let go", state=self._cell.view.state.name)
        loop = asyncio.get_running_loop()
        timer = self._jogs.pop(request.arm, None)
        if timer is not None:
            timer.cancel()
        if timer is None or request.share == 0.0:
            answer = await self.ask(request, who, address)
        else:
            try:
                answer = await loop.run_in_executor(
                    self._threads, self._cell.ask, request, who.name, self._answer_s
                )
            except TimeoutError:
                raise ProblemError(504, "not confirmed: the cell has not answered") from None
            if not answer.accepted:
                raise ProblemError(409, answer.reason, state=self._cell.view.state.name)
        if request.share != 0.0:
            halt = dataclasses.replace(request, share=0.0)
            self._jogs[request.arm] = loop.call_later(
                _JOG_NS * 1e-9, lambda: loop.create_task(self._halt(halt, who, address))
            )
        return answer

    async def _halt(self, halt: Jog, who: Identity, address: str) -> None:
        self._jogs.pop(halt.arm, None)
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._stop_threads, self._cell.ask, halt, who.name, self._answer_s)
            outcome = "no sign of life from the page for 250 ms: stopped"
        except TimeoutError:
            outcome = "no sign of life from the page; stop not confirmed"
        self._audit.write(who, address, "Jog", _facts(halt), outcome)

    def _need_control(self, who: Identity, address: str) -> None:
        """Take control when nobody has it, refuse when somebody else does."""
        if self._control.is_held_by(who):
            return
        holder = self._control.holder
        if holder is not None:
            raise ProblemError(
                409,
                f"{holder.name} is in control (allowed: stop, abort, or take over first)",
                state=self._cell.view.state.name,
                control=holder.name,
            )
        self._control.take(who)
        self._audit.write(who, address, "control", {}, "taken: nobody had it")

    def _note(self, request: Request, who: Identity, address: str, outcome: str) -> None:
        action = type(request).__name__
        facts = _facts(request)
        self._audit.write(who, address, action, facts, outcome)
        words = ", ".join(str(value) for value in facts.values())
        self._events.tell(
            "command",
            self._now_ns() // 1_000_000,
            f"{who.name}: {_WORDS.sub(' ', action).lower()} {words}: {outcome}",
            {"by": who.name, "action": action, "outcome": outcome},
        )


def _facts(request: Request) -> dict[str, object]:
    facts = {}
    for name in request.__dataclass_fields__:
        value = getattr(request, name)
        facts[name] = value.name if isinstance(value, Command) else value
    return facts
