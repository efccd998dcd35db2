"""Nothing of who was examined is left in the bytes of the exported objects; UIDs are new and consistent."""

from __future__ import annotations

import hashlib
import hmac
import stat
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pydicom
import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as profile
from pydicom.datadict import DicomDictionary, dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset

from semc_core.errors import ExportError, SaveError, SourceError
from semc_core.export.dicom import header_allowlist
from semc_core.export.dicom.confidentiality import check_removed
from semc_core.export.dicom.header import moved, study_of_dicom
from semc_core.export.dicom.images import clip, encode_object, still
from semc_core.export.dicom.structured_report import ReportedPlane, structured_report
from semc_core.export.dicom.study import DUMMY_DATE, DUMMY_TIME, StudyContext
from semc_core.export.dicom.uids import KEY_BYTES, UidMaker, fixed_uid, load_key
from semc_core.export.options import ExportOptions, Patient
from semc_core.sources.dicom import DicomSource
from tests.export.dicom.examples import (
    BEGAN,
    DEFAULTS,
    IDENTIFIED,
    MODEL,
    PLANE,
    UIDS,
    no_dicom,
    sample,
    ultrasound,
)

NAME: Final = "Zxqvok^Wjkqa"
CODE: Final = "ZXQVOK"
UID_ROOT: Final = "1.2.3.471147"
DATE, TIME, NUMBER, AGE = "19470815", "112233", "471147", "047Y"
SECRETS: Final = (b"Zxqvok", b"ZXQVOK", b"Wjkqa", UID_ROOT.encode(), DATE.encode(), TIME.encode(),
                  NUMBER.encode(), AGE.encode())  # fmt: skip
_PLANTED: Final[dict[str, object]] = {
    **dict.fromkeys(("LO", "LT", "PN", "SH", "ST", "UC", "UT"), NAME),
    **dict.fromkeys(("AE", "CS"), CODE), "AS": AGE, "DA": DATE, "TM": TIME, "DT": DATE + TIME,
    "DS": NUMBER, "IS": NUMBER, "UI": f"{UID_ROOT}.1", "UR": f"http://{CODE}",
    "OB": NAME.encode(), "UN": NAME.encode(),
    "OW": NAME.encode(), "OB or OW": NAME.encode(),
}  # fmt: skip
# Without these, or with nonsense in them, the file could not be read or would be no ultrasound.
_LEFT_ALONE: Final = ("SOPClassUID", "SpecificCharacterSet", "SequenceOfUltrasoundRegions", "NumberOfFrames")


