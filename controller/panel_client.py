"""Asks a panel: what the command line's status, start, hold, stop and abort are made of. Standard library only."""

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class UnreachableError(Exception):
    """No panel answers."""


class RefusedError(Exception):
    """The panel or the cell refused; says why.

    Attributes:
        status: The HTTP status of the refusal.
    """

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelClient:
    """A panel at an address, asked with a token.

    Attributes:
        url: Where it is.
        token: A bearer token.
        patience_s: How long an answer may take.
        ca: Certificate (PEM) by which the panel is known under TLS; None for those that this machine trusts.
    """

    url: str
    token: str
    patience_s: float = 5.0
    ca: Path | None = None

    @classmethod
    def of_note(cls, note: Path) -> "PanelClient":
        """The panel that `jointcell serve` runs on this machine.

        Raises:
            UnreachableError: When none does.
        """
        try:
            found = json.loads(note.read_text(encoding="utf-8"))
            ca = Path(found["certificate"]) if found.get("certificate") else None
            return cls(url=found["url"], token=found["token"], ca=ca)
        except (OSError, ValueError, KeyError, TypeError):
            raise UnreachableError(
                f"{note}: no panel runs here (first: jointcell serve; elsewhere: --url with --token-file)"
            ) from None

    @property
    def tls(self) -> ssl.SSLContext | None:
        """How the panel proves who it is; None over plain HTTP."""
        if not self.url.startswith("https:"):
            return None
        context = ssl.create_default_context(cafile=self.ca)
        if self.ca is not None:
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it may be the panel's own certificate
        return context

    def me(self) -> dict[str, Any]:
        """Whose token it is, and what role it has."""
        return self._ask("GET", "/sessions/me")

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
            with urllib.request.urlopen(request, timeout=self.patience_s, context=self.tls) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise RefusedError(_detail(error), error.code) from None
        except (OSError, ValueError) as error:
            raise UnreachableError(f"{self.url}: no answer: {error}") from None


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"
