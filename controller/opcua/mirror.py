"""The variables of the address space: written when their values change, all bad when the panel is lost."""

import logging
from datetime import UTC, datetime
from typing import Any

from asyncua import Node, Server, ua

from controller.opcua.variables import Picture, Variable

_log = logging.getLogger("jointcell.opcua")


class Mirror:
    """Shows pictures of the panel; made by `mirror_below`.

    Args:
        server: Where the nodes are.
        nodes: The node of every variable.
    """

    def __init__(self, server: Server, nodes: list[tuple[Variable, ua.NodeId]]) -> None:
        self._server = server
        self._nodes = nodes
        self._shown: dict[str, Any] = {}
        self._lost = False

    async def show(self, picture: Picture | None) -> None:
        """Show what is new in a picture; None says that there is none to be believed."""
        if picture is None:
            await self._show_lost()
            return
        if self._lost:
            _log.info("the panel is there")
        self._lost = False
        moment = datetime.fromtimestamp(picture["moment"]["utc_ms"] * 1e-3, UTC)
        for variable, node in self._nodes:
            value = variable.value(picture)
            if variable.path in self._shown and self._shown[variable.path] == value:
                continue
            self._shown[variable.path] = value
            if value is None:  # nothing to say yet, such as a cycle time before the second joint
                shown = _bad(ua.StatusCodes.BadWaitingForInitialData, moment)
            else:
                variant = ua.Variant(value, variable.kind, is_array=variable.array)
                shown = ua.DataValue(variant, SourceTimestamp=moment)
            await self._server.write_attribute_value(node, shown)

    async def _show_lost(self) -> None:
        if self._lost:
            return
        if self._shown:
            _log.warning("the panel or the cell behind it does not answer: all values are bad")
        self._lost = True
        self._shown.clear()
        bad = _bad(ua.StatusCodes.BadNoCommunication, datetime.now(UTC))
        for _, node in self._nodes:
            await self._server.write_attribute_value(node, bad)


async def mirror_below(server: Server, cell: Node, namespace: int, variables: tuple[Variable, ...]) -> Mirror:
    """Build folders and variables below an object; every value is bad until the first picture."""
    folders: dict[str, Node] = {"": cell}
    nodes = []
    for variable in variables:
        folder, _, name = variable.path.rpartition("/")
        node = await (await _folder(folders, folder, namespace)).add_variable(
            ua.NodeId(f"Cell/{variable.path}", namespace),
            ua.QualifiedName(name, namespace),
            [] if variable.array else ua.get_default_value(variable.kind),
            varianttype=variable.kind,
            datatype=ua.NodeId(variable.kind.value),
        )
        nodes.append((variable, node.nodeid))
    mirror = Mirror(server, nodes)
    await mirror.show(None)
    return mirror


async def _folder(folders: dict[str, Node], path: str, namespace: int) -> Node:
    if path not in folders:
        above, _, name = path.rpartition("/")
        parent = await _folder(folders, above, namespace)
        folders[path] = await parent.add_folder(
            ua.NodeId(f"Cell/{path}", namespace), ua.QualifiedName(name, namespace)
        )
    return folders[path]


def _bad(status: int, moment: datetime) -> ua.DataValue:
    """No value at all, rather than an old one."""
    return ua.DataValue(StatusCode=ua.StatusCode(status), SourceTimestamp=moment)
