"""Every sentence of `cells.driver` about stations holds for every driver."""

import itertools

import pytest

from cells.driver import StationCycle, StationResult, StopCategory
from tests.contract.conftest import CellBench

_ids = itertools.count(1)


def cycle(station: str, duration_s: float = 0.2) -> StationCycle:
    part = station.startswith("feeder_")
    return StationCycle(
        id=next(_ids),
        station=station,
        duration_s=duration_s,
        model="Pro-PR60-50-90" if part else "",
        serial="J1" if part else "",
    )


def results(stations_bench: CellBench, seconds: float) -> list[StationResult]:
    """Everything reported within a time."""
    found: list[StationResult] = []
    end = stations_bench.clock.now_ns + round(seconds * 1e9)
    while stations_bench.clock.now_ns < end:
        stations_bench.clock.advance()
        found += stations_bench.stations.read()
    return found


def test_a_cycle_takes_its_time_and_is_reported_once(stations_bench: CellBench) -> None:
    stations_bench.wait(0.1)
    now, order = stations_bench.clock.now_ns, cycle("feeder_cap", 0.5)
    stations_bench.stations.start(order)
    assert stations_bench.stations.read() == ()
    assert results(stations_bench, 0.45) == []
    (result,) = results(stations_bench, 0.2)
    assert (result.id, result.start_ns, result.verdict) == (order.id, now, "")
    assert (result.end_ns - now) * 1e-9 == pytest.approx(0.5, abs=1e-8)
    assert results(stations_bench, 1.0) == []


def test_unread_results_are_kept(stations_bench: CellBench) -> None:
    orders = [cycle("feeder_cap", 0.3), cycle("feeder_brake", 0.1)]
    for order in orders:
        stations_bench.stations.start(order)
    stations_bench.wait(1.0)
    assert [result.id for result in stations_bench.stations.read()] == [orders[1].id, orders[0].id]
    assert stations_bench.stations.read() == ()


def test_stations_work_side_by_side(stations_bench: CellBench) -> None:
    orders = [cycle(name, 0.3) for name in ("feeder_cap", "feeder_brake", "dial")]
    for order in orders:
        stations_bench.stations.start(order)
    found = results(stations_bench, 2.0)
    assert {result.id for result in found} == {order.id for order in orders}
    assert len({result.start_ns for result in found}) == 1


@pytest.mark.parametrize("station", ["feeder_cap", "dial"])
def test_a_busy_station_takes_no_second_cycle(stations_bench: CellBench, station: str) -> None:
    first, second = cycle(station, 0.4), cycle(station, 0.4)
    stations_bench.stations.start(first)
    with pytest.raises(
        ValueError, match=rf"^station {station}: cycle {second.id} while one is running, must be"
    ):
        stations_bench.stations.start(second)
    assert [result.id for result in results(stations_bench, 3.0)] == [first.id]


def test_a_station_is_free_again_after_its_cycle(stations_bench: CellBench) -> None:
    for _ in range(3):
        order = cycle("dial", 1.2)
        stations_bench.stations.start(order)
        assert [result.id for result in results(stations_bench, 1.5)] == [order.id]


@pytest.mark.parametrize("category", list(StopCategory))
def test_a_stop_ends_every_cycle_without_a_result(stations_bench: CellBench, category: StopCategory) -> None:
    for station in ("feeder_cap", "dial"):
        stations_bench.stations.start(cycle(station, 1.2))
    stations_bench.wait(0.4)
    stations_bench.stations.stop(category)
    assert results(stations_bench, 3.0) == []
    stations_bench.stations.stop(category)
    order = cycle("dial", 1.2)
    stations_bench.stations.start(order)  # idle again
    assert [result.id for result in results(stations_bench, 1.5)] == [order.id]
