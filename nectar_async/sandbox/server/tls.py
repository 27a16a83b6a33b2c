"""The certificate of a sandbox that serves HTTPS, read from files."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from nectar_async.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TLS_HELP", "read_certificate"]

TLS_HELP = (
    "to test certificates, serve HTTPS: --tls-cert FILE --tls-key FILE (PEM, for"
    " 127.0.0.1); a client with SSL_CERT_FILE=ca.pem trusts it"
)
"""The last line of the help on faults: how to test certificates."""


def read_certificate(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Read a certificate and its key; this blocks, so call it outside the event loop.

    Args:
        cert: The certificate and its chain to the authority, as PEM.
        key: Its private key, without a pass phrase, as PEM.

    Returns:
        The TLS context of a server; None if both paths are None.

    Raises:
        ConfigurationError: only one path is given, or the files cannot be used.
    """
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise ConfigurationError("--tls-cert and --tls-key must be given together")
    for option, path in (("--tls-cert", cert), ("--tls-key", key)):
        if not path.is_file():
            raise ConfigurationError(f"{option}: the file {path} does not exist")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # With an empty pass phrase, OpenSSL does not ask for one on the terminal.
        context.load_cert_chain(cert, key, password="")
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        raise ConfigurationError(
            f"--tls-cert {cert} and --tls-key {key} must be a certificate and its key"
            f" as PEM, without a pass phrase ({reason})"
        ) from None
    return context
