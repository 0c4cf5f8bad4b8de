"""The firmware inside this process, in virtual time: the same C code as on a board, to the last bit."""

import ctypes
import functools

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.armlink.messages import Config
from firmware_bridge.emulator.build import shared_library
from firmware_bridge.emulator.plant import PlantLayout

TRACE = np.dtype(
    [
        ("place", "<u8"),
        ("t_us", "<u4"),
        ("setpoint", "<i4", 6),
        ("vel", "<f4", 6),
        ("acc", "<f4", 6),
        ("pos", "<i4", 6),
        ("fault", "<u2"),
        ("hold_id", "<u2"),
        ("power", "u1"),
        ("state", "u1"),
        ("motion", "u1"),
        ("running", "u1"),
        ("traj", "u1"),
        ("cause", "u1"),
        ("session", "<u2"),
    ]
)
"""One row for each tick: vf_trace_t of firmware/boards/virtual.c."""
_TX_SIZE = 65536


@functools.cache
def library() -> ctypes.CDLL:
    """The compiled firmware.

    Raises:
        MissingToolError: When there is no C compiler.
    """
    loaded = ctypes.CDLL(str(shared_library()))
    pointer, u8, u32 = ctypes.c_void_p, ctypes.c_uint8, ctypes.c_uint32
    for name, result, arguments in (
        ("vf_size", ctypes.c_size_t, ()),
        ("vf_init", ctypes.c_bool, (pointer, pointer, ctypes.c_char_p, u32, ctypes.c_char_p, u32)),
        ("vf_rx", None, (pointer, ctypes.c_char_p, u32)),
        ("vf_run", None, (pointer, u32)),
        ("vf_freeze", None, (pointer, u32)),
        ("vf_tx", u32, (pointer, ctypes.c_char_p)),
        ("vf_trace", None, (pointer, pointer, u32)),
        ("vf_traced", u32, (pointer,)),
        ("vf_plant", pointer, (pointer,)),
        ("vf_samples", u32, (ctypes.c_char_p, u32, ctypes.c_char_p)),
        ("vf_codec", ctypes.c_int32, (u8, ctypes.c_char_p, u32, pointer, pointer)),
        ("vf_frame", u32, (ctypes.c_char_p, u32, pointer, pointer)),
        ("vf_encode", u32, (pointer, ctypes.c_char_p, pointer)),
    ):
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


class VirtualFirmware:
    """One arm. Time passes in `run` only.

    Args:
        config: Its configuration.
        uid: Its 12 bytes of identity.
        position: Where its joints are, six numbers [1e-7 rad].
        boot_id: Of this start.
        now_us: What its clock shows [us].

    Attributes:
        config: As given.
        uid: As given.
        boot_id: Of the present start.
        plant: Its motors; see `firmware_bridge.emulator.plant`.
        sound: Whether the configuration was accepted.
    """

    def __init__(
        self, config: Config, *, uid: bytes, position: tuple[int, ...], boot_id: int = 1, now_us: int = 0
    ) -> None:
        self.config = config
        self.uid = uid
        self.boot_id = boot_id
        self._library = library()
        self._memory = ctypes.create_string_buffer(self._library.vf_size())
        self._received = ctypes.create_string_buffer(_TX_SIZE)
        self._rows = np.zeros(0, dtype=TRACE)
        six = ctypes.c_int32 * 6
        self._start(PlantLayout(pos=six(*position), setpoint=six(*position), fault_joint=255), now_us)

    def _start(self, plant: PlantLayout, now_us: int) -> None:
        encoded = self.config.encode()
        self.sound: bool = self._library.vf_init(
            self._memory, ctypes.byref(plant), self.uid, self.boot_id, encoded, now_us & 0xFFFFFFFF
        )
        self.plant = PlantLayout.from_address(self._library.vf_plant(self._memory))

    def reset(self, now_us: int = 0) -> None:
        """Reset the firmware; the joints stay where they are."""
        self.boot_id += 1
        self._start(PlantLayout.from_buffer_copy(self.plant), now_us)

    def feed(self, received: bytes) -> None:
        """Bytes from the host arrive now."""
        self._library.vf_rx(self._memory, received, len(received))

    def sent(self) -> bytes:
        """What it has sent since the last call."""
        n = self._library.vf_tx(self._memory, self._received)
        return self._received.raw[:n]

    def run(self, duration_us: int) -> NDArray[np.void]:
        """Let time pass, in ticks of 1 ms.

        Returns:
            A `TRACE` row for each tick.
        """
        rows = np.zeros(duration_us // 1000, dtype=TRACE)
        self._library.vf_trace(self._memory, rows.ctypes.data, len(rows))
        self._library.vf_run(self._memory, duration_us)
        return rows[: self._library.vf_traced(self._memory)]

    def freeze(self, duration_us: int) -> None:
        """Let time pass while the processor stands still."""
        self._library.vf_freeze(self._memory, duration_us)
