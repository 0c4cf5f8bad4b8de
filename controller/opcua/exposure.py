"""How the OPC UA server is reached, and what it refuses to be."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 4840
APPLICATION_URI = "urn:jointcell:opcua"  # the server's certificate names it in its subjectAltName


class ExposureError(Exception):
    """The server cannot be protected as it has to be; says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpcUaSettings:
    """Settings of one server.

    Attributes:
        host: Address to listen on.
        port: Port to listen on.
        certificate: The server's certificate (PEM or DER); with it clients can sign and encrypt.
        key: Its private key (PEM).
        trusted: Directory of client certificates, or of authorities, that are let in; None for any.
        rate_hz: Pictures a second that are asked of the panel.
        coming_s: How long the panel may take to answer in the beginning.
        patience_s: Without a message from the panel for so long all values are bad.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    certificate: Path | None = None
    key: Path | None = None
    trusted: Path | None = None
    rate_hz: float = 10.0
    coming_s: float = 10.0
    patience_s: float = 1.0

    @property
    def local(self) -> bool:
        """Whether only this machine reaches the server."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def endpoint(self) -> str:
        """Where clients find the server."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"opc.tcp://{name}:{self.port}/cell"


def check_exposure(settings: OpcUaSettings) -> None:
    """Refuse what would let anybody on a network read the cell, or a token cross it in the clear.

    Raises:
        ExposureError: When it would.
    """
    if (settings.certificate is None) != (settings.key is None):
        raise ExposureError("a certificate and its private key go together (allowed: both or neither)")
    if settings.trusted is not None and settings.certificate is None:
        raise ExposureError("certificates of clients are only seen where the server has one of its own")
    if not settings.local and settings.certificate is None:
        raise ExposureError(
            f"--host {settings.host}: tokens would cross the network in the clear (allowed: --certificate and --key, "
            "which make clients encrypt and log in)"
        )
