"""How the panel is reached and how patient it is; and what it refuses to be."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 8080


class ExposureError(Exception):
    """The panel would be open to a network without protection; says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelSettings:
    """Settings of one panel.

    Attributes:
        data: Directory of the panel's own files (users, audit, cycles); must exist.
        host: Address to listen on.
        port: Port to listen on.
        certificate: TLS certificate chain (PEM); None for plain HTTP.
        key: Its private key.
        insecure_lan: Listen beyond loopback without TLS, because somebody said so on the command line.
        public_origin: Origin under which browsers see the panel when a proxy stands in front; empty without.
        journal: Directory of the cell's journal, for the history; None without.
        recordings: Directory of recordings (MCAP); None without.
        rate_hz: Pictures a second on the stream.
        answer_s: How long a command waits for the cell's decision.
        session_s: A login ends after this long, whatever happens.
        idle_s: A login ends after this long without a request.
        confirmed_s: How long a password counts as typed just now, for what engineers do deliberately.
        body_bytes: Largest request body.
        body_s: Longest time that a body may take to arrive.
        scrypt_log2_n: Cost of a password's hash: 2 to the power of this, in blocks of 1 kB, three times.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    certificate: Path | None = None
    key: Path | None = None
    insecure_lan: bool = False
    public_origin: str = ""
    journal: Path | None = None
    recordings: Path | None = None
    rate_hz: float = 20.0
    answer_s: float = 2.0
    session_s: float = 8 * 3600.0
    idle_s: float = 1800.0
    confirmed_s: float = 300.0
    body_bytes: int = 65_536
    body_s: float = 5.0
    scrypt_log2_n: int = 15

    @property
    def secure(self) -> bool:
        """Whether browsers come over TLS."""
        return self.certificate is not None or self.public_origin.startswith("https://")

    @property
    def url(self) -> str:
        """Where people find the panel."""
        return self.public_origin or _origin(self.certificate is not None, self.host, self.port)

    @property
    def origins(self) -> frozenset[str]:
        """The only origins from which a browser may post or open the stream."""
        names = {self.host}
        if is_loopback(self.host):
            names |= {"127.0.0.1", "localhost", "::1"}
        found = {_origin(self.certificate is not None, name, self.port) for name in names}
        return frozenset(found | ({self.public_origin} if self.public_origin else set()))

    @property
    def hosts(self) -> frozenset[str]:
        """Values of the Host header that are ours; any other is somebody's name for this address."""
        return frozenset(origin.split("://", 1)[1] for origin in self.origins)


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(settings: PanelSettings, has_users: bool) -> None:
    """Refuse to listen beyond loopback without users and TLS, unless somebody insists on plain HTTP.

    Raises:
        ExposureError: When it would.
    """
    if is_loopback(settings.host):
        return
    if settings.host in ("0.0.0.0", "::") and not settings.public_origin:
        raise ExposureError(
            f"--host {settings.host}: browsers need one name for the panel (allowed: the address of one network "
            "interface, or --public-origin https://NAME)"
        )
    if not has_users:
        raise ExposureError(
            f"--host {settings.host}: there are no users yet (first: jointcell users add NAME --role engineer)"
        )
    if settings.certificate is None and not settings.insecure_lan:
        raise ExposureError(
            f"--host {settings.host}: passwords would cross the network in the clear (allowed: --tls-cert and "
            "--tls-key, or --insecure-lan on a network you trust)"
        )


def _origin(tls: bool, host: str, port: int) -> str:
    scheme, usual = ("https", 443) if tls else ("http", 80)
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" + ("" if port == usual else f":{port}")
