"""Libraries measured against: part of the extra `peers`, imported only when a benchmark asks for them."""

import importlib
from typing import Any

from cells.errors import CellError, Finding

PACKAGES = ("pin", "coal", "EAIK", "ruckig", "toppra", "ompl", "ortools")


def load_peer(module: str) -> Any:
    """Import a peer.

    Raises:
        CellError: When it is not installed, with what to do.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise CellError(
            [
                Finding(
                    file="--peers",
                    where=module,
                    value="",
                    message=f"cannot be imported ({error})",
                    allowed="pip install 'jointcell[peers]', or run without --peers",
                )
            ]
        ) from error
