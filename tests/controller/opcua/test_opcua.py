"""An OPC UA client in front of the cell: what it reads, what it may command, and what it sees when the panel is gone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from datetime import timedelta

import pytest

from controller.panel import CellFacts
from controller.panel.users import Role
from controller.panel_client import PanelClient
from controller.supervision.packml import State
from tests.controller.panel.browser.served_panel import Served, serve
from tests.controller.panel.conftest import facts  # noqa: F401
from tests.controller.panel.replayed_cell import ReplayedCell
from tests.extras import need

need("asyncua", "opcua")
