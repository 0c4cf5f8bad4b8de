"""What the firmware takes on a Cortex-M4F."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.emulator import build


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareSize:
    """Sizes in bytes.

    Attributes:
        code: Of the whole image, constants and initial values included.
        data: Variables.
        stack: The frames of all functions together: more than any chain of calls can need.
    """

    code: int
    data: int
    stack: int

    @property
    def ram(self) -> int:
        """Variables and stack."""
        return self.data + self.stack


def firmware_size() -> FirmwareSize:
    """Build the image of the MPS2 board and look.

    Raises:
        MissingToolError: When the cross compiler is not installed.
    """
    image = build.cortex_image("mps2_arm", "boards/plant")
    size = [build.find_tool("arm-none-eabi-size"), str(image)]
    listed = subprocess.run(size, capture_output=True, text=True, check=True)
    text, data, bss = (int(number) for number in listed.stdout.splitlines()[1].split()[:3])
    with tempfile.TemporaryDirectory() as folder:
        compile_core(Path(folder))
        usage = [line for path in Path(folder).glob("*.su") for line in path.read_text().splitlines()]
    return FirmwareSize(
        code=text + data, data=data + bss, stack=sum(int(line.split("\t")[1]) for line in usage)
    )


def compile_core(folder: Path) -> None:
    """Objects of the core for the Cortex-M4F, and beside them the stack that every function needs.

    Raises:
        MissingToolError: When the cross compiler is not installed.
    """
    compiler = build.find_tool("arm-none-eabi-gcc")
    command = [compiler, *build.STANDARD, *build.CORTEX_M4F, "-Os", "-ffreestanding", "-fstack-usage", "-c"]
    sources = [str(build.SOURCES / f"{name}.c") for name in build.CORE]
    subprocess.run([*command, *sources], check=True, cwd=folder)
