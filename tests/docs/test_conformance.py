"""The conformance statement says what the program does."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pydicom
import pytest
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from semc_core.pacs.syntaxes import SYNTAXES
from semc_core.sources.dicom import DicomSource
from tests.docs.conformance_page import NOT_TRIED, PAGE, page, syntaxes
from tests.export.dicom.examples import sample
from tests.serve.objects import receiving, sending

SAMPLES: Final = {
    ImplicitVRLittleEndian: "MR_small_implicit.dcm",
    ExplicitVRLittleEndian: "MR_small.dcm",
    ExplicitVRBigEndian: "SC_rgb_small_odd_big_endian.dcm",
    DeflatedExplicitVRLittleEndian: "image_dfl.dcm",
    JPEGBaseline8Bit: "SC_rgb_small_odd_jpeg.dcm",
    JPEGExtended12Bit: "JPGExtended.dcm",
    # Of process 14 the first-order prediction is one choice.
    JPEGLossless: "SC_rgb_jpeg_gdcm.dcm",
    JPEGLosslessSV1: "SC_rgb_jpeg_gdcm.dcm",
    JPEGLSLossless: "MR_small_jpeg_ls_lossless.dcm",
    JPEGLSNearLossless: "JPEGLSNearLossless_08.dcm",
    JPEG2000Lossless: "MR_small_jp2klossless.dcm",
    JPEG2000: "SC_rgb_gdcm_KY.dcm",
    RLELossless: "SC_rgb_rle.dcm",
}


def test_what_is_received_is_what_is_read() -> None:
    assert set(SYNTAXES) == {str(syntax) for syntax, how in syntaxes().items() if how}


@pytest.mark.requirement("H5", "D7")
@pytest.mark.long
def test_the_page_is_what_the_program_does() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.conformance_page"


def test_what_is_named_has_a_file_or_is_said_not_to_have_been_tried() -> None:
    read = {uid for uid, how in syntaxes().items() if how and "video" not in how}
    assert read == {*SAMPLES, *NOT_TRIED}


@pytest.mark.parametrize("syntax", list(SAMPLES), ids=lambda syntax: str(syntax.name))
@pytest.mark.requirement("R1")
def test_every_transfer_syntax_that_is_named_is_read(syntax: UID, tmp_path: Path) -> None:
    path = sample(SAMPLES[syntax])
    if syntax == JPEGLossless:
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = syntax
        path = tmp_path / path.name
        dataset.save_as(path)
    assert pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax
    source = DicomSource(path)
    assert source.grab_at(0).picture.height > 0
    source.close()


@pytest.mark.requirement("D7")
def test_of_several_transfer_syntaxes_the_services_first_is_taken(tmp_path: Path) -> None:
    two = (ImplicitVRLittleEndian, JPEGBaseline8Bit)
    with receiving(tmp_path / "inbox") as (receiver, _):
        for order in (two, two[::-1]):
            with sending(receiver.port, syntaxes=order) as association:
                taken = {one.transfer_syntax[0] for one in association.accepted_contexts[:2]}
            assert taken == {min(order, key=SYNTAXES.index)}


def test_that_the_program_accepts_associations_is_said_where_it_does() -> None:
    code = (PAGE.parents[1] / "semc_core").rglob("*.py")
    listens = any("AssociationServer" in text or "start_server" in text for text in map(_text, code))
    assert listens == ("## As a provider of services (SCP)\n\n`semc serve`" in _text(PAGE))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
