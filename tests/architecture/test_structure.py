"""The house as its plan says: who imports what, what is public, what is shipped, how large a file may be."""

import ast
import importlib
import pkgutil
import re
import tomllib
import types
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from setuptools import find_packages

ROOT = Path(__file__).parents[2]
PACKAGES = ("cells", "controller", "firmware_bridge", "kinematics", "seeds", "sim")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EVERY_FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))

MAY_IMPORT = {
    "kinematics": set(),
    "cells": {"kinematics"},
    "sim": {"cells", "kinematics"},
    "firmware_bridge": {"cells", "kinematics"},
    "controller": {"sim", "firmware_bridge", "cells", "kinematics"},
    "seeds": set(),
}
# An external library and the only place that may import it.
OWNERS = {
    "numba": "kinematics/jit.py",
    "pybullet": "sim/",
    "pybullet_data": "sim/",
    "serial": "firmware_bridge/",
    "fastapi": "controller/panel/",
    "uvicorn": "controller/panel/",
    "starlette": "controller/panel/",
    "mcap_ros2": "controller/panel/",
    "asyncua": "controller/opcua/",
    "viser": "controller/view3d/",
}
# Modules that import inside functions, and why that is right there.
LATE_IMPORTS = {
    "controller/cli.py": "each command imports what it needs, so that --help needs neither kernels nor the engine",
    "controller/cli_arms.py": "for the same reason",
    "controller/cli_bench.py": "for the same reason",
    "controller/cli_bridge.py": "for the same reason",
    "controller/cli_opcua.py": "for the same reason",
    "controller/cli_panel.py": "for the same reason",
    "controller/cli_replay.py": "for the same reason",
    "controller/cli_solve.py": "for the same reason",
    "controller/scheduling/shop/exact.py": "OR-Tools is in the extra `exact`",
    "controller/outputs.py": "for the same reason",
    "firmware_bridge/port.py": "Windows has no termios",
    "controller/motion/verify_body.py": "pinocchio and coal are in the extra `verify`",
    "sim/bullet.py": "keeps the engine from printing while it is imported",
    "sim/render.py": "Pillow is in the extra `render`",
}
# Oracles and tools of the tests: nothing that is shipped may need them, but for the extras `verify` and `exact`.
TESTS_ONLY = {"scipy", "pinocchio", "coal", "ortools", "hypothesis", "pytest", "tests"}
EXTRAS = {
    "controller/motion/verify_body.py": {"coal", "pinocchio"},
    "controller/scheduling/shop/exact.py": {"ortools"},
}
# Packages whose modules cannot be imported without the library of their extra.
NEED = {"controller.opcua": "asyncua", "controller.view3d": "viser"}
CONCRETE_DRIVERS = {
    "World",
    "SimArm",
    "SimStations",
    "SimClock",
    "FakeArm",
    "FakeStations",
    "FakeClock",
    "SerialArm",
    "ServoArm",
    "DynamixelArm",
    "FeetechArm",
}
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc|handlers?)(_|$)", re.IGNORECASE)
LONGEST = 400
# Longer than that, and known to be: to be taken apart or to be argued for.
KNOWN_TOO_LONG = {"firmware_bridge/armlink/session.py", "firmware_bridge/trials/rig.py"}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Top-level packages of everything a file imports, wherever it does so."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} line {node.lineno}: a relative import"
            yield str(node.module).split(".")[0]


@EVERY_FILE
def test_a_folder_imports_only_what_lies_below_it(path: Path) -> None:
    package = name_of(path).split("/")[0]
    assert (set(imports(path)) & set(PACKAGES)) <= MAY_IMPORT[package] | {package}


@EVERY_FILE
def test_libraries_are_imported_by_their_owners_only(path: Path) -> None:
    for library in set(imports(path)) & set(OWNERS):
        assert name_of(path).startswith(OWNERS[library]), f"{name_of(path)} imports {library}"


@EVERY_FILE
def test_nothing_shipped_needs_what_only_tests_have(path: Path) -> None:
    assert not set(imports(path)) & TESTS_ONLY - EXTRAS.get(name_of(path), set())


