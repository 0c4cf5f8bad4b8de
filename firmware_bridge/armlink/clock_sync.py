"""The device's clock seen from the host: offset and drift from exchanged time stamps.

A round trip bounds the moment at which the device read its clock; the shorter the trip, the tighter. A line is
fitted through the best quarter of the trips of the last half minute, so that one that was held up anywhere does not count
(after NTP's clock filter, Mills 1991, "Internet time synchronization", IEEE Trans. Communications 39).
"""

from collections import deque
from dataclasses import dataclass

_KEPT_NS = 30_000_000_000
_BEST = 4  # the best quarter of the trips counts, and never fewer than so many
_LEAST_SPAN_NS = 5_000_000_000  # below, the drift can't be told from the jitter
_WRAP = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    host_ns: int
    device_us: int
    trip_ns: int


class ClockSync:
    """Maps between host time [ns] and the device's 32-bit counter [us].

    Attributes:
        drift_ppm: How much faster the device's clock runs than the host's.
        round_trip_ns: Shortest round trip of the samples kept.
    """

    def __init__(self) -> None:
        self.drift_ppm = 0.0
        self.round_trip_ns = 0
        self._samples: deque[_Sample] = deque()
        self._host_ns = 0  # the fit goes through this point
        self._device_ns = 0.0

    @property
    def synced(self) -> bool:
        """Whether there is anything to map with."""
        return bool(self._samples)

    def add(self, sent_ns: int, received_ns: int, t_rx_us: int, t_tx_us: int) -> None:
        """Take in one exchange: host times of question and answer, device times of arrival and sending."""
        inside_us = (t_tx_us - t_rx_us) % _WRAP
        trip_ns = received_ns - sent_ns - inside_us * 1000
        if trip_ns < 0:
            return  # the stamps contradict each other
        last_us = self._samples[-1].device_us if self._samples else t_rx_us
        device_us = last_us + _signed(t_rx_us + inside_us // 2 - last_us)
        middle_ns = (sent_ns + received_ns) // 2
        self._samples.append(_Sample(host_ns=middle_ns, device_us=device_us, trip_ns=trip_ns))
        while received_ns - self._samples[0].host_ns > _KEPT_NS:
            self._samples.popleft()
        self._fit()

    def to_host_ns(self, device_us: int) -> int:
        """Host time of a reading of the device's counter, at most half a wrap (36 minutes) away."""
        away_ns = self._away_us(device_us) * 1000.0 - self._fraction_ns
        return self._host_ns + round(away_ns / self._rate)

    def to_device_us(self, host_ns: int) -> int:
        """Reading of the device's counter at a host time."""
        return round((self._device_ns + (host_ns - self._host_ns) * self._rate) / 1000.0) % _WRAP

    @property
    def _rate(self) -> float:
        return 1.0 + self.drift_ppm * 1e-6

    @property
    def _fraction_ns(self) -> float:
        return self._device_ns - round(self._device_ns / 1000.0) * 1000.0

    def _away_us(self, device_us: int) -> int:
        return _signed(device_us - round(self._device_ns / 1000.0))

    def _fit(self) -> None:
        self.round_trip_ns = min(sample.trip_ns for sample in self._samples)
        trips = sorted(sample.trip_ns for sample in self._samples)
        limit = trips[min(len(trips) - 1, max(_BEST, len(trips) // _BEST))]
        good = [sample for sample in self._samples if sample.trip_ns <= limit]
        host0, device0 = good[0].host_ns, good[0].device_us
        hosts = [sample.host_ns - host0 for sample in good]
        offsets = [
            (sample.device_us - device0) * 1000 - host for sample, host in zip(good, hosts, strict=True)
        ]
        mean_host, mean_offset = sum(hosts) / len(good), sum(offsets) / len(good)
        slope = 0.0
        if hosts[-1] >= _LEAST_SPAN_NS:
            spread = sum((host - mean_host) ** 2 for host in hosts)
            pairs = zip(hosts, offsets, strict=True)
            slope = sum((host - mean_host) * offset for host, offset in pairs) / spread
        self.drift_ppm = slope * 1e6
        self._host_ns = host0 + round(mean_host)
        self._device_ns = device0 * 1000 + mean_offset + round(mean_host)


def _signed(difference_us: int) -> int:
    """The shorter way round a counter of 32 bits."""
    return (difference_us + _WRAP // 2) % _WRAP - _WRAP // 2
