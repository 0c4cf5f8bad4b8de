"""What the README says is true: its snippets run, its commands and names exist, its files are there."""

import doctest
import importlib
import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from controller.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\.venv/bin/jointcell ([^#\n]+)", README, flags=re.MULTILINE)
NAMES = sorted(set(re.findall(r"`((?:cells|controller|kinematics|sim)\.[\w.]+)`", README)))


def test_the_snippets_run() -> None:
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False, encoding="utf-8")
    assert result.attempted >= 5
    assert result.failed == 0


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_and_option_exists(line: str) -> None:
    name, *arguments = shlex.split(line)
    group = typer.main.get_command(app)
    command = group.commands[name]  # type: ignore[attr-defined]
    while isinstance(command, TyperGroup):
        command = command.commands[arguments.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= known


@pytest.mark.parametrize("name", NAMES)
def test_every_name_exists(name: str) -> None:
    parts = name.split(".")
    for split in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:split]))
        except ModuleNotFoundError:
            continue
        for part in parts[split:]:
            value = getattr(value, part)
        return
    pytest.fail(f"{name} does not exist")


def test_every_linked_file_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)]+)\)", README) + re.findall(r"`(docs/[\w/.-]+)`", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