@EVERY_FILE
def test_only_the_composition_root_makes_concrete_drivers(path: Path) -> None:
    if name_of(path) == "controller/app.py" or name_of(path).startswith("controller/bench/"):
        return  # what is measured is put together there
    defined = {node.name for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)}
    made = {
        node.func.id
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    # The world is made of its own arms and stations.
    own = {"SimArm", "SimStations"} if name_of(path) == "sim/world.py" else set()
    # A benchmark measures the driver that it names.
    own |= {"SerialArm"} if name_of(path) == "controller/bench/serial_line.py" else set()
    assert not (made & CONCRETE_DRIVERS) - defined - own


@EVERY_FILE
def test_no_record_outlives_its_array(path: Path) -> None:
    """`np.empty(1, T)[0]` in a kernel is memory that the next allocation may take (see kinematics/lanes.py)."""
    module = tree(path)
    kernels = [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef)
        and {ast.unparse(decorator) for decorator in node.decorator_list} & {"kernel", "inlined"}
    ]
    for node in (inner for kernel in kernels for inner in ast.walk(kernel)):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call):
            assert ast.unparse(node.value.func) not in ("np.empty", "np.zeros", "np.ones"), (
                f"{name_of(path)} line {node.lineno}: keep the array, take the record inside the loop"
            )


@EVERY_FILE
def test_imports_are_at_the_top(path: Path) -> None:
    if name_of(path) in LATE_IMPORTS:
        return
    module = tree(path)
    top = {id(node) for node in module.body}
    for node in module.body:  # if TYPE_CHECKING:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            top |= {id(inner) for inner in node.body}
    hidden = [
        node.lineno
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in top
    ]
    assert not hidden, f"{name_of(path)}: imports inside functions, lines {hidden}"


@pytest.mark.parametrize("path", [*FILES, *TESTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_names_say_what_is_inside(path: Path) -> None:
    for part in path.relative_to(ROOT).with_suffix("").parts:
        assert not FORBIDDEN_NAMES.search(part), f"{name_of(path)}: {part}"


@EVERY_FILE
def test_no_file_is_too_long(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert (lines > LONGEST) == (name_of(path) in KNOWN_TOO_LONG), f"{name_of(path)}: {lines} lines"


def test_known_exceptions_exist() -> None:
    assert set(map(name_of, FILES)) >= KNOWN_TOO_LONG


@EVERY_FILE
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path)), name_of(path)


def public_modules() -> list[str]:
    """Every importable package and module."""
    found = []
    for package in PACKAGES:
        module = importlib.import_module(package)
        found.append(package)
        found += [info.name for info in pkgutil.walk_packages(module.__path__, f"{package}.")]
    lacking = tuple(f"{name}." for name, library in NEED.items() if find_spec(library) is None)
    return [name for name in found if not name.startswith(lacking) and not name.endswith(".__main__")]


FACES = [name for name in public_modules() if hasattr(importlib.import_module(name), "__all__")]


def test_the_packages_with_a_public_face() -> None:
    assert {"cells", "kinematics", "sim", "controller.report", "controller.scheduling"} <= set(FACES)


@pytest.mark.parametrize("face", FACES)
def test_every_public_name_exists_and_has_a_docstring(face: str) -> None:
    module = importlib.import_module(face)
    assert isinstance(module.__all__, tuple)
    assert list(module.__all__) == sorted(set(module.__all__), key=module.__all__.index)
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, type) or callable(value):
            # A dataclass without a docstring of its own gets its signature as one.
            documented = value.__doc__ and not value.__doc__.startswith(f"{name}(")
            assert documented, f"{face}.{name} has no docstring"
        else:
            assert not isinstance(value, types.ModuleType), f"{face}.{name} is a module"


def test_the_wheel_holds_these_packages_and_their_data_only() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    setuptools = settings["tool"]["setuptools"]
    found = find_packages(str(ROOT), **setuptools["packages"]["find"])
    assert {name.split(".")[0] for name in found} == set(PACKAGES)
    folders = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in FILES}
    assert folders == set(found), "a folder with modules and without __init__.py would be left out"


def test_data_files_are_of_the_kinds_that_are_shipped() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    kinds = {Path(pattern).suffix for pattern in settings["tool"]["setuptools"]["package-data"]["*"]}
    data = {
        path.suffix
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".md", ".nbi", ".nbc")
    }
    assert data <= kinds
