"""The process: facts and pictures come as lines of JSON on standard input, its port goes out on standard output.

It ends when its input does. A picture that comes while another one is drawn replaces the one that waits.
"""

import json
import os
import sys
import threading
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import websockets.asyncio.server
from viser import ViserServer

from controller.view3d.scene import Scene

_HOST = "127.0.0.1"
_OLD_S = 1.0
_NICE = 10  # whatever else runs on this machine is more important


class _Viser(ViserServer):
    """Viser without its public tunnel: any browser could ask for one."""

    def request_share_url(self, verbose: bool = True) -> None:
        """Refuse."""


class _Newest:
    """The newest line of a stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""
        self._some = threading.Event()
        self.ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def take(self, patience_s: float) -> str:
        """The newest line, once; empty when none came in time."""
        self._some.wait(patience_s)
        self._some.clear()
        line, self._line = self._line, ""
        return line

    def _read(self) -> None:
        for line in self._stream:
            self._line = line
            self._some.set()
        self.ended = True
        self._some.set()


def main() -> None:
    """Draw until standard input ends."""
    os.nice(_NICE)
    answers = sys.stdout
    with (
        Path(os.devnull).open("w") as nowhere,
        redirect_stdout(nowhere),
    ):  # viser prints, also when told not to
        facts, moment = _line(sys.stdin), _line(sys.stdin)
        _let_no_web_page_in()
        server = _Viser(host=_HOST, port=0, verbose=False)
        server.gui.configure_theme(show_logo=False, show_share_button=False)
        server.gui.main_panel.minimize()
        scene = Scene(server, facts, moment)
        print(server.get_port(), file=answers, flush=True)
        lines = _Newest(sys.stdin)
        while not lines.ended:
            if line := lines.take(_OLD_S):
                scene.show(json.loads(line))
            else:
                scene.lose()
        server.stop()
    os._exit(0)  # threads of the server have nothing to finish


def _let_no_web_page_in() -> None:
    """Any page in a browser on this machine could ask for pictures, for viser does not look where it comes from.

    The panel's relay has no Origin, and has checked the one of the browser behind it.
    """
    module = vars(websockets.asyncio.server)
    module["serve"] = partial(module["serve"], origins=[None])


def _line(stream: TextIO) -> dict[str, Any]:
    return dict(json.loads(stream.readline()))


if __name__ == "__main__":
    main()
