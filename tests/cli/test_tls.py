"""A sandbox that serves HTTPS, and clients that trust its certificate or do not."""

from __future__ import annotations

import gc
import signal
import ssl
from pathlib import Path

import anyio
import pytest
import trustme
from attrs import frozen
from cli_processes import CommandRunner, run_sandbox, wait_for_end
from cryptography.hazmat.primitives import serialization

from nectar_async import (
    AiohttpTransport,
    ConfigurationError,
    ConnectionFailedError,
    NectarClient,
    Settings,
)
from nectar_async.cli.app import run
from nectar_async.sandbox import read_certificate
from nectar_async.sandbox.__main__ import main

Capture = pytest.CaptureFixture[str]


@frozen
class CertificateFiles:
    """A certificate for loopback, its key, and an authority unknown to the system."""

    cert: Path
    key: Path
    authority: Path

    @property
    def options(self) -> list[str]:
        return ["--tls-cert", str(self.cert), "--tls-key", str(self.key)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    folder = tmp_path_factory.mktemp("tls")
    files = CertificateFiles(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    files.cert.write_bytes(chain)
    issued.private_key_pem.write_to_path(files.key)
    authority.cert_pem.write_to_path(files.authority)
    return files


async def ping(url: str, key: str, trust: ssl.SSLContext | None) -> str:
    async with NectarClient(
        key,
        transport=AiohttpTransport(ssl_context=trust),
        settings=Settings(base_url=url),
    ) as nectar:
        return await nectar.ping()


def test_a_client_without_the_authority_raises_an_error_that_says_so(
    files: CertificateFiles,
) -> None:
    with run_sandbox("--companies", "1", *files.options) as (_, environment):
        url, key = environment["NECTAR_BASE_URL"], environment["NECTAR_API_KEY"]
        assert url.startswith("https://127.0.0.1:")
        with pytest.raises(ConnectionFailedError, match="is not trusted") as caught:
            anyio.run(ping, url, key, None)
        assert (caught.value.is_permanent, caught.value.is_sent) == (True, False)
        trusting = ssl.create_default_context(cafile=files.authority)
        assert anyio.run(ping, url, key, trusting).startswith("pong")
        gc.collect()  # a connection left open would warn here


@pytest.mark.slow
def test_commands_trust_the_authority_in_ssl_cert_file(
    files: CertificateFiles, commands: CommandRunner
) -> None:
    process = commands.start(
        "sandbox", "--port", "0", "--companies", "1", *files.options
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    printed = dict(line.removeprefix("export ").strip().split("=") for line in lines)
    done = CommandRunner(commands.folder, **printed).run("ping")
    assert (done.returncode, done.stdout) == (4, "")
    assert "the certificate of https://127.0.0.1:" in done.stderr
    trusting = CommandRunner(
        commands.folder, **printed, SSL_CERT_FILE=str(files.authority)
    )
    done = trusting.run("ping")
    assert done.stdout.startswith("pong v2.2 from https://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    assert wait_for_end(process).returncode == 0


def build_wrong_options(files: CertificateFiles, name: str) -> list[str]:
    """Build options with wrong certificate files."""
    cert, key = str(files.cert), str(files.key)
    return {
        "cert alone": ["--tls-cert", cert],
        "key alone": ["--tls-key", key],
        "no cert": ["--tls-cert", f"{cert}x", "--tls-key", key],
        "no key": ["--tls-cert", cert, "--tls-key", f"{key}x"],
        "swapped": ["--tls-cert", key, "--tls-key", cert],
        "not its key": ["--tls-cert", str(files.authority), "--tls-key", key],
        "locked": ["--tls-cert", cert, "--tls-key", str(write_locked_key(files.key))],
    }[name]


def write_locked_key(key: Path) -> Path:
    """Write the key with a pass phrase, which the server cannot ask for."""
    plain = serialization.load_pem_private_key(key.read_bytes(), password=None)
    path = key.with_name("locked.pem")
    path.write_bytes(
        plain.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"open"),
        )
    )
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cert alone", "--tls-cert and --tls-key must be given together"),
        ("key alone", "--tls-cert and --tls-key must be given together"),
        ("no cert", "--tls-cert: the file "),
        ("no key", "--tls-key: the file "),
        ("swapped", "must be a certificate and its key as PEM"),
        ("not its key", "must be a certificate and its key as PEM"),
        ("locked", "without a pass phrase"),
    ],
)
def test_wrong_certificate_files_are_one_error_line(
    files: CertificateFiles, name: str, words: str, capsys: Capture
) -> None:
    options = build_wrong_options(files, name)
    assert run(["sandbox", "--port", "0", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert words in line
    with pytest.raises(SystemExit, match="2"):
        main(["--companies", "1", *options])
    assert words in capsys.readouterr().err


def test_without_files_there_is_no_certificate() -> None:
    assert read_certificate(None, None) is None
    with pytest.raises(ConfigurationError, match="given together"):
        read_certificate(Path("x"), None)
