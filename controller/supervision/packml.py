"""States, modes and commands of the cell by PackML (ISA-TR88.00.02), as a pure state machine.

Numbers are those of OPC 30050. Every command here is a process command, never a safety function. Acting states (those that
end in -ing, and Execute) leave by themselves when their work is done: the event `Done`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType


class State(IntEnum):
    """The 17 states."""

    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    STOPPING = 7
    ABORTING = 8
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    SUSPENDING = 13
    UNSUSPENDING = 14
    RESETTING = 15
    COMPLETING = 16
    COMPLETE = 17


class Command(IntEnum):
    """What may be asked of the cell; hold has a cause inside the cell, suspend one outside (starved, blocked)."""

    RESET = 1
    START = 2
    STOP = 3
    HOLD = 4
    UNHOLD = 5
    SUSPEND = 6
    UNSUSPEND = 7
    ABORT = 8
    CLEAR = 9
    COMPLETE = 10


class Mode(IntEnum):
    """Production finishes orders; maintenance runs and jogs slowly; in manual mode nothing runs by itself."""

    PRODUCTION = 1
    MAINTENANCE = 2
    MANUAL = 3


# States in which nothing may move. Clear and reset are among them: neither may start motion (ISO 10218-1).
AT_REST = frozenset(
    {
        State.STOPPED,
        State.IDLE,
        State.SUSPENDED,
        State.HELD,
        State.COMPLETE,
        State.ABORTED,
        State.CLEARING,
        State.RESETTING,
    }
)

_DONE: Mapping[State, State] = MappingProxyType(
    {
        State.CLEARING: State.STOPPED,
        State.STARTING: State.EXECUTE,
        State.EXECUTE: State.COMPLETING,
        State.STOPPING: State.STOPPED,
        State.ABORTING: State.ABORTED,
        State.HOLDING: State.HELD,
        State.UNHOLDING: State.EXECUTE,
        State.SUSPENDING: State.SUSPENDED,
        State.UNSUSPENDING: State.EXECUTE,
        State.RESETTING: State.IDLE,
        State.COMPLETING: State.COMPLETE,
    }
)

_ABORT_FAMILY = frozenset({State.ABORTING, State.ABORTED, State.CLEARING})
_COMMANDED: Mapping[Command, tuple[frozenset[State], State]] = MappingProxyType(
    {
        Command.RESET: (frozenset({State.STOPPED, State.COMPLETE}), State.RESETTING),
        Command.START: (frozenset({State.IDLE}), State.STARTING),
        Command.STOP: (frozenset(State) - _ABORT_FAMILY - {State.STOPPED, State.STOPPING}, State.STOPPING),
        Command.HOLD: (frozenset({State.EXECUTE}), State.HOLDING),
        Command.UNHOLD: (frozenset({State.HELD}), State.UNHOLDING),
        Command.SUSPEND: (frozenset({State.EXECUTE}), State.SUSPENDING),
        Command.UNSUSPEND: (frozenset({State.SUSPENDED}), State.UNSUSPENDING),
        Command.ABORT: (frozenset(State) - {State.ABORTING, State.ABORTED}, State.ABORTING),
        Command.CLEAR: (frozenset({State.ABORTED}), State.CLEARING),
        Command.COMPLETE: (frozenset({State.EXECUTE}), State.COMPLETING),
    }
)
# Commands that a mode does not know (OPC 30050, 4.2.4: no suspend and no complete in maintenance).
_WITHOUT: Mapping[Mode, frozenset[Command]] = MappingProxyType(
    {
        Mode.PRODUCTION: frozenset(),
        Mode.MAINTENANCE: frozenset({Command.SUSPEND, Command.UNSUSPEND, Command.COMPLETE}),
        Mode.MANUAL: frozenset({Command.START}),
    }
)
_MODE_CHANGES_IN = frozenset({State.STOPPED, State.IDLE})


class RefusedError(Exception):
    """A command or a change of mode that does not fit; says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """State and mode of the cell."""

    state: State = State.STOPPED
    mode: Mode = Mode.PRODUCTION

    @property
    def allowed(self) -> tuple[Command, ...]:
        """Commands that would be accepted now, in the order of their numbers."""
        return tuple(
            command
            for command, (states, _) in _COMMANDED.items()
            if self.state in states and command not in _WITHOUT[self.mode]
        )

    @property
    def may_move(self) -> bool:
        """Whether anything in the cell may move."""
        return self.state not in AT_REST


@dataclass(frozen=True, slots=True)
class Done:
    """The work of an acting state is done."""


Event = Command | Mode | Done


def advance(unit: Unit, event: Event) -> Unit:
    """The unit after an event.

    Raises:
        RefusedError: When the command or mode does not fit the state, or a state without work is said to be done.
    """
    if isinstance(event, Command):
        if event not in unit.allowed:
            allowed = ", ".join(command.name for command in unit.allowed) or "nothing but to wait"
            raise RefusedError(
                f"{event.name} in state {unit.state.name}, mode {unit.mode.name} (allowed: {allowed})"
            )
        return replace(unit, state=_COMMANDED[event][1])
    if isinstance(event, Mode):
        if unit.state not in _MODE_CHANGES_IN:
            states = ", ".join(state.name for state in sorted(_MODE_CHANGES_IN))
            raise RefusedError(f"mode {event.name} in state {unit.state.name} (allowed in: {states})")
        return replace(unit, mode=event)
    if unit.state not in _DONE:
        raise RefusedError(f"state {unit.state.name} has no work that could be done")
    return replace(unit, state=_DONE[unit.state])
