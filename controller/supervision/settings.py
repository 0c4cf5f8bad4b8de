"""Settings of a running cell: a TOML file, and the environment above it (``JOINTCELL_TRAY_PLACES=40``).

A key that nobody knows is an error that names it, in the file and in the environment.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError as SettingsValueError,
    TomlConfigSettingsSource,
)

PREFIX = "JOINTCELL_"


class SettingsError(Exception):
    """Settings that cannot be used; a line for each finding: file or variable, key, value and what is allowed."""


class CellSettings(BaseSettings):
    """How a cell is run; made by `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    cell: str = Field("six_arm", min_length=1, description="bundled cell or path of a cell file")
    models: tuple[str, ...] = Field((), description="joint models that may be ordered; none for all")
    driver: Literal["fake", "sim"] = Field("sim", description="what executes the plan")
    pace: Literal["real", "fast"] = Field(
        "real", description="pace of simulated time: real time, or as fast as it goes"
    )
    seed: int = Field(0, ge=0, description="seed of everything random in simulation")
    journal: Path = Field(Path("journal"), description="directory of the journal")
    journal_largest_gb: float = Field(
        4.0, gt=0.0, le=1000.0, description="size at which a journal file is succeeded by a new one"
    )
    journal_files: int = Field(
        24, ge=1, le=1000, description="journal files that are kept; the oldest are let go"
    )
    disk_low_gb: float = Field(
        0.5, ge=0.0, le=1000.0, description="free space below which there is an alarm"
    )
    tray_places: int = Field(
        0, ge=0, le=100_000, description="joints that the out tray holds; 0: somebody always empties it"
    )
    lookahead_joints: int = Field(
        4, ge=2, le=16, description="joints planned ahead; so many enter before changed orders take effect"
    )
    ideal_cycle_s: float = Field(30.0, gt=0.0, le=3600.0, description="planned run time per item, for the OEE")
    late_s: float = Field(
        5.0, gt=0.0, le=3600.0, description="longer than planned that a leg may take without an alarm"
    )
    rejects_in_a_row: int = Field(
        3, ge=1, le=1000, description="rejected joints in a row that raise an alarm"
    )
    allow_jog_real: bool = Field(
        False, description="jogging of real arms; needs an enabling device at the cell"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in the program, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One setting: its value, where it comes from, and what it means."""

    key: str
    value: str
    origin: str
    meaning: str


def load_settings(file: Path | None) -> CellSettings:
    """The settings of a file (none: all by default) with the environment above it.

    Raises:
        SettingsError: With every finding.
    """
    known = {_variable(key) for key in CellSettings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    findings = [f"environment: {name}: nobody knows it (allowed: {', '.join(sorted(known))})" for name in unknown]
    in_file = _keys(file)

    class FromFile(CellSettings):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        settings = FromFile()
    except ValidationError as error:
        findings += [_finding(fault, file, in_file) for fault in error.errors()]
    except SettingsValueError as error:  # an environment variable that should be JSON and is not
        findings.append(f"environment: {error}")
    if findings:
        raise SettingsError("\n".join(findings))
    return settings


def explain_settings(file: Path | None) -> tuple[Explained, ...]:
    """Every setting with its origin.

    Raises:
        SettingsError: As `load_settings` does.
    """
    settings, in_file = load_settings(file), _keys(file)
    return tuple(
        Explained(
            key=key,
            value=str(getattr(settings, key)),
            origin=_origin(key, file, in_file) or "default",
            meaning=field.description or "",
        )
        for key, field in CellSettings.model_fields.items()
    )


def _keys(file: Path | None) -> frozenset[str]:
    if file is None:
        return frozenset()
    try:
        return frozenset(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{file}: is not TOML: {error}") from error


def _finding(fault: Any, file: Path | None, in_file: frozenset[str]) -> str:
    key = str(fault["loc"][0]) if fault["loc"] else ""
    where = f"{_origin(key, file, in_file)}: {key}" if key else "settings"
    if fault["type"] == "extra_forbidden":
        return f"{where}: nobody knows it (allowed: {', '.join(CellSettings.model_fields)})"
    return f"{where}: {fault['input']!r}: {fault['msg']}"


def _origin(key: str, file: Path | None, in_file: frozenset[str]) -> str:
    if _variable(key) in os.environ:
        return f"environment, {_variable(key)}"
    return str(file) if key in in_file else ""


def _variable(key: str) -> str:
    return f"{PREFIX}{key.upper()}"
