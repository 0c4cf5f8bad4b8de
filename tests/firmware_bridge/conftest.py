"""Tools that not every machine has: without one its tests skip, unless JOINTCELL_REQUIRE_TOOLS says they must run."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge.emulator import MissingToolError


@pytest.fixture(scope="session")
def built() -> Callable[[Callable[[], Path]], Path]:
    """Builds something, or skips the test because a tool is missing."""

    def build(make: Callable[[], Path]) -> Path:
        try:
            return make()
        except MissingToolError as error:
            if os.environ.get("JOINTCELL_REQUIRE_TOOLS"):
                raise
            pytest.skip(str(error))

    return build
