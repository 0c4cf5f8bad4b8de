"""Accounts of time: every nanosecond of every arm is in exactly one account, so that the sum can be checked. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType


class Account(StrEnum):
    """What an arm's time was spent on."""

    WORKING = "working"
    WAITING = "waiting"  # for an arm or a station of the cell, which the entry names
    STARVED = "starved"  # for parts from outside
    BLOCKED = "blocked"  # for room outside
    HOLD = "hold"
    FAULT = "fault"
    STOPPED = "stopped"  # there were orders, and somebody had stopped the cell or not started it
    UNPLANNED = "unplanned"  # nothing was asked of the cell


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """An account, and whom the arm waited for (empty but for `WAITING`, `STARVED` and `BLOCKED`)."""

    account: Account
    whom: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The accounts of one arm.

    Attributes:
        opened_ns: When it was opened.
        since_ns: Since when the present entry runs.
        entry: What the arm's time goes to at present.
        totals_ns: What has been booked before.
    """

    opened_ns: int
    since_ns: int
    entry: Entry
    totals_ns: Mapping[Entry, int]

    def at(self, now_ns: int) -> Mapping[Entry, int]:
        """All entries with the present one up to now; they sum to the time since the ledger was opened."""
        booked = dict(self.totals_ns)
        booked[self.entry] = booked.get(self.entry, 0) + now_ns - self.since_ns
        return MappingProxyType({entry: booked[entry] for entry in sorted(booked) if booked[entry]})


def opened(now_ns: int) -> Ledger:
    """A new ledger; nothing is asked of the arm yet."""
    return Ledger(
        opened_ns=now_ns, since_ns=now_ns, entry=Entry(Account.UNPLANNED), totals_ns=MappingProxyType({})
    )


def switched(ledger: Ledger, entry: Entry, now_ns: int) -> Ledger:
    """From now on the arm's time goes to another entry.

    Raises:
        ValueError: When the time lies before the last change: time would be counted twice.
    """
    if now_ns < ledger.since_ns:
        raise ValueError(f"time {now_ns} ns lies before the last change at {ledger.since_ns} ns")
    if entry == ledger.entry:
        return ledger
    return replace(ledger, since_ns=now_ns, entry=entry, totals_ns=ledger.at(now_ns))


def unaccounted_ns(ledgers: Iterable[Ledger], now_ns: int) -> int:
    """Time that is in no account or in two, over all arms; 0 unless something is wrong."""
    return sum(abs(now_ns - ledger.opened_ns - sum(ledger.at(now_ns).values())) for ledger in ledgers)
