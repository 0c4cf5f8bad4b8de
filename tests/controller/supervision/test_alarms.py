import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.supervision.alarms import (
    LONGEST_SHELF_NS,
    Acknowledged,
    AlarmError,
    Alarms,
    Key,
    Raised,
    Returned,
    Shelved,
    advance,
    alarm_kinds,
)

LOST, LATE, POOR = Key("arm_lost", "R3"), Key("late", "R4"), Key("link_poor", "R3")
EMPTY = Key("feeder_empty", "F2")


def after(*events):
    alarms = Alarms()
    for event in events:
        alarms = advance(alarms, event)
    return alarms


def raised(key, time_ns=0):
    return Raised(time_ns=time_ns, key=key)


def returned(key, time_ns=1):
    return Returned(time_ns=time_ns, key=key)


def seen(key, time_ns=1):
    return Acknowledged(time_ns=time_ns, key=key, by="ann")


@pytest.mark.parametrize("name", alarm_kinds())
def test_every_kind_asks_for_something(name):
    kind = alarm_kinds()[name]
    assert 1 <= kind.priority <= 4
    assert kind.text.endswith(".")
    assert kind.remedy.endswith(".")
    assert kind.consequence_of <= alarm_kinds().keys() - {name}


@pytest.mark.parametrize(
    ("events", "there"),
    [
        ([raised(EMPTY)], True),
        ([raised(EMPTY), seen(EMPTY)], True),
        ([raised(EMPTY), returned(EMPTY)], True),
        ([raised(EMPTY), seen(EMPTY), returned(EMPTY)], False),
        ([raised(EMPTY), returned(EMPTY), seen(EMPTY)], False),
    ],
)
def test_an_alarm_goes_when_it_was_seen_and_its_condition_has_gone(events, there):
    assert (EMPTY in after(*events).by_key) == there


def test_an_alarm_raised_again_is_counted_and_asks_again():
    alarm = after(raised(EMPTY), raised(EMPTY, 5)).by_key[EMPTY]
    assert (alarm.times, alarm.raised_ns) == (2, 0)
    again = after(raised(EMPTY), returned(EMPTY), raised(EMPTY, 7)).by_key[EMPTY]
    assert (again.times, again.raised_ns, again.active) == (2, 7, True)


def test_a_storm_shows_as_its_cause():
    alarms = after(raised(LOST), raised(LATE, 1), raised(POOR, 2))
    assert [alarm.key for alarm in alarms.shown(3)] == [LOST]
    assert [alarm.key for alarm in alarms.under(LOST)] == [LATE, POOR]
    assert all(alarm.acknowledged for alarm in advance(alarms, seen(LOST)).by_key.values())


def test_a_consequence_that_outlives_its_cause_stands_for_itself():
    alarms = after(raised(LOST), raised(LATE, 1), returned(LOST, 2), seen(LOST, 3))
    assert [alarm.key for alarm in alarms.shown(4)] == [LATE]


def test_what_came_before_its_cause_stays_where_it_is():
    assert {alarm.key for alarm in after(raised(LATE), raised(LOST, 1)).shown(2)} == {LATE, LOST}


def test_first_out_is_the_first_since_all_was_well():
    alarms = after(raised(EMPTY), raised(LOST, 1))
    assert [alarms.by_key[key].first_out for key in (EMPTY, LOST)] == [True, False]
    assert after(raised(EMPTY), returned(EMPTY), raised(LOST, 2)).by_key[LOST].first_out


def test_unacknowledged_come_first_then_priority_then_age():
    keys = [Key("late", "R1"), Key("joint_rejected", "cell"), EMPTY, LOST]
    alarms = after(*(raised(key, time) for time, key in enumerate(keys)), seen(LOST, 9))
    assert [alarm.key for alarm in alarms.shown(9)] == [EMPTY, keys[0], keys[1], LOST]


def test_shelving_hides_for_a_time():
    alarms = after(raised(EMPTY), Shelved(time_ns=1, key=EMPTY, by="ann", until_ns=100))
    assert alarms.shown(99) == ()
    assert [alarm.key for alarm in alarms.shown(100)] == [EMPTY]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            Shelved(time_ns=0, key=LOST, by="ann", until_ns=9),
            r"has priority 1 and cannot be shelved \(allowed: 2 to 4\)",
        ),
        (Shelved(time_ns=0, key=EMPTY, by="ann", until_ns=LONGEST_SHELF_NS + 1), "allowed: at most 8 h"),
        (seen(Key("late", "R9")), "late of R9 is not there"),
        (raised(Key("fire", "cell")), "'fire' .allowed: arm_fault"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(event, message):
    with pytest.raises(AlarmError, match=message):
        after(raised(LOST), raised(EMPTY), event)


KEYS = st.sampled_from([LOST, LATE, POOR, EMPTY])


@given(st.lists(st.tuples(KEYS, st.sampled_from(["raise", "return", "see"]))))
def test_no_active_alarm_is_ever_lost(steps):
    alarms, active = Alarms(), set()
    for time, (key, what) in enumerate(steps):
        if what == "raise":
            alarms, active = advance(alarms, raised(key, time)), active | {key}
        elif what == "return":
            alarms, active = advance(alarms, returned(key, time)), active - {key}
        elif key in alarms.by_key:
            alarms = advance(alarms, seen(key, time))
        assert {alarm.key for alarm in alarms.by_key.values() if alarm.active} == active
        reachable = {a.key for shown in alarms.shown(time) for a in (shown, *alarms.under(shown.key))}
        assert reachable == alarms.by_key.keys()
