"""How a link is: counts, and the likely cause of trouble in words. A pure view; nothing here reads a clock or a port."""

from dataclasses import dataclass

_BAD_SHARE = 0.005  # of frames: above, a line is worth a word
_USELESS_SHARE = 0.3
_SLOW_TRIP_NS = 30_000_000
_SILENT_NS = 300_000_000
_DRIFT_PPM = 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkHealth:
    """One look at a link; counts are since the session was opened.

    Attributes:
        connected: The port is open.
        identified: The right arm has answered, and a session is open.
        refusal: Why it was refused, in words; empty when it was not.
        round_trip_ns: Smoothed time from a frame to its acknowledgement.
        shortest_trip_ns: Shortest exchange of time stamps in the last half minute.
        drift_ppm: How much faster the device's clock runs.
        frames_sent: Reliable frames.
        retransmits: Reliable frames sent again.
        frames_received: Good frames from the device.
        bad_here: Frames from the device that were no frames any more.
        recent_bad_share: Their share in the last second.
        bad_there: The same, counted by the device.
        overruns: Bytes the device's receiver lost.
        lead_ns: Motion buffered on the device.
        lead_least_ns: Least motion buffered while a move was unfinished; negative when there was none.
        starved: Holds for want of motion, counted by the device.
        silent_ns: Since the last good frame.
        boot_id: Of the device's start; 0 before the first contact.
    """

    connected: bool = False
    identified: bool = False
    refusal: str = ""
    round_trip_ns: int = 0
    shortest_trip_ns: int = 0
    drift_ppm: float = 0.0
    frames_sent: int = 0
    retransmits: int = 0
    frames_received: int = 0
    bad_here: int = 0
    recent_bad_share: float = 0.0
    bad_there: int = 0
    overruns: int = 0
    lead_ns: int = 0
    lead_least_ns: int = -1
    starved: int = 0
    silent_ns: int = 0
    boot_id: int = 0

    @property
    def bad_share(self) -> float:
        """Share of the frames from the device that arrived damaged."""
        return self.bad_here / max(1, self.frames_received + self.bad_here)


def likely_cause(health: LinkHealth) -> str:
    """What is most likely wrong and where to look; empty when the link is well."""
    if health.refusal:
        return health.refusal
    if not health.connected:
        return "port is gone: look for a pulled cable or a converter without power"
    if health.frames_received and health.recent_bad_share > _USELESS_SHARE:
        return (
            f"{health.recent_bad_share:.0%} of the frames arrive damaged: look for a bad cable, missing ground or a "
            "motor supply beside the line"
        )
    if health.silent_ns > _SILENT_NS:
        never = health.frames_received == 0
        if never and health.bad_here:
            return "bytes arrive but no frames: look for another baud rate or another protocol"
        if never:
            return "no answer: look for an arm without power, or transmit and receive exchanged"
        return (
            f"nothing heard for {health.silent_ns / 1e9:.1f} s: look for a loose cable or a stopped firmware"
        )
    if health.overruns:
        return f"device lost {health.overruns} bytes in its receiver: lower the baud rate"
    if health.bad_share > _BAD_SHARE:
        return (
            f"{health.bad_share:.1%} of the frames arrive damaged: look for a bad cable, missing ground or a motor "
            "supply beside the line"
        )
    if health.retransmits > max(3, _BAD_SHARE * health.frames_sent):
        return f"{health.retransmits} of {health.frames_sent} frames had to be sent again: the way to the device is noisy"
    if health.shortest_trip_ns > _SLOW_TRIP_NS:
        trip = health.shortest_trip_ns / 1e6
        return f"round trips take {trip:.0f} ms: set the converter's latency timer to 1 ms"
    if health.starved:
        return f"motion ran out {health.starved} times: this machine is too busy, or the lead too short"
    if abs(health.drift_ppm) > _DRIFT_PPM:
        return f"clocks drift by {health.drift_ppm:.0f} ppm: the device's oscillator is off"
    return ""
