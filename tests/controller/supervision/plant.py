"""What tests of a supervised cell do with it and ask of it, in a few words."""

from controller.supervision.packml import State

SOME_ROUNDS = 130  # in the middle of things


def kinds(plant):
    return {key.kind for key, alarm in plant.supervisor.annunciator.alarms.by_key.items() if alarm.active}


def events(plant, kind):
    return [entry.event for entry in plant.archive.journal.read() if entry.event.kind == kind]


def finish(plant, good=4):
    plant.until(State.COMPLETE)
    assert (plant.shift.good, plant.shift.rejected, dict(plant.shift.joints)) == (good, 0, {})
    plant.archive.journal.check()
    plant.supervisor.book_times()
    plant.supervisor.book.commit()
    assert plant.archive.journal.replay() == plant.shift
    done = [(event.serial, event.operation) for event in events(plant, "operation_ended")]
    assert len(done) == len(set(done))
    assert plant.supervisor.times.unaccounted_ns(plant.clock.now_ns) == 0


def executing(plant, rounds=SOME_ROUNDS):
    plant.order()
    plant.start_up()
    plant.rounds(rounds)


def answered(plant, found="not_done"):
    plant.answer(lambda serial, number: found)
