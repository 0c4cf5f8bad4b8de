"""Methods: each is a command of the panel, given with the caller's own token, and answers with a status and words."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from asyncua import Node, ua

from controller.opcua.callers import PanelUser, caller
from controller.panel_client import PanelClient, RefusedError, UnreachableError

DISCLAIMER = (
    "Commands here are process commands and not a safety function. "
    "In danger, use the emergency-stop devices at the cell."
)
COMMANDS = ("Reset", "Start", "Hold", "Unhold", "Suspend", "Unsuspend", "Complete", "Stop", "Abort", "Clear")
_STOPPING = frozenset({"Stop", "Abort"})
_STATUS = {
    401: ua.StatusCodes.BadUserAccessDenied,
    403: ua.StatusCodes.BadUserAccessDenied,
    409: ua.StatusCodes.BadInvalidState,
    504: ua.StatusCodes.BadTimeout,
}
_THREADS = 4


class Commands:
    """Gives commands to a panel; stop and abort have threads of their own.

    Args:
        panel: The panel.
    """

    def __init__(self, panel: PanelClient) -> None:
        self._panel = panel
        self._threads = ThreadPoolExecutor(_THREADS, "opcua-command")
        self._stop_threads = ThreadPoolExecutor(_THREADS, "opcua-stop")

    def close(self) -> None:
        """End the threads."""
        for threads in (self._threads, self._stop_threads):
            threads.shutdown(wait=False, cancel_futures=True)

    async def add_below(self, cell: Node, namespace: int) -> None:
        """Build the methods below an object, with what was refused last and what the methods are not."""
        folder = await cell.add_folder(
            ua.NodeId("Cell/Commands", namespace), ua.QualifiedName("Commands", namespace)
        )
        await folder.add_property(
            ua.NodeId("Cell/Commands/About", namespace), ua.QualifiedName("About", namespace), DISCLAIMER
        )
        refusal = await folder.add_variable(
            ua.NodeId("Cell/Commands/LastRefusal", namespace), ua.QualifiedName("LastRefusal", namespace), ""
        )
        answer = ua.Argument(
            Name="Answer",
            DataType=ua.NodeId(ua.ObjectIds.String),
            ValueRank=-1,
            Description=ua.LocalizedText("What became of the command, or why it was refused"),
        )
        for name in COMMANDS:
            await folder.add_method(
                ua.NodeId(f"Cell/Commands/{name}", namespace),
                ua.QualifiedName(name, namespace),
                self._method(name, refusal),
                [],
                [answer],
            )

    def _method(self, name: str, refusal: Node):  # type: ignore[no-untyped-def]  # the stack's callbacks have no types
        async def method(_: ua.NodeId) -> ua.CallMethodResult:
            who = caller()
            status, words = await self._given(name, who)
            if status != ua.StatusCodes.Good:
                await refusal.write_value(f"{name} by {who.name}: {words}")
            return ua.CallMethodResult(
                StatusCode=ua.StatusCode(status),
                OutputArguments=[ua.Variant(words, ua.VariantType.String)],
            )

        return method

    async def _given(self, name: str, who: PanelUser) -> tuple[int, str]:
        """Give a command: its status and what was answered."""
        if not who.token:
            return (
                ua.StatusCodes.BadUserAccessDenied,
                "log in first: a user's name of the panel, and as password a token of that user",
            )
        panel = replace(self._panel, token=who.token)
        threads = self._stop_threads if name in _STOPPING else self._threads
        try:
            answer = await asyncio.get_running_loop().run_in_executor(threads, panel.command, name.lower())
        except RefusedError as error:
            return _STATUS.get(error.status, ua.StatusCodes.BadUnexpectedError), str(error)
        except UnreachableError as error:
            return ua.StatusCodes.BadNoCommunication, f"NOT CONFIRMED: {error}"
        return ua.StatusCodes.Good, f"accepted, state {answer['state']}"
