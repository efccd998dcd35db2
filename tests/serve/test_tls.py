"""Encrypted, and only for senders whose certificate the settings' authority signed."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from semc_core.errors import UsageError
from semc_core.pacs.association import AssociationFault
from semc_core.pacs.client import StorageAssociation
from semc_core.pacs.destinations import Destination, Tls
from semc_core.serve.receiver import Receiver
from semc_core.serve.settings import Limits, ServerTls
from tests.pacs.servers import HOST
from tests.serve.objects import SCANNER, TITLE, receiving

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


def certificate(folder: Path, name: str, *options: str) -> tuple[str, str]:
    """PEM files of a certificate and its key, which signs itself."""
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{HOST}", "-keyout", str(key),
         "-out", str(pem), *(options or ("-days", "2"))],
        check=True, capture_output=True,
    )  # fmt: skip
    return str(pem), str(key)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def known(place: Path) -> tuple[str, str]:
    return certificate(place, "scanner")


@pytest.fixture(scope="module")
def service(place: Path, known: tuple[str, str]) -> Iterator[tuple[Receiver, str]]:
    pem, key = certificate(place, "service")
    limits = Limits(least_free_mb=0, idle_s=5)
    with receiving(place / "inbox", limits=limits, tls=ServerTls(pem, key, known[0])) as (receiver, _):
        yield receiver, pem


def scanner(port: int, tls: Tls | None) -> Destination:
    return Destination("service", HOST, port, TITLE, own_title=SCANNER, answer_s=10, tls=tls)


def test_a_sender_with_a_certificate_of_the_authority_gets_in(
    service: tuple[Receiver, str], known: tuple[str, str]
) -> None:
    receiver, authority = service
    with StorageAssociation(scanner(receiver.port, Tls(authority, *known))) as link:
        link.echo()


@pytest.mark.requirement("D3")
def test_who_has_none_or_another_or_speaks_in_the_clear_is_refused_and_holds_nobody_up(
    service: tuple[Receiver, str], known: tuple[str, str], place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, authority = service
    caplog.set_level(logging.WARNING)
    stranger = certificate(place, "stranger")
    with socket.create_connection((HOST, receiver.port)):
        # It says nothing, and is not waited for.
        for tls in (Tls(authority), Tls(authority, *stranger), None):
            with pytest.raises(AssociationFault), StorageAssociation(scanner(receiver.port, tls)) as link:
                link.echo()
        with StorageAssociation(scanner(receiver.port, Tls(authority, *known))) as link:
            link.echo()
    assert "shows no certificate" in caplog.text
    assert "not one that the settings' CA signed" in caplog.text
    assert "does not speak TLS" in caplog.text


def test_files_that_are_no_certificates_are_told_at_the_start(tmp_path: Path) -> None:
    tls = ServerTls(str(tmp_path / "a.pem"), str(tmp_path / "a.key"), str(tmp_path / "ca.pem"))
    with pytest.raises(UsageError, match="certificates of the settings"), receiving(tmp_path / "in", tls=tls):
        pass
