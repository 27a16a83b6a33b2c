"""The certificate of a sandbox that speaks HTTPS, from files."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from nectar_async.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TLS_HELP", "read_certificate"]

TLS_HELP = (
    "an authority that nobody knows is no fault but a certificate: --tls-cert FILE"
    " --tls-key FILE (PEM, for 127.0.0.1); SSL_CERT_FILE=ca.pem lets a client trust it"
)
"""How to have what no fault can do, for the end of the help on faults."""


def read_certificate(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What a server shows; None without files. Reads them, so not in an event loop.

    Args:
        cert: a certificate, and what leads from it to its authority, as PEM.
        key: its private key, without a pass phrase, as PEM.

    Raises:
        ConfigurationError: there is only one of them, or they cannot be used.
    """
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise ConfigurationError("--tls-cert and --tls-key are given together")
    for option, path in (("--tls-cert", cert), ("--tls-key", key)):
        if not path.is_file():
            raise ConfigurationError(f"{option}: there is no file {path}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # An empty pass phrase, since OpenSSL would ask for one on the terminal.
        context.load_cert_chain(cert, key, password="")
    except OSError as error:
        why = getattr(error, "reason", None) or error.strerror or str(error)
        raise ConfigurationError(
            f"--tls-cert {cert} and --tls-key {key} are no certificate with its key, as"
            f" PEM and without a pass phrase ({why})"
        ) from None
    return context
