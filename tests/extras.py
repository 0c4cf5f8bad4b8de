"""Packages of the product's extras: without one its tests skip, unless REQUIRE_TOOLS says they must run."""

import os
from importlib.util import find_spec

import pytest


def need(package: str, extra: str) -> None:
    """Skip the module that calls this where a package is missing; fail where tools are required."""
    if find_spec(package) is None:
        assert os.environ.get("REQUIRE_TOOLS") != "1", f"{package} is missing (the extra {extra})"
        pytest.skip(f"{package} is missing (the extra {extra})", allow_module_level=True)
