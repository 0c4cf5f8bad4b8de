"""Asks a panel: what the command line's status, start, hold, stop and abort are made of. Standard library only."""

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE_S = 5.0


class UnreachableError(Exception):
    """No panel answers."""


class RefusedError(Exception):
    """The panel or the cell refused; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelClient:
    """A panel at an address, asked with a token.

    Attributes:
        url: Where it is.
        token: A bearer token.
        certificate: The very certificate (PEM) that it must show; None for one that this machine's authorities vouch for.
    """

    url: str
    token: str
    certificate: Path | None = None

    @classmethod
    def of_note(cls, note: Path) -> "PanelClient":
        """The panel that `jointcell serve` runs on this machine.

        Raises:
            UnreachableError: When none does.
        """
        try:
            found = json.loads(note.read_text(encoding="utf-8"))
            certificate = Path(found["certificate"]) if found.get("certificate") else None
            return cls(url=found["url"], token=found["token"], certificate=certificate)
        except (OSError, ValueError, KeyError, TypeError):
            raise UnreachableError(
                f"{note}: no panel runs here (first: jointcell serve; elsewhere: --url with --token-file)"
            ) from None

    def picture(self) -> dict[str, Any]:
        """The whole picture of the cell."""
        return self._ask("GET", "/cell")

    def command(self, name: str) -> dict[str, Any]:
        """Give a command."""
        return self._ask("POST", f"/cell/commands/{name}")

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}", method=method, headers={"authorization": f"Bearer {self.token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S, context=self._trust()) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise RefusedError(_detail(error)) from None
        except (OSError, ValueError) as error:
            raise UnreachableError(f"{self.url}: no answer: {error}") from None

    def _trust(self) -> ssl.SSLContext | None:
        if self.certificate is None:
            return None
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # itself, whoever has signed it
        return context


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"
