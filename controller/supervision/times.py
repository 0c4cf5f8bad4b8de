"""Where the time of the cell and of every arm goes: ledgers that are open now, on top of what the journal holds."""

from collections.abc import Iterable, Mapping

from controller.supervision.accounts import Account, Entry, Ledger, opened, switched, unaccounted_ns
from controller.supervision.oee import Effectiveness
from controller.supervision.shift import CELL, Shift, TimesBooked

_S = 1e-9


class Times:
    """Ledgers of the cell (`CELL`) and its arms from one moment on."""

    def __init__(self, arms: Iterable[str], now_ns: int) -> None:
        self._ledgers: dict[str, Ledger] = {name: opened(now_ns) for name in (CELL, *arms)}
        self._booked: dict[str, Mapping[Entry, int]] = {name: {} for name in self._ledgers}

    def entry(self, name: str) -> Entry:
        """What the time of an arm goes to at present."""
        return self._ledgers[name].entry

    def spent_ns(self, name: str, account: Account, now_ns: int) -> int:
        """How much of its time has gone to an account so far, for whomever."""
        return sum(ns for entry, ns in self._ledgers[name].at(now_ns).items() if entry.account is account)

    def switch(self, name: str, entry: Entry, now_ns: int) -> None:
        """From now on it goes there."""
        self._ledgers[name] = switched(self._ledgers[name], entry, now_ns)

    def unbooked(self, now_ns: int) -> TimesBooked:
        """The event that books everything since the last booking."""
        return TimesBooked(
            accounts_ns={
                name: {
                    _name(entry): spent - self._booked[name].get(entry, 0)
                    for entry, spent in ledger.at(now_ns).items()
                    if spent > self._booked[name].get(entry, 0)
                }
                for name, ledger in self._ledgers.items()
            }
        )

    def booked(self, now_ns: int) -> None:
        """What `unbooked` said has been booked."""
        self._booked = {name: ledger.at(now_ns) for name, ledger in self._ledgers.items()}

    def unaccounted_ns(self, now_ns: int) -> int:
        """Time in no account or in two; 0 unless something is wrong."""
        return unaccounted_ns(self._ledgers.values(), now_ns)


def _name(entry: Entry) -> str:
    return f"{entry.account} {entry.whom}".rstrip()


def effectiveness(shift: Shift, ideal_cycle_s: float) -> Effectiveness:
    """The key figures that follow from what a journal holds."""
    by_account: dict[str, int] = {}
    for name, spent in shift.times_ns.get(CELL, {}).items():
        account = name.split()[0]
        by_account[account] = by_account.get(account, 0) + spent
    busy = sum(by_account.values()) - by_account.get(Account.UNPLANNED, 0)
    return Effectiveness(
        planned_busy_s=busy * _S,
        production_s=by_account.get(Account.WORKING, 0) * _S,
        ideal_cycle_s=ideal_cycle_s,
        produced=shift.good + shift.rejected,
        good=shift.good,
    )
