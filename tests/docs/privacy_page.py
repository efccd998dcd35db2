"""docs/privacy.md, what is removed by PS3.15 annex E: `python -m tests.docs.privacy_page` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as profile
from pydicom.datadict import dictionary_description, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from tests.docs.written import of_studies
from tests.export.dicom.examples import ultrasound

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
ACTIONS: Final = {
    "D": profile.D_TAGS, "Z": profile.Z_TAGS, "X": profile.X_TAGS, "U": profile.U_TAGS,
    "Z/D": profile.Z_D_TAGS,
    "X/Z": profile.X_Z_TAGS, "X/D": profile.X_D_TAGS, "X/Z/D": profile.X_Z_D_TAGS,
    "X/Z/U*": profile.X_Z_U_STAR_TAGS,
}  # fmt: skip
"""What the profile asks, and of which elements: D dummy, Z empty or dummy, X removed, U new UID."""
OWN: Final = {
    "PatientName": "a pseudonym, `ANON-` and 12 characters",
    "PatientID": "the same pseudonym",
    "PatientBirthDate": "empty",
    "PatientSex": "empty",
    "StudyDate": "empty, or moved",
    "StudyTime": "empty, or moved",
    "ContentDate": "19000101, or moved",
    "ContentTime": "000000, or moved",
    "AccessionNumber": "empty",
    "ReferringPhysicianName": "empty",
    "StudyID": "`SEMC`",
    "StudyInstanceUID": "new",
    "SeriesInstanceUID": "new",
    "SOPInstanceUID": "new",
    "SeriesDescription": "the program's own words",
    "ImageComments": "the program's own words: plane, confidence, frame",
    "DerivationDescription": "the program's own words",
    "SourceImageSequence": "refers to the source by its new UID",
    "ContentSequence": "the report, made anew",
    "ReferencedPerformedProcedureStepSequence": "empty",
    "SeriesDate": "empty, or moved",
    "SeriesTime": "empty, or moved",
    "Manufacturer": "the maker, as this program writes it, or empty",
}
"""What is written in place of what the profile takes away."""
_OPTIONS: Final = (
    ("113100", "Basic Application Confidentiality Profile", "always"),
    (
        "113101",
        "Clean Pixel Data",
        "where somebody or something looked for text in the pictures, and none is left",
    ),
    ("113102", "Clean Recognizable Visual Features", "never: no faces are looked for"),
    ("113103", "Clean Graphics", "never claimed: overlays and graphics are not written at all"),
    (
        "113104",
        "Clean Structured Content",
        "never claimed: the report is made anew, nothing of the source's is in it",
    ),
    ("113105", "Clean Descriptors", "always: all descriptions are the program's own words"),
    ("113106", "Retain Longitudinal Temporal Information, Full Dates", "never"),
    ("113107", "Retain Longitudinal Temporal Information, Modified Dates", "with `--dates shifted`"),
    ("113108", "Retain Patient Characteristics", "never"),
    ("113109", "Retain Device Identity", "never"),
    ("113110", "Retain UIDs", "never"),
    ("113111", "Retain Safe Private", "never: no private element is written"),
    ("113112", "Retain Institution Identity", "never"),
)
_BEGIN: Final = """\
# Privacy profile

