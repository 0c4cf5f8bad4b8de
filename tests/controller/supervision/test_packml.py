import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from controller.supervision.packml import AT_REST, Command, Done, Mode, RefusedError, State, Unit, advance

# The state model of ISA-TR88.00.02 written down a second time, as the arrows of its diagram.
ARROWS = """
STOPPED RESET RESETTING; COMPLETE RESET RESETTING; RESETTING . IDLE; IDLE START STARTING; STARTING . EXECUTE;
EXECUTE HOLD HOLDING; HOLDING . HELD; HELD UNHOLD UNHOLDING; UNHOLDING . EXECUTE;
EXECUTE SUSPEND SUSPENDING; SUSPENDING . SUSPENDED; SUSPENDED UNSUSPEND UNSUSPENDING; UNSUSPENDING . EXECUTE;
EXECUTE . COMPLETING; EXECUTE COMPLETE COMPLETING; COMPLETING . COMPLETE; STOPPING . STOPPED; ABORTING . ABORTED;
ABORTED CLEAR CLEARING; CLEARING . STOPPED
"""
STOPPABLE = "IDLE STARTING EXECUTE HOLDING HELD UNHOLDING SUSPENDING SUSPENDED UNSUSPENDING RESETTING COMPLETING COMPLETE"
DIAGRAM = {tuple(arrow.split()[:2]): arrow.split()[2] for arrow in ARROWS.replace("\n", " ").split(";")}
DIAGRAM |= {(state, "STOP"): "STOPPING" for state in STOPPABLE.split()}
DIAGRAM |= {(s.name, "ABORT"): "ABORTING" for s in State if s.name not in ("ABORTING", "ABORTED")}


def name_of(event: Command | Done) -> str:
    return event.name if isinstance(event, Command) else "."


@pytest.mark.parametrize("event", [*Command, Done()], ids=name_of)
@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_every_arrow_of_the_diagram_and_no_other(state: State, event: Command | Done) -> None:
    unit = Unit(state=state)
    after = DIAGRAM.get((state.name, name_of(event)))
    if after is None:
        with pytest.raises(RefusedError):
            advance(unit, event)
    else:
        assert advance(unit, event) == Unit(state=State[after])


@given(st.sampled_from(State), st.sampled_from(Mode))
def test_allowed_is_what_is_accepted(state: State, mode: Mode) -> None:
    unit = Unit(state=state, mode=mode)
    for command in Command:
        if command in unit.allowed:
            advance(unit, command)
        else:
            with pytest.raises(RefusedError, match=f"{command.name} in state {state.name}"):
                advance(unit, command)


def test_a_refusal_lists_what_is_allowed() -> None:
    with pytest.raises(
        RefusedError, match=r"START in state STOPPED, mode PRODUCTION \(allowed: RESET, ABORT\)"
    ):
        advance(Unit(), Command.START)
    with pytest.raises(RefusedError, match="allowed: nothing but to wait"):
        advance(Unit(state=State.ABORTING), Command.STOP)


def test_modes_leave_commands_out() -> None:
    assert Command.SUSPEND not in Unit(state=State.EXECUTE, mode=Mode.MAINTENANCE).allowed
    assert Command.COMPLETE not in Unit(state=State.EXECUTE, mode=Mode.MAINTENANCE).allowed
    assert Command.START not in Unit(state=State.IDLE, mode=Mode.MANUAL).allowed


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_the_mode_changes_only_at_rest(state: State) -> None:
    if state in (State.STOPPED, State.IDLE):
        assert advance(Unit(state=state), Mode.MANUAL).mode is Mode.MANUAL
    else:
        with pytest.raises(RefusedError, match="allowed in: STOPPED, IDLE"):
            advance(Unit(state=state), Mode.MANUAL)


def test_stop_and_abort_end_at_rest_from_everywhere() -> None:
    for state in State:
        for command in (Command.STOP, Command.ABORT):
            unit = Unit(state=state)
            if command in unit.allowed:
                assert not advance(advance(unit, command), Done()).may_move


class Cell(RuleBasedStateMachine):
    """Whatever is asked in whatever order: motion begins only after start, and an abort only ends by clear and reset."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = Unit()

    @rule(event=st.sampled_from([*Command, *Mode, Done()]))
    def happen(self, event: Command | Mode | Done) -> None:
        before = self.unit
        try:
            self.unit = advance(before, event)
        except RefusedError:
            return
        if before.state in AT_REST and self.unit.may_move:
            assert event in (Command.START, Command.UNHOLD, Command.UNSUSPEND, Command.STOP, Command.ABORT)
        if before.state is State.ABORTED:
            assert self.unit.state is State.CLEARING

    @invariant()
    def there_is_always_a_way_on(self) -> None:
        assert self.unit.allowed or self.unit.state is State.ABORTING


TestCell = Cell.TestCase
