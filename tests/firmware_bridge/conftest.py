"""Tools that not every machine has: without one its tests skip, unless REQUIRE_TOOLS says they must run."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge.emulator import MissingToolError, build


@pytest.fixture(autouse=True)
def firmware_compiler(request: pytest.FixtureRequest, built: Callable[[Callable[[], Path]], Path]) -> None:
    """Tests of the firmware need a C compiler."""
    if request.module.__name__.rpartition(".")[2].startswith("test_firmware"):
        built(lambda: Path(build.host_compiler()))


@pytest.fixture(scope="session")
def built() -> Callable[[Callable[[], Path]], Path]:
    """Builds something, or skips the test because a tool is missing."""

    def build(make: Callable[[], Path]) -> Path:
        try:
            return make()
        except MissingToolError as error:
            if os.environ.get("REQUIRE_TOOLS"):
                raise
            pytest.skip(str(error))

    return build
