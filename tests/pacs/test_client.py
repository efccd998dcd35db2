"""One connection: what servers answer, and what is made of it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pynetdicom import AE, evt

from semc_core.pacs.association import AssociationFault
from semc_core.pacs.client import StorageAssociation
from semc_core.pacs.destinations import Destination, Tls
from semc_core.pacs.queue_store import DicomObject
from semc_core.pacs.store_status import Answer
from tests.pacs.servers import HOST, destination, free_port, needs_storescp, objects, storescp


def stored(server: Destination, tmp_path: Path, contents: dict[DicomObject, bytes]) -> list[Answer]:
    """Send `contents` over one connection."""
    answers = []
    with StorageAssociation(server, contents) as link:
        for one, content in contents.items():
            path = tmp_path / "object.dcm"
            path.write_bytes(content)
            answers.append(link.store(one, path))
    return answers


@needs_storescp
def test_a_server_that_takes_no_compression_gets_the_same_pixels_unpacked(tmp_path: Path) -> None:
    contents = objects(1, clips=1)
    with storescp(tmp_path / "kept") as server:
        assert stored(destination(server.port), tmp_path, contents) == [Answer("stored")] * 2
        (kept,) = (tmp_path / "kept").glob("SCb*")
    (clip,) = (content for one, content in contents.items() if one.syntax.endswith(".80"))
    (tmp_path / "clip.dcm").write_bytes(clip)
    sent, got = pydicom.dcmread(tmp_path / "clip.dcm"), pydicom.dcmread(kept)
    assert not got.file_meta.TransferSyntaxUID.is_compressed
    assert got.SOPInstanceUID == sent.SOPInstanceUID
    assert np.array_equal(got.pixel_array, sent.pixel_array)


@needs_storescp
def test_a_server_that_takes_all_gets_the_file_byte_for_byte(tmp_path: Path) -> None:
    contents = objects(0, clips=1)
    with storescp(tmp_path / "kept", "+xa", "--bit-preserving") as server:
        assert stored(destination(server.port), tmp_path, contents) == [Answer("stored")]
        (kept,) = (tmp_path / "kept").iterdir()
    (content,) = contents.values()
    got = kept.read_bytes()
    # The file's own header is the server's; the object begins with the same element.
    begin = b"\x08\x00\x05\x00CS"
    assert got[got.index(begin) :] == content[content.index(begin) :]


@needs_storescp
def test_a_kind_of_object_that_the_server_does_not_take_is_refused_and_the_rest_sent(tmp_path: Path) -> None:
    profile = tmp_path / "storescp.cfg"
    profile.write_text(
        "[[TransferSyntaxes]]\n[Plain]\nTransferSyntax1 = LittleEndianImplicit\n"
        "[[PresentationContexts]]\n[Stills]\nPresentationContext1 = VerificationSOPClass\\Plain\n"
        "PresentationContext2 = SecondaryCaptureImageStorage\\Plain\n"
        "[[Profiles]]\n[Default]\nPresentationContexts = Stills\n",
        encoding="utf-8",
    )
    with storescp(tmp_path / "kept", "-xf", str(profile), "Default") as server:
        still, clip = stored(destination(server.port), tmp_path, objects(1, clips=1))
    assert still == Answer("stored")
    assert clip.kind == "refused"
    assert "Grayscale" in clip.sentence


@needs_storescp
def test_a_server_that_refuses_connections_is_told_apart(tmp_path: Path) -> None:
    with (
        storescp(tmp_path / "kept", "--refuse") as server,
        pytest.raises(AssociationFault, match=r"refuses|does not"),
        StorageAssociation(destination(server.port)) as link,
    ):
        link.echo()


def test_nobody_at_the_port(tmp_path: Path) -> None:
    with pytest.raises(AssociationFault, match="cannot be reached") as caught:
        StorageAssociation(destination(free_port()))
    assert not caught.value.permanent
    with pytest.raises(AssociationFault, match="no host"):
        StorageAssociation(Destination("archive", "host.invalid", 104, "PACS"))


def test_a_server_that_accepts_and_says_nothing_times_out() -> None:
    with socket.socket() as silent:
        silent.bind((HOST, 0))
        silent.listen()
        server = Destination("archive", HOST, silent.getsockname()[1], "PACS", answer_s=0.5)
        with pytest.raises(AssociationFault, match="does not answer as a DICOM server") as caught:
            StorageAssociation(server)
    assert not caught.value.permanent


def test_each_status_is_taken_for_what_it_means(tmp_path: Path) -> None:
    statuses = {
        0x0000: "stored", 0xB000: "stored", 0x0111: "stored", 0xA700: "not now", 0xC000: "not now",
        0x0110: "not now", 0x0124: "refused", 0x0122: "refused", 0xA900: "refused",
    }  # fmt: skip
    contents, coming = objects(len(statuses)), iter(statuses)
    entity = AE("ARCHIVE")
    for one in contents:
        entity.add_supported_context(one.sop_class, one.syntax)
    entity.require_called_aet = True
    handlers: list[evt.EventHandlerType] = [(evt.EVT_C_STORE, lambda _: next(coming))]
    server = entity.start_server((HOST, 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        port = server.server_address[1]
        answers = stored(destination(port, "ARCHIVE"), tmp_path, contents)
        with pytest.raises(AssociationFault, match='AE title "OTHER"') as caught:
            StorageAssociation(destination(port, "OTHER"))
        assert caught.value.permanent
    finally:
        server.shutdown()
        server.server_close()
    assert [answer.kind for answer in answers] == list(statuses.values())
    assert [answer.sentence == "" for answer in answers] == [status == 0 for status in statuses]


@needs_storescp
@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_tls_with_an_own_authority(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=archive",
         "-addext", f"subjectAltName=IP:{HOST}", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    trusted, untrusted = Tls(ca=str(certificate)), Tls()
    with storescp(tmp_path / "kept", "+tls", str(key), str(certificate), "-ic") as server:
        plain = destination(server.port)
        secured = Destination("archive", HOST, server.port, "STORESCP", tls=trusted)
        with StorageAssociation(secured) as link:
            link.echo()
        with pytest.raises(AssociationFault, match="not trusted") as caught:
            StorageAssociation(Destination("archive", HOST, server.port, "STORESCP", tls=untrusted))
        assert caught.value.permanent
        with pytest.raises(AssociationFault, match=r"does not answer as a DICOM server|broke off"):
            StorageAssociation(plain)
    with storescp(tmp_path / "kept") as server, pytest.raises(AssociationFault, match="does not speak TLS"):
        StorageAssociation(Destination("archive", HOST, server.port, "STORESCP", answer_s=2, tls=trusted))
