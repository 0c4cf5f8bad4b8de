"""What went wrong, in words, when the user's input is the reason."""

from cells.errors import CellError
from controller.execution.record import RecordError
from controller.motion.coordinate import DeadlockError
from controller.motion.plan_files import PlanFileError
from controller.motion.poses import UnreachableError
from controller.motion.verify_body import MissingLibraryError
from controller.motion.volumes import CollisionError
from controller.scheduling.build import InfeasibleCellError
from controller.scheduling.construct import InfeasibleProblemError
from controller.scheduling.problem import ProblemError
from controller.scheduling.shop.exact import MissingSolverError
from controller.supervision.settings import SettingsError
from controller.supervision.shift import JournalError
from firmware_bridge.emulator import MissingToolError
from firmware_bridge.port import LinkError
from kinematics import KinematicsError

_INPUT = (
    CellError,
    JournalError,
    LinkError,
    MissingLibraryError,
    MissingSolverError,
    MissingToolError,
    PlanFileError,
    RecordError,
    SettingsError,
)
_INFEASIBLE = (
    CollisionError,
    DeadlockError,
    InfeasibleCellError,
    InfeasibleProblemError,
    KinematicsError,
    ProblemError,
    UnreachableError,
)


def explanation_of(error: Exception) -> str | None:
    """The reason of an error in the input, the file system or the machine; None for a fault of this program."""
    if isinstance(error, _INPUT):
        return str(error)
    if isinstance(error, _INFEASIBLE):
        return f"This cell cannot do it: {error}"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return None
