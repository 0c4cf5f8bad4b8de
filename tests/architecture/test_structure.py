"""The house as its plan says: who imports what, what is public, what is shipped, how large a file may be."""

import ast
import importlib
import pkgutil
import re
import tomllib
import types
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from setuptools import find_packages

ROOT = Path(__file__).parents[2]
PACKAGES = ("cells", "controller", "firmware_bridge", "kinematics", "seeds", "sim")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

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


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def imports(path: Path) -> frozenset[str]:
    """Top-level packages of everything a file imports, wherever it does so."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} line {node.lineno}: a relative import"
            found.add(str(node.module).split(".")[0])
    return frozenset(found)


# Each rule looks at all files in one test, which names every file that breaks it.


def test_a_folder_imports_only_what_lies_below_it() -> None:
    wrong = {}
    for path in FILES:
        package = name_of(path).split("/")[0]
        if above := imports(path) & set(PACKAGES) - MAY_IMPORT[package] - {package}:
            wrong[name_of(path)] = above
    assert wrong == {}


def test_libraries_are_imported_by_their_owners_only() -> None:
    wrong = [
        f"{name_of(path)} imports {library}"
        for path in FILES
        for library in imports(path) & set(OWNERS)
        if not name_of(path).startswith(OWNERS[library])
    ]
    assert wrong == []


def test_nothing_shipped_needs_what_only_tests_have() -> None:
    found = {name_of(path): imports(path) & TESTS_ONLY for path in FILES}
    assert {name: needs for name, needs in found.items() if needs - EXTRAS.get(name, set())} == {}


def test_only_the_composition_root_makes_concrete_drivers() -> None:
    wrong = {}
    for path in FILES:
        name = name_of(path)
        if name == "controller/app.py" or name.startswith("controller/bench/"):
            continue  # what is measured is put together there
        nodes = list(ast.walk(tree(path)))
        defined = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
        made = {
            node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        # The world is made of its own arms and stations.
        own = {"SimArm", "SimStations"} if name == "sim/world.py" else set()
        if foreign := (made & CONCRETE_DRIVERS) - defined - own:
            wrong[name] = foreign
    assert wrong == {}


def test_no_record_outlives_its_array() -> None:
    """`np.empty(1, T)[0]` in a kernel is memory that the next allocation may take (see kinematics/lanes.py)."""
    kernels = [
        (name_of(path), node)
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef)
        and {ast.unparse(decorator) for decorator in node.decorator_list} & {"kernel", "inlined"}
    ]
    assert len(kernels) > 100
    wrong = [
        f"{name} line {node.lineno}: keep the array, take the record inside the loop"
        for name, kernel in kernels
        for node in ast.walk(kernel)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) in ("np.empty", "np.zeros", "np.ones")
    ]
    assert wrong == []


def test_imports_are_at_the_top() -> None:
    wrong = []
    for path in FILES:
        if name_of(path) in LATE_IMPORTS:
            continue
        module = tree(path)
        top = {id(node) for node in module.body}
        for node in module.body:  # if TYPE_CHECKING:
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                top |= {id(inner) for inner in node.body}
        wrong += [
            f"{name_of(path)} line {node.lineno}: an import inside a function"
            for node in ast.walk(module)
            if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in top
        ]
    assert wrong == []


def test_names_say_what_is_inside() -> None:
    wrong = [
        name_of(path)
        for path in (*FILES, *TESTS)
        if any(map(FORBIDDEN_NAMES.search, path.relative_to(ROOT).with_suffix("").parts))
    ]
    assert wrong == []


def test_no_file_is_too_long() -> None:
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    too_long = {name: count for name, count in lines.items() if count > LONGEST}
    assert too_long.keys() == KNOWN_TOO_LONG, too_long


def test_every_module_says_what_it_is_for() -> None:
    assert [name_of(path) for path in FILES if not ast.get_docstring(tree(path))] == []


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
