"""The control panel: the page from which operators start and stop the cell, its REST interface and its live stream.

It sees the cell only through `controller.supervision.view.CellService` and decides nothing about motion. Its buttons are
process commands, never a safety function. `create_panel` makes the web application, `serve_panel` serves it.
"""

from controller.panel.application import Panel, create_panel
from controller.panel.facts import ArmFacts, CellFacts, ModelFacts
from controller.panel.serving import serve_panel
from controller.panel.settings import PanelSettings

__all__ = ("ArmFacts", "CellFacts", "ModelFacts", "Panel", "PanelSettings", "create_panel", "serve_panel")
