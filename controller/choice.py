"""What is decided for a cell and a mix, and how it is kept from one run to the next.

The search takes some ten seconds and always ends the same, so its outcome is kept in a file named by a hash of everything
it depends on: the cell and the models as read, and the sources that plan. A file that cannot be read is as good as none.
"""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from cells.cell import Cell
from cells.joint_model import JointModel
from controller.motion.coordinate import Rule
from controller.motion.passing import Passing
from controller.scheduling.problem import Mode
from controller.scheduling.schedule import Schedule, ScheduledOperation

Retreat = tuple[str, str]
"""An arm and the operation after which it draws back to its parking place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is decided for a cell and a mix, whatever the order of the joints.

    Attributes:
        cycle_s: Cycle time of the trial order [s].
        schedule: What every arm does in a cycle.
        retreats: After which visits arms draw back.
        passing: In which order arms pass each other.
        rules: Rules of passing that go before it, see `controller.motion.coordinate`.
        lower_bound_s: A cycle time that no order of the mix can beat [s]; 0 while it is not known.
    """

    cycle_s: float
    schedule: Schedule
    retreats: frozenset[Retreat]
    passing: Passing | None = None
    rules: Mapping[Rule, bool] = field(default_factory=dict)
    lower_bound_s: float = 0.0


class KeptChoice:
    """The choice for one cell and mix, without some of the cell's arms, in a cache directory."""

    def __init__(
        self,
        directory: Path,
        cell: Cell,
        models: Sequence[JointModel],
        missing: Collection[str] = (),
    ) -> None:
        facts = hashlib.sha256(_sources() + " ".join(sorted(missing)).encode())
        facts.update(json.dumps([_plain(cell), [_plain(model) for model in models]], sort_keys=True).encode())
        self._path = directory / f"plan-{facts.hexdigest()[:16]}.json"

    def read(self) -> Choice | None:
        """The choice kept, if there is one."""
        try:
            return _choice(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, choice: Choice) -> None:
        """Keep a choice; a cache that cannot be written costs time and nothing else."""
        text = json.dumps(
            {
                "cycle_s": choice.cycle_s,
                "schedule": dataclasses.asdict(choice.schedule),
                "retreats": sorted(choice.retreats),
                "lower_bound_s": choice.lower_bound_s,
                "passing": None if choice.passing is None else choice.passing.begins,
                "rules": sorted([*rule, first] for rule, first in choice.rules.items()),
            }
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            whole = self._path.with_suffix(f".{hashlib.sha256(text.encode()).hexdigest()[:8]}")
            whole.write_text(text, encoding="utf-8")
            whole.replace(self._path)  # at once: another process may be reading
        except OSError:
            return


def _choice(document: Mapping[str, Any]) -> Choice:
    schedule = document["schedule"]
    operations = tuple(
        ScheduledOperation(**{**item, "mode": Mode(**item["mode"])}) for item in schedule["operations"]
    )
    return Choice(
        cycle_s=float(document["cycle_s"]),
        schedule=Schedule(
            **{**{name: _tuples(value) for name, value in schedule.items()}, "operations": operations}
        ),
        retreats=frozenset((arm, operation) for arm, operation in document["retreats"]),
        lower_bound_s=float(document["lower_bound_s"]),
        passing=document["passing"]
        and Passing(begins={name: _tuples(begins) for name, begins in document["passing"].items()}),
        rules={(a, b, c, d, int(behind)): bool(first) for a, b, c, d, behind, first in document["rules"]},
    )


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Any frozen data as JSON would have it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


def _sources() -> bytes:
    """Everything that decides: the source of cells, controller and kinematics."""
    files = [
        file
        for package in ("cells", "controller", "kinematics")
        for file in Path(str(resources.files(package))).rglob("*.py")
    ]
    return b"".join(file.read_bytes() for file in sorted(files))