def _plant(dataset: Dataset, depth: int = 1) -> None:
    """Put a secret into every element that the standard knows, and into private ones."""
    for tag in DicomDictionary:
        group = tag >> 16
        if group in (0x0000, 0x0002, 0x0004, 0x0028, 0x7FE0, 0xFFFE, 0xFFFC):
            continue
        element = pydicom.datadict.keyword_for_tag(tag)
        if not element or element in _LEFT_ALONE:
            continue
        kind = dictionary_VR(tag)
        if kind in _PLANTED:
            dataset.add_new(tag, "OB" if kind == "OB or OW" else kind, _PLANTED[kind])
        elif kind == "SQ" and depth:
            item = Dataset()
            item.PersonName, item.ReferencedSOPInstanceUID, item.TextValue = NAME, f"{UID_ROOT}.2", NAME
            item.add_new(0x00090010, "LO", NAME)
            dataset.add_new(tag, "SQ", [item])
    block = dataset.private_block(0x0011, CODE, create=True)
    block.add_new(1, "LO", NAME)
    block.add_new(2, "OB", NAME.encode())
    # Overlays and curves beside the pixels.
    for group in (0x6000, 0x6002):
        dataset.add_new((group, 0x0022), "LO", NAME)
        dataset.add_new((group, 0x3000), "OW", NAME.encode())
        dataset.add_new((group, 0x4000), "LT", NAME)
    dataset.add_new((0x5000, 0x2500), "LO", NAME)
    dataset.add_new((0x5000, 0x3000), "OW", NAME.encode())


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real ultrasound cine with secrets in every attribute."""
    dataset = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    _plant(dataset)
    for region in dataset.SequenceOfUltrasoundRegions:
        region.add_new(0x00081030, "LO", NAME)
        region.private_block(0x0011, CODE, create=True).add_new(1, "LO", NAME)
    dataset.FrameTime = "33.333"
    dataset.LossyImageCompressionRatio, dataset.LossyImageCompressionMethod = NUMBER, CODE
    dataset.SOPInstanceUID = f"{UID_ROOT}.1"
    dataset.file_meta.SourceApplicationEntityTitle = CODE
    dataset.file_meta.PrivateInformationCreatorUID = f"{UID_ROOT}.9"
    dataset.file_meta.PrivateInformation = NAME.encode()
    dataset.file_meta.ImplementationVersionName = CODE
    dataset.preamble = NAME.encode().ljust(128, b"\0")
    path = tmp_path_factory.mktemp("planted") / "a.dcm"
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("dates", ["removed", "shifted"])
@pytest.mark.requirement("H1")
def test_no_planted_identifier_is_in_the_bytes(planted: Path, dates: Literal["removed", "shifted"]) -> None:
    before = planted.read_bytes()
    assert all(secret in before for secret in SECRETS)
    study = study_of_dicom(planted, UIDS, ExportOptions(dates=dates), text_left=False)
    source = DicomSource(planted)
    packets = [packet for packet in (source.read() for _ in range(3)) if packet]
    source.close()
    frames = [packet.pixels for packet in packets]
    one = still(study, PLANE, frames[0], 1)
    many = clip(study, PLANE, frames, [packet.pts_s for packet in packets], 1, frame_indices=[0, 1, 2])
    report = structured_report(study, [ReportedPlane(PLANE, (one, many))], MODEL, BEGAN)
    for dataset in (one, many, report):
        content = encode_object(dataset)
        assert not [secret for secret in SECRETS if secret in content]
        assert dataset.PatientIdentityRemoved == "YES"
    # It is still the same ultrasound.
    assert one.SequenceOfUltrasoundRegions[0].RegionLocationMaxX1 == 595


def test_the_profile_takes_nothing_that_is_carried_over() -> None:
    kept = header_allowlist.pick(pydicom.dcmread(sample("examples_palette.dcm")), de_identify=True)
    assert "SequenceOfUltrasoundRegions" in kept
    taken = {tuple(tag) for tag in profile.ALL_TAGS}
    assert tag_of("PatientName") in taken
    assert not [element.keyword for element in kept if tag_of(element.keyword) in taken]


def tag_of(keyword: str) -> tuple[int, int]:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return tag >> 16, tag & 0xFFFF


@pytest.mark.parametrize(
    "leak",
    [
        lambda dataset: setattr(dataset, "PatientAge", "047Y"),
        lambda dataset: setattr(dataset, "PatientName", NAME),
        lambda dataset: setattr(dataset, "StudyDate", DATE),
        lambda dataset: setattr(dataset, "FrameOfReferenceUID", f"{UID_ROOT}.3"),
        lambda dataset: setattr(dataset.SourceImageSequence[0], "PersonName", NAME),
        lambda dataset: dataset.private_block(0x0011, CODE, create=True).add_new(1, "LO", NAME),
        lambda dataset: dataset.add_new(0x60003000, "OW", b"ab"),
        lambda dataset: dataset.add_new(0x60023000, "OW", b"ab"),
        lambda dataset: dataset.add_new(0x501E2500, "LO", NAME),
    ],
)
def test_the_last_look_finds_what_slipped_through(leak: Callable[[Dataset], None]) -> None:
    study = ultrasound()
    dataset = still(study, PLANE, np.zeros((4, 4), np.uint8), 1)
    leak(dataset)
    with pytest.raises(ExportError, match="De-identification left") as raised:
        check_removed(dataset, study)
    assert "Zxqvok" not in str(raised.value)


def test_what_slipped_through_is_named() -> None:
    study = ultrasound()
    dataset = still(study, PLANE, np.zeros((4, 4), np.uint8), 1)
    dataset.PatientAge = "047Y"
    dataset.add_new(0x60023000, "OW", b"ab")
    with pytest.raises(ExportError, match=r"left \(6002,3000\), PatientAge in a DICOM object"):
        check_removed(dataset, study)


def _attributes(options: ExportOptions, text_left: bool = True) -> Dataset:
    return still(ultrasound(options, text_left), PLANE, np.zeros((4, 4), np.uint8), 1)


def test_the_attributes_that_record_it_are_right() -> None:
    removed = _attributes(DEFAULTS)
    codes = [item.CodeValue for item in removed.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105"]
    assert removed.LongitudinalTemporalInformationModified == "REMOVED"
    # Nobody has looked at the pixels.
    assert (removed.BurnedInAnnotation, removed.PatientIdentityRemoved) == ("YES", "NO")
    assert (removed.StudyDate, removed.ContentDate) == ("", "19000101")
    shifted = _attributes(ExportOptions(dates="shifted"), text_left=False)
    codes = [item.CodeValue for item in shifted.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113101", "113107"]
    assert shifted.LongitudinalTemporalInformationModified == "MODIFIED"
    assert (shifted.BurnedInAnnotation, shifted.PatientIdentityRemoved) == ("NO", "YES")
    assert "2006" <= shifted.StudyDate[:4] <= "2016"
    assert shifted.StudyDate != "20160503"


def test_with_identity_kept_the_sources_is_written_unless_another_was_given() -> None:
    kept = _attributes(IDENTIFIED)
    assert (kept.PatientName, kept.PatientID, kept.StudyDate) == ("PLA^", "204", "20160503")
    assert kept.StudyInstanceUID.startswith("1.2.840.114340.")
    assert kept.ManufacturerModelName == "Turbo"
    assert "PatientIdentityRemoved" not in kept
    given = _attributes(ExportOptions(deidentify=False, patient=Patient("Doe^Jane", "4711")))
    assert (given.PatientName, given.PatientID) == ("Doe^Jane", "4711")
    assert kept.StudyID == pydicom.dcmread(sample("examples_ybr_color.dcm")).StudyID != ""
    # The study is that of the patient of the header.
    assert given.StudyID == "SEMC"
    assert given.StudyInstanceUID not in (kept.StudyInstanceUID, "")
    longest = _attributes(ExportOptions(deidentify=False, patient=Patient("a" * 62 + "^b", "4" * 64)))
    assert (len(str(longest.PatientName)), longest.PatientID) == (64, "4" * 64)


def of_patient(
    folder: Path, patient: str, study: str, size: bool = True, frames: int | None = 30
) -> StudyContext:
    dataset = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    dataset.PatientID, dataset.StudyInstanceUID = patient, study
    dataset.NumberOfFrames = frames
    if not size:
        del dataset.Rows, dataset.Columns
    path = folder / "loop.dcm"
    dataset.save_as(path)
    return study_of_dicom(path, UIDS, DEFAULTS, text_left=True)


def test_a_patient_has_one_number_in_all_studies_and_without_an_id_one_in_each(tmp_path: Path) -> None:
    first, later = of_patient(tmp_path, "204", "1.2.3"), of_patient(tmp_path, "204", "1.2.4")
    assert first.patient == later.patient
    assert first.patient != of_patient(tmp_path, "205", "1.2.3").patient
    nameless, nameless_later = of_patient(tmp_path, "", "1.2.3"), of_patient(tmp_path, "", "1.2.4")
    assert nameless.patient != nameless_later.patient
    assert nameless.patient == of_patient(tmp_path, "", "1.2.3", size=False).patient
    bare, other = of_patient(tmp_path, "", ""), of_patient(tmp_path, "", "", size=False)
    assert bare.patient.patient_id != other.patient.patient_id, "two files of nobody are of two"


def test_a_source_that_does_not_say_its_size_has_none(tmp_path: Path) -> None:
    assert of_patient(tmp_path, "204", "1.2.3").source_size == (320, 240)
    assert of_patient(tmp_path, "204", "1.2.3", size=False).source_size == (0, 0)


@pytest.mark.parametrize(
    ("of_loop", "written"),
    [(("20160503", "101112"), ("20160503", "101112")), (("", ""), (DUMMY_DATE, DUMMY_TIME))],
)
def test_an_identified_export_says_when_the_loop_was_taken_if_that_is_known(
    tmp_path: Path, of_loop: tuple[str, str], written: tuple[str, str]
) -> None:
    dataset = pydicom.dcmread(sample("examples_ybr_color.dcm"))
    dataset.ContentDate, dataset.ContentTime = of_loop
    for name in ("Acquisition", "Series", "Study"):
        for kind in ("Date", "Time"):
            dataset.pop(name + kind, None)
    path = tmp_path / "loop.dcm"
    dataset.save_as(path)
    study = study_of_dicom(path, UIDS, IDENTIFIED, text_left=True)
    assert (study.content_date, study.content_time) == written


@pytest.mark.parametrize(("said", "frames"), [(30, 30), (0, 1), (None, 1)])
def test_a_source_has_the_frames_that_it_says_and_at_least_one(
    tmp_path: Path, said: int | None, frames: int
) -> None:
    assert of_patient(tmp_path, "204", "1.2.3", frames=said).source_frames == frames


def test_what_is_not_dicom_gets_a_generated_patient() -> None:
    study = no_dicom()
    assert study.patient.patient_id.startswith("ANON-")
    assert study.study_date == ""
    assert no_dicom(ExportOptions(dates="shifted")).study_date not in ("", BEGAN.strftime("%Y%m%d"))
    kept = no_dicom(IDENTIFIED)
    assert kept.study_date == "20260314"
    # An archive would file all patients without a number as one.
    assert kept.patient == Patient("", study.patient.patient_id)


def test_uids_are_consistent_within_a_key_and_unlike_under_another() -> None:
    other = UidMaker(b"o" * KEY_BYTES)
    old = "1.2.840.114340.3.8251017118051.1.20160503.120850.2171"
    assert UIDS.replaced(old) == UIDS.replaced(old) == ultrasound().study_uid
    assert UIDS.replaced(old) != other.replaced(old)
    assert UIDS.replaced("1.2.840.10008.5.1.4.1.1.7") == "1.2.840.10008.5.1.4.1.1.7"
    assert UIDS.made("a", "bc") != UIDS.made("ab", "c")
    assert pydicom.uid.UID(UIDS.made("x")).is_valid
    assert UIDS.pseudonym("x") != other.pseudonym("x")
    assert len({UIDS.made(str(number)) for number in range(1000)}) == 1000


def test_what_is_made_under_a_key_is_the_keyed_hash_of_each_part_with_its_length() -> None:
    key = bytes(range(KEY_BYTES))
    maker = UidMaker(key)

    def digest(*parts: bytes) -> bytes:
        message = b"".join(bytes([0, 0, 0, len(part)]) + part for part in parts)
        return hmac.new(key, message, hashlib.sha256).digest()

    for name in "abcdefghijklmnop":
        made = uuid.UUID(int=int(maker.made(name).removeprefix("2.25.")))
        # A UUID of version 8 and the standard's variant, whose other bits are the hash's.
        assert (made.version, made.variant) == (8, uuid.RFC_4122)
        free = ~(0xF << 76 | 0x3 << 62) & (1 << 128) - 1
        assert made.int & free == int.from_bytes(digest(b"uid", name.encode())[:16], "big") & free
        assert maker.pseudonym(name) == "ANON-" + digest(b"patient", name.encode()).hex()[:12].upper()
        seconds = 1 + int.from_bytes(digest(b"shift", name.encode())[:8], "big") % (3650 * 24 * 3600)
        assert maker.shift(name) == timedelta(seconds=seconds)
    assert maker.replaced("1.2.3") == maker.made("replaced", "1.2.3")
    fixed = uuid.UUID(int=int(fixed_uid("x").removeprefix("2.25.")))
    assert (fixed.version, fixed.hex[-10:]) == (8, hashlib.sha256(b"x").hexdigest()[22:32])
    for wrong in (b"", bytes(KEY_BYTES - 1), bytes(KEY_BYTES + 1)):
        with pytest.raises(ValueError, match="a key has 32 bytes"):
            UidMaker(wrong)


def test_dates_move_back_by_up_to_ten_years_and_never_by_nothing() -> None:
    days = [UIDS.shift(str(number)) / timedelta(days=1) for number in range(300)]
    assert min(days) > 0
    assert max(days) <= 3650
    # Spread over all of it: each third has its share.
    for third in range(3):
        assert 60 < sum(third <= each / 3650 * 3 < third + 1 for each in days) < 140


def test_all_dates_of_a_patient_are_shifted_by_the_same_time() -> None:
    back = timedelta(days=2, hours=11)
    assert moved(("20200301", "101112.5"), "shifted", back) == ("20200227", "231112.500000")
    assert moved(("20200301", "10"), "shifted", back) == ("20200227", "230000")
    assert moved(("20200301", "Meyer"), "shifted", timedelta(days=1)) == ("20200229", "")
    assert moved(("2020.03", "10"), "shifted", back) == ("", "")
    assert UIDS.shift("patient 1") == UIDS.shift("patient 1") != UIDS.shift("patient 2")
    assert timedelta(0) < UIDS.shift("patient 1") <= timedelta(days=3650)


@pytest.mark.parametrize(
    "patient",
    [Patient(birth_date="14.3.1970"), Patient(birth_date="19701301"), Patient(sex="female"),
     Patient(name="a" * 65), Patient(patient_id="47\\11")],
)  # fmt: skip
def test_a_patient_that_dicom_cannot_hold_is_refused(patient: Patient) -> None:
    with pytest.raises(ExportError):
        no_dicom(ExportOptions(deidentify=False, patient=patient))


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "settings" / "export.key"
    key = load_key(path)
    assert len(key) == KEY_BYTES
    assert load_key(path) == key
    assert [file.name for file in path.parent.iterdir()] == ["export.key"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(tmp_path / "other" / "export.key") != key
    path.write_bytes(b"short")
    with pytest.raises(SaveError, match="not a key"):
        load_key(path)


def test_of_two_programs_that_make_a_key_at_once_the_first_ones_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "export.key"

    def too_late(made: Path, wanted: Path) -> None:
        wanted.write_bytes(b"f" * KEY_BYTES)
        raise FileExistsError(wanted)

    monkeypatch.setattr("os.link", too_late)
    assert load_key(path) == b"f" * KEY_BYTES
    assert [file.name for file in tmp_path.iterdir()] == ["export.key"]


def test_a_key_that_can_neither_be_read_nor_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SaveError):
        load_key(tmp_path / "file" / "export.key")
    (tmp_path / "export.key").mkdir()
    with pytest.raises(SaveError):
        load_key(tmp_path / "export.key")


def test_a_source_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is gone"):
        study_of_dicom(tmp_path / "Meyer.dcm", UIDS, DEFAULTS, text_left=True)
    (tmp_path / "Meyer.dcm").write_bytes(b"nothing")
    with pytest.raises(SourceError, match="can no longer be read") as raised:
        study_of_dicom(tmp_path / "Meyer.dcm", UIDS, DEFAULTS, text_left=True)
    assert "Meyer" not in str(raised.value)
