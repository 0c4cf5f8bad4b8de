"""The server: what protects it, and the task that follows the panel."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version

from asyncua import Server, ua
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions

from controller.opcua.callers import CallerServer, PanelUsers
from controller.opcua.commands import Commands
from controller.opcua.exposure import APPLICATION_URI, ExposureError, OpcUaSettings, check_exposure
from controller.opcua.mirror import Mirror, mirror_below
from controller.opcua.panel_stream import pictures
from controller.opcua.variables import Picture, variables_of
from controller.panel_client import PanelClient, UnreachableError

_AGAIN_S = 0.5
NAMESPACE = "urn:jointcell:cell"
_ENCRYPTED = (
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
)
_log = logging.getLogger("jointcell.opcua")


@asynccontextmanager
async def opcua_server(panel: PanelClient, settings: OpcUaSettings) -> AsyncIterator[Server]:
    """Serve the cell behind a panel while the context lasts.

    Args:
        panel: The panel, with a viewer's token; it has to answer in the beginning.
        settings: How the server is reached.

    Raises:
        ExposureError: When it would be open to a network without protection.
        UnreachableError: When the panel does not answer now; later its absence only makes all values bad.
        RefusedError: When the panel does not let the token in.
        OSError: When the address cannot be listened on.
    """
    check_exposure(settings)
    picture = await _first_picture(panel, settings.coming_s)
    server = Server(iserver=CallerServer(user_manager=PanelUsers(panel, anonymous=settings.local)))
    server.allow_remote_admin(False)
    await server.init()
    await _protect(server, settings)
    server.set_endpoint(settings.endpoint)
    server.set_server_name("jointcell")
    await server.set_build_info(
        panel.url, "jointcell", "jointcell", version("jointcell"), "", datetime.now(UTC)
    )
    namespace = await server.register_namespace(NAMESPACE)
    cell = await server.nodes.objects.add_object(
        ua.NodeId("Cell", namespace), ua.QualifiedName("Cell", namespace)
    )
    mirror = await mirror_below(server, cell, namespace, variables_of(picture))
    commands = Commands(panel)
    await commands.add_below(cell, namespace)
    try:
        async with server:
            following = asyncio.create_task(_follow(mirror, panel, settings))
            try:
                yield server
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
    finally:
        commands.close()


async def _first_picture(panel: PanelClient, coming_s: float) -> Picture:
    """A picture of a panel that may still be coming up: it says which arms there are."""
    until = time.monotonic() + coming_s
    while True:
        try:
            return await asyncio.to_thread(panel.picture)
        except UnreachableError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(_AGAIN_S)


async def _follow(mirror: Mirror, panel: PanelClient, settings: OpcUaSettings) -> None:
    """Show what comes for ever; whatever goes wrong with a picture, no value stays as it was."""
    while True:
        try:
            async for picture in pictures(panel, settings.rate_hz, settings.patience_s):
                await mirror.show(picture)
        except Exception:
            _log.exception("a picture could not be shown")
        await mirror.show(None)
        await asyncio.sleep(_AGAIN_S)


async def _protect(server: Server, settings: OpcUaSettings) -> None:
    """On loopback anybody may read; beyond it clients encrypt and log in. Nobody commands without a token."""
    await server.set_application_uri(APPLICATION_URI)
    tokens: list[type] = [ua.UserNameIdentityToken]
    policies = list(_ENCRYPTED) if settings.certificate is not None else []
    if settings.local:
        tokens.append(ua.AnonymousIdentityToken)
        policies.append(ua.SecurityPolicyType.NoSecurity)
    server.set_identity_tokens(tokens)
    server.set_security_policy(policies)
    if settings.certificate is not None and settings.key is not None:
        try:
            await server.load_certificate(settings.certificate)
            await server.load_private_key(settings.key)
        except ValueError as error:
            files = f"{settings.certificate}, {settings.key}"
            raise ExposureError(f"{files}: cannot be read as a certificate and its key: {error}") from None
    if settings.trusted is not None:
        store = TrustStore([settings.trusted], [])
        await store.load()
        options = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
        server.set_certificate_validator(CertificateValidator(options, store).validate)