What an export (`semc export`, or E in the window) holds of a person, unless identity is kept on purpose.
Written by `python -m tests.docs.privacy_page` from objects that the program made; tests hold the page
against that, and against an export of a file in which names were planted. How it is done:
[dicom.md](dicom.md#de-identification); what remains in a session on the machine:
[security.md](security.md#data-at-rest).

**Not anonymous.** The pictures are those of a person, and whoever holds `export.key` can try names against
the pseudonyms.

## DICOM objects, against PS3.15 annex E (edition 2026c)

Objects are made anew, so everything that is not named here is absent: of the {count} elements in table
E.1-1, {present} are in the objects at all.

### Options

| code | option | claimed in De-identification Method Code Sequence |
|---|---|---|
"""
_TABLE: Final = """
### Elements of table E.1-1 that the objects have

| element | tag | the profile asks | written |
|---|---|---|---|
"""
_CARRIED: Final = """
### What is carried over from the source's header

Only from a DICOM ultrasound, and only binary numbers and the standard's own terms, and the maker's name as
this program writes it: {carried}. None of them is in table E.1-1
(`tests/export/dicom/test_deidentify.py::test_the_profile_takes_nothing_that_is_carried_over`).
Private elements, curves (50xx) and overlays (60xx) are never carried over. Each finished object is held
against the table once more, and an export with anything left of it is not written
(`tests/export/dicom/test_deidentify.py::test_the_last_look_finds_what_slipped_through`).
"""
_OTHERS: Final = """
## Pictures and clips

| what | becomes | test |
|---|---|---|
| everything outside the region of interest | black, in every frame | `tests/export/test_deidentify.py::test_all_pixels_that_writers_are_given_are_blanked` |
| masks that the user drew, for this device | black | `tests/export/test_masks.py::test_only_what_is_inside_the_region_and_outside_the_masks_stays` |
| text inside the region, read beyond doubt, or beside the sector | looked for with the extra `ocr`; black, and it is said | `tests/export/test_doubtful.py::test_what_is_sure_is_blackened_without_a_question`, `tests/export/test_doubtful.py::test_text_in_a_black_corner_lies_beside_the_sector_and_is_blackened_unasked` |
| a doubtful reading inside the sector | its plane stays out, which is said, until a person has it blackened or keeps it | `tests/export/test_doubtful.py::test_a_doubtful_reading_keeps_its_plane_alone_out_and_it_is_said_everywhere` |
| text where `--text` says what to do | masked, left out with its plane, or kept, which is said | `tests/export/test_deidentify.py::test_text_is_masked_in_all_that_writers_are_given_and_nothing_is_given_before_the_user_chose` |
| the same without the extra | stays; the export says that nobody looked | `tests/export/test_deidentify.py::test_that_nobody_looked_for_names_is_said_where_they_are_to_be_taken_away` |
| what a file says beside its pixels | gone: pictures and clips are encoded anew | `tests/export/test_identity.py::test_nothing_planted_is_found_in_the_bundle_or_in_the_logs` |
| the region of interest is the whole picture | nothing is blanked, which is said | `tests/export/test_deidentify.py::test_planes_without_a_clip_and_with_nothing_round_them_are_counted` |

## Tables, report, JSON

| what | becomes | test |
|---|---|---|
| name and path of the source | the pseudonym; the path is left out | `tests/docs/test_privacy.py::test_tables_and_records_name_nobody` |
| date and time of the scan | left out; times count from the scan's beginning | the same |
| notes, reasons, names of marks | left out, unless `--notes` is given; the export says so | `tests/export/test_deidentify.py::test_words_of_a_person_are_given_where_they_are_wanted` |
| texts on pictures | left out with the notes, and it is said; arrows and body marks stay | `tests/export/test_annotated.py::test_a_deidentified_export_leaves_texts_out_and_says_so` |
| names of files | number, plane and frame | `tests/docs/test_privacy.py::test_tables_and_records_name_nobody` |
| the patient in `fhir.json` | the pseudonym of the DICOM objects | `tests/export/fhir/test_resources.py::test_it_names_nobody_and_no_day_unless_identity_is_kept` |
| poses of pictures and transforms | places are written, which may help to find out where the scan was made; no time of the sender's clock | `tests/export/test_poses.py::test_a_name_of_a_device_and_a_date_stay_out_of_what_is_deidentified` |
| names of transforms | usual ones stay, such as `ProbeToTracker`; others become a number | `tests/export/test_poses.py::test_usual_names_stay_and_others_are_numbered_alike_all_through` |
| gestational age, measures | written: they say nothing of who it is, but may help to find out | |
| the model, versions of libraries, the kind of processor | written | |

## With identity kept

`--identified`, or the choice in the window: nothing is blanked, and the names are those of the source or
those that the user gave, or those of the scan's examination, chosen from a worklist or filled in by hand. An export of nobody is refused
(`tests/export/dicom/test_sources.py::test_an_identified_export_of_nobody_is_refused_and_nothing_is_written`).
"""  # noqa: E501 - rows of tables


def page() -> str:
    """The whole page."""
    return "\n".join(line.removesuffix("\n") for line in _lines(of_studies())) + "\n"


def asked() -> dict[Tag, str]:
    """For each element of the profile's table what it asks."""
    return {Tag(tag): action for action, tags in ACTIONS.items() for tag in tags if len(tag) == 2}


def there(objects: Iterable[Dataset]) -> set[Tag]:
    """Elements of the table that are in the objects themselves (items have their own)."""
    table = asked()
    return {element.tag for each in objects for element in each if element.tag in table}


def claimed(objects: Iterable[Dataset]) -> set[str]:
    """The codes of the options that the objects name."""
    return {item.CodeValue for each in objects for item in each.DeidentificationMethodCodeSequence}


def carried() -> list[str]:
    """Names of what the header of a source gave."""
    studies = (ultrasound(), ultrasound(name="examples_palette.dcm"))
    return sorted({dictionary_description(element.tag) for study in studies for element in study.carried})


def _lines(objects: tuple[Dataset, ...]) -> Iterator[str]:
    table, found = asked(), sorted(there(objects))
    yield _BEGIN.format(count=len(table), present=len(found))
    yield from (f"| {code} | {name} | {when} |" for code, name, when in _OPTIONS)
    yield _TABLE
    for tag in found:
        name = dictionary_description(tag)
        yield f"| {name} | {tag} | {table[tag]} | {OWN[keyword_for_tag(tag)]} |"
    yield _CARRIED.format(carried=", ".join(carried()))
    yield _OTHERS


def options_claimed() -> dict[str, str]:
    """The codes on the page, and when each is claimed."""
    return {code: when for code, _, when in _OPTIONS}


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}.")
