"""Standard job-shop instances and their best known makespans: `docs/benchmarks` of a checkout."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from cells.errors import CellError, Finding
from controller.scheduling.shop import ShopProblem
from controller.scheduling.shop.read import read_shop

_FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"
_SUFFIX = {"job-shop": ".txt", "flexible-job-shop": ".fjs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A problem and the least makespan that anyone has found."""

    name: str
    problem: ShopProblem
    best_known: int


def instances(kind: str, *names: str) -> list[Instance]:
    """Instances by name.

    Args:
        kind: job-shop or flexible-job-shop.
        names: Names without suffix.

    Raises:
        CellError: The files are not there: they belong to a checkout, not to the installed package.
    """
    try:
        known = tomllib.loads((_FOLDER / "best_known.toml").read_text(encoding="utf-8"))[kind]
    except OSError as error:
        raise CellError(
            [
                Finding(
                    file=str(_FOLDER),
                    where="",
                    value="",
                    message="the instances are not there",
                    allowed="a checkout of the project",
                )
            ]
        ) from error
    return [
        Instance(
            name=name,
            problem=read_shop(_FOLDER / kind / (name + _SUFFIX[kind])).problem,
            best_known=known[name],
        )
        for name in names
    ]


def numbered(stem: str, first: int, last: int) -> list[str]:
    """Names such as ta01 .. ta10."""
    return [f"{stem}{number:02d}" for number in range(first, last + 1)]
