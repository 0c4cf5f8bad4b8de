"""What `jointcell serve` wants to know before real arms move, and what it refuses."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from controller import cli
from controller.supervision.settings import SettingsError, load_settings


def serve(*arguments: str, data: Path) -> int:
    return cli._guarded(lambda: cli.app(["serve", *arguments, "--data", str(data)]))


def test_real_arms_are_not_served_without_a_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert serve("--driver", "serial", data=tmp_path / "data") == 2
    assert "real arms move only when someone confirms it in a terminal" in capfd.readouterr().err
    assert not (tmp_path / "data").exists()


def test_what_is_typed_has_to_be_the_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "yes")
    assert serve("--driver", "serial", data=tmp_path / "data") != 0
    assert "emergency stop must be wired" in "".join(capfd.readouterr())
    assert not (tmp_path / "data").exists()


def test_arms_without_lines_are_named_once_it_is_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "move")
    assert serve("--driver", "serial", data=tmp_path / "data") == 2
    assert "arms[0].serial: R1 has no serial line" in capfd.readouterr().err


def test_only_serial_arms_are_emulated(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert serve("--driver", "fake", "--emulate", data=tmp_path) == 2
    assert "only with --driver serial" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("emulate = true", "emulate = true with driver 'sim' (allowed: with driver 'serial')"),
        ('driver = "serial"\npace = "fast"', "pace 'fast' with driver 'serial' (allowed: 'real')"),
    ],
)
def test_settings_that_do_not_fit_each_other(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "cell.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert message in str(caught.value)
