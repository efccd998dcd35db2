"""docs/conformance.md, made of what the program writes, proposes and reads.

`python -m tests.docs.conformance_page` writes it.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from pydicom.datadict import dictionary_description, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID, UID_dictionary

from semc_core.export.dicom.uids import IMPLEMENTATION_UID
from semc_core.pacs.answers import LONGEST_ANSWERS
from semc_core.pacs.association import UNCOMPRESSED
from semc_core.pacs.client import MOST_OBJECTS
from semc_core.pacs.destinations import Destination, Tls, tls_context
from semc_core.pacs.performed import MOST_ATTEMPTS, PERFORMED, PerformedStep, at_end, in_progress
from semc_core.pacs.worklist import (
    MOST_ROWS,
    WORKLIST,
    WorklistQuestion,
    fault,
    identifier_of,
)
from semc_core.serve.settings import Limits
from semc_core.session.examination import Examination
from semc_core.sources.dicom.codecs import can_decode
from semc_core.sources.dicom.video import is_video
from tests.docs.association import Heard, heard
from tests.docs.peers import commitment, studies
from tests.docs.provider import Provided, provided
from tests.docs.written import Written, every_kind, presence

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
STATUSES: Final = (
    0x0000, 0xB000, 0xB006, 0xB007, 0x0111, 0x0117, 0x0122, 0x0124, 0xA700, 0xA900, 0xC000, 0x0110,
)  # fmt: skip
"""What servers answer to C-STORE (PS3.4 B.2.3, PS3.7 annex C), and one that is none of these."""
NOT_TRIED: Final = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203))
"""There is a decoder, and no file to try it with."""
_OF_OTHERS: Final = ("1.2.840.10008.1.2.7.", "1.2.840.10008.1.2.6.", "1.2.840.10008.1.20")
"""Transfer syntaxes that are no files of pictures."""
_OUTCOMES: Final = {
    "stored": "the server has it",
    "refused": "not sent again until somebody asks",
    "not now": "tried again later",
    "unreadable": "failed",
}
_BEGIN: Final = """\
# DICOM conformance statement

Written by `python -m tests.docs.conformance_page` from what the program does: objects that it made, an
associations that it opened with a server and accepted of a scanner on the same machine, decoders that are
there. A test holds the page against that. In the order of PS3.2, with its
words. In plain words: [dicom.md](dicom.md) (what is written), [dicom_files.md](dicom_files.md) (what is
read), [pacs.md](pacs.md) (sending), [privacy.md](privacy.md) (de-identification).

SEMC Live is research software, not a medical device. It reads DICOM files, writes DICOM files as a part of
an export, and sends these to servers. As a service it receives, and sends back what it found.

| network service | as user (SCU) | as provider (SCP) |
|---|---|---|
"""
_SERVICES: Final = (
    ("Verification (C-ECHO)", "yes", "`semc serve`"),
    ("Storage (C-STORE)", "yes", "`semc serve`"),
    ("Query/Retrieve, Study Root (C-FIND)", "of studies; of single objects by their UIDs", "no"),
    ("Query/Retrieve, Study Root (C-GET)", "of one study", "no"),
    ("Query/Retrieve (C-MOVE)", "no", "no"),
    ("Modality Worklist (C-FIND)", "yes", "no"),
    ("Modality Performed Procedure Step (N-CREATE, N-SET)", "where the server was added with it", "no"),
    ("Storage Commitment (N-ACTION, N-EVENT-REPORT)", "where the server was added with it", "no"),
    ("DICOMweb: Store (STOW-RS)", "one instance a request; with the extra `web`", "no"),
    ("DICOMweb: Search (QIDO-RS)", "for studies, and for instances of one; with the extra `web`", "no"),
    ("DICOMweb: Retrieve (WADO-RS)", "instances as they are stored; with the extra `web`", "no"),
    ("Print", "no", "no"),
)
_MEDIA: Final = """
Files: DICOM Part 10 files are read and written. No DICOMDIR is written, none is read as a list of pictures,
and no media application profile is claimed.

## As a user of services (SCU)

One application entity. It opens associations, and accepts those of servers whose confirmation it awaits;
another, below, accepts those of scanners.
"""
_POLICY: Final = """
- **Associations.** One at a time. It is opened when objects wait to be sent, by `semc pacs echo`,
  for a worklist, to tell of a performed step, to find or get a study, and to ask for storage commitment; it
  is released when at most {most} objects were sent.
- **AE titles and address** of a server are given by the user; the own title is `{title}` unless another is
  given. Waits: {connect:g} s for a connection, {answer:g} s for an answer (and the time that the object's
  bytes take), both to be set.
- **TLS.** With a destination that asks for it: {tls}; the server's certificate and name are {checked}. A
  certificate of the program's own is shown where one is given. No user identity is sent.
- **Compression.** Each kind of object is proposed as its file is and, in another context, without
  compression. A server that takes the first gets the file byte for byte; else the object is unpacked, which
  changes no pixel and no UID. A destination added with `--uncompressed` is not offered the compressed
  contexts.

### Association request

| | |
|---|---|
"""
_CONTEXTS: Final = """
### Presentation contexts

Proposed are those of the objects that wait, Verification, and Study Root Find only where an earlier answer
was lost. All of them, each line one context:

| abstract syntax | UID | transfer syntaxes |
|---|---|---|
"""
_STORE: Final = """
### C-STORE: what follows from a status

| status | the object counts as | what the user reads |
|---|---|---|
"""
_FIND: Final = """
### C-FIND of an object

Only to learn whether an object whose answer was lost has arrived. Level {level}; keys, all of them unique:
{keys}. Responses are compared by SOP Instance UID; other attributes are not looked at. A server without
this service is sent the object again, under its UID.
"""
_WORKLIST: Final = """
### C-FIND of Modality Worklist

By `semc pacs worklist` and `Ctrl+L` in the window, over an association of its own that proposes {proposed}
({syntaxes}). Matched: {matched}; the rest is asked for: {returned}. Where nothing is scheduled for a day, the
same is asked without the day. At most {most} responses are read, and for at most {times} times the wait
for an answer; then the association is aborted. A response with a value that its VR does not allow is left
out.

| status | what the user reads |
|---|---|
"""
_PERFORMED: Final = """
### Modality Performed Procedure Step

Only to a server that was added with `--mpps`, for scans of an examination of a worklist, over an association
of its own that proposes {kind} and Verification. Success, a warning, and 0111 of an N-CREATE; success, a
warning, and 0110 with Error ID A710 of an N-SET are taken for done; after 0112 of an N-SET the step is told
from its beginning; after {most} other answers no more is told of that step. Nothing is asked back (N-GET),
and no event is expected.

| message | attributes |
|---|---|
"""
_SCP: Final = """
## As a provider of services (SCP)

`semc serve`: [serve.md](serve.md). One application entity. The tables were heard by a scanner that proposed
every abstract syntax of the standard, and with each that is accepted every transfer syntax, one to a context.

- **Associations.** As many at one time as the settings allow (usual: {associations}). One that is silent for
  {idle:g} s, or lasts {longest:g} s, is broken off (A-ABORT); both to be set. Messages are answered in their
  order; a sender that does not wait for its answers is broken off.
- **Who may send.** Calling AE title and address must be in the settings, and the called AE title the
  service's.
- **TLS.** Where the settings have certificates: TLS 1.2 or later, and the sender's certificate is checked.
  Without them connections are in the clear.
- **Storage.** Level 2 (full): the data set is kept as it came, private elements too. Coercion: none. When
  success is answered the object is on the disk. It stays until somebody removes it; nobody can ask it for
  storage commitment.

### Association response

| | |
|---|---|
"""
_REJECTED: Final = """
### Rejected associations

| because | result | source | reason |
|---|---|---|---|
"""
_ACCEPTED: Final = """
### Presentation contexts

| abstract syntax | UID | transfer syntaxes |
|---|---|---|
"""
_SAME: Final = """
Of several transfer syntaxes in one context the first in the service's own order is taken, whatever the order
in which they are proposed: a sender that has compressed pictures, and shall not unpack them, proposes their
transfer syntax in a context of its own. The "same {number}", in that order:

{names}
"""
_ANSWERS: Final = """
### C-STORE: statuses that are answered

| status | the object |
|---|---|
"""
_REPLIES: Final = """
What is sent back, as a user of services (above): of each loop in which a plane was found a still of each
plane, the structured report, and a key object selection (TID 2010, "Of Interest") that names the stills.
"""
_WRITTEN: Final = """
## Objects that are written

| SOP class | UID | stored as |
|---|---|---|
"""
_WRITTEN_NOTE: Final = """
Stills are stored without compression, clips as JPEG-LS lossless (without compression where a frame has
fewer than 64 bytes); JPEG only where the user asks for it. All text is in {charset}. Private attributes,
curves and overlays are never written. Which kind is made of which source: [dicom.md](dicom.md#objects).
The structured report is TID 1500 with TID 1501 groups; where a fetus was measured in millimetres there is a
second, TID 5000 with TID 5001, 5002, 5003, 5005 and 5008; of several fetuses with TID 1008. Private codes
are of the scheme `99SEMC`, which both declare.

### Attributes

Of a de-identified export. ALWAYS: there with a value. VNAP: there, sometimes empty. EMPTY: there, always
empty. ANAP: there only sometimes. "–": never. Where identity is kept, those of the De-identification are left
out, patient and study are those of the source or those that the user gave, and the words of an ultrasound's
header on equipment, institution, operator and patient (`semc_core/export/dicom/header_allowlist.py`) come on
top. Of a scan with an examination of a worklist, patient and study are that one's, and Request Attributes
Sequence (images) or Referenced Request Sequence (report, key objects) is there, with Institution Name and,
in images, Operators' Name where the examination says them.

"""
_READ: Final = """
## Files that are read

Pictures of any SOP class but Media Storage Directory and Enhanced US Volume; what a damaged or
contradictory header leads to is in [dicom_files.md](dicom_files.md). Video goes to FFmpeg; tried were
MPEG-2 Main Profile / Main Level, H.264 High Profile / Level 4.1 and HEVC Main Profile / Level 5.1.

| transfer syntax | UID | |
|---|---|---|
"""
_NOT_READ: Final = """
Not claimed, for want of a decoder of that name. A file of one of these whose data is nevertheless of a kind
above is read; any other is refused with a sentence that names it:

"""


def page() -> str:
    """The whole page."""
    written = every_kind()
    return "\n".join(_tidy(_lines(written, heard(written, STATUSES)))) + "\n"


def _tidy(parts: Iterator[str]) -> Iterator[str]:
    yield from (part.removesuffix("\n") for part in parts)


def _lines(written: list[Written], said: Heard) -> Iterator[str]:
    yield _BEGIN
    yield from (f"| {' | '.join(row)} |" for row in _SERVICES)
    yield _MEDIA
    yield _policy()
    yield from (f"| {name} | {value} |" for name, value in said.facts.items())
    yield _CONTEXTS
    for kind, proposed in said.contexts:
        yield f"| {UID(kind).name} | {kind} | {', '.join(map(_named, proposed))} |"
    yield _STORE
    for status, answer in said.answers.items():
        yield f"| {status:04X} | {answer.kind}: {_OUTCOMES[answer.kind]} | {answer.sentence} |"
    keys = [element.keyword for element in said.question if element.keyword != "QueryRetrieveLevel"]
    yield _FIND.format(level=said.question.QueryRetrieveLevel, keys=", ".join(keys))
    yield from _worklist()
    yield from _performed()
    yield from commitment()
    yield from studies()
    yield from _provider(provided([str(one) for one in syntaxes()]))
    yield from _objects(written)
    yield from _reading()


def _worklist() -> Iterator[str]:
    whole = identifier_of(WorklistQuestion(date(2026, 11, 30), "US", "STATION"))
    (step,) = whole.ScheduledProcedureStepSequence
    both = [each for each in (*whole, *step) if each.VR != "SQ" and each.keyword != "SpecificCharacterSet"]
    names = {filled: [each.name for each in both if each.is_empty is not filled] for filled in (True, False)}
    yield _WORKLIST.format(
        proposed=f"{UID(WORKLIST).name} ({WORKLIST}) and Verification",
        syntaxes=", ".join(UID(one).name for one in UNCOMPRESSED),
        matched=", ".join(names[True]),
        returned=", ".join(names[False]),
        most=MOST_ROWS,
        times=LONGEST_ANSWERS,
    )
    yield from (
        f"| {status:04X} | {fault('SERVER', status)} |" for status in (0x0124, 0xA700, 0xA900, 0xC001)
    )


def _performed() -> Iterator[str]:
    step = PerformedStep(
        "1.2", "ris", "", "1.3", "1.4", Examination(), "2026-11-30T08:56:00+00:00",
        "2026-11-30T09:10:00+00:00", completed=True,
    )  # fmt: skip
    yield _PERFORMED.format(kind=f"{UID(PERFORMED).name} ({PERFORMED})", most=MOST_ATTEMPTS)
    begun, ended = in_progress(step, "TITLE"), at_end(step)
    (scheduled,), (series,) = begun.ScheduledStepAttributesSequence, ended.PerformedSeriesSequence
    yield f"| N-CREATE | {_names(begun)} |"
    yield f"| an item of Scheduled Step Attributes Sequence | {_names(scheduled)} |"
    yield f"| N-SET | {_names(ended)} |"
    yield f"| the item of Performed Series Sequence | {_names(series)} |"


def _names(dataset: Dataset) -> str:
    return ", ".join(each.name for each in dataset)


def _policy() -> str:
    usual = Destination("name", "host", 104, "TITLE")
    context = tls_context(Tls()).context
    checks = context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
    return _POLICY.format(
        most=MOST_OBJECTS,
        title=usual.own_title,
        connect=usual.connect_s,
        answer=usual.answer_s,
        tls=context.minimum_version.name.replace("TLSv", "TLS ").replace("_", ".") + " or later",
        checked="always checked" if checks else "not always checked",
    )


def _provider(said: Provided) -> Iterator[str]:
    usual = Limits()
    yield _SCP.format(associations=usual.associations, idle=usual.idle_s, longest=usual.longest_s)
    yield from (f"| {name} | {value} |" for name, value in said.facts.items())
    yield _REJECTED
    yield from (f"| {why} | {' | '.join(map(str, codes))} |" for why, codes in said.rejections.items())
    yield _ACCEPTED
    usual_ones = max(said.contexts.values(), key=len)
    for kind, accepted in said.contexts.items():
        same = accepted == usual_ones
        names = f"the same {len(accepted)}" if same else ", ".join(map(_named, accepted))
        yield f"| {UID(kind).name} | {kind} | {names} |"
    yield _SAME.format(number=len(usual_ones), names=", ".join(map(_named, usual_ones)))
    yield _ANSWERS
    yield from (f"| {status:04X} | {what} |" for what, status in said.statuses.items())
    yield _REPLIES


def _named(uid: str) -> str:
    return f"{UID(uid).name} ({uid})"


def _objects(written: list[Written]) -> Iterator[str]:
    yield _WRITTEN
    stored: dict[UID, list[str]] = {}
    for each in written:
        stored.setdefault(each.dataset.SOPClassUID, []).append(UID(each.described.syntax).name)
    yield from (f"| {kind.name} | {kind} | {', '.join(names)} |" for kind, names in stored.items())
    charsets = {each.dataset.SpecificCharacterSet for each in written}
    yield _WRITTEN_NOTE.format(charset=", ".join(sorted(charsets)))
    found = presence()
    yield f"| attribute | tag | VR | {' | '.join(_short(kind) for kind in stored)} |"
    yield f"|---|---|---{'|---' * len(stored)}|"
    names = {name for each in found.values() for name in each}
    for tag in sorted(map(_tag, names)):
        yield _attribute(tag, [found[kind].get(keyword_for_tag(tag), "–") for kind in stored])


def _tag(keyword: str) -> Tag:
    number = tag_for_keyword(keyword)
    assert number is not None, keyword
    return Tag(number)


def _attribute(tag: Tag, cells: list[str]) -> str:
    return f"| {dictionary_description(tag)} | {tag} | {dictionary_VR(tag)} | {' | '.join(cells)} |"


def _short(kind: UID) -> str:
    name = str(kind.name).removesuffix(" Storage").removesuffix(" Image")
    for long, short in (("Ultrasound", "US"), ("Secondary Capture", "SC"), ("Multi-frame", "MF")):
        name = name.replace(long, short)
    return name


def syntaxes() -> dict[UID, str]:
    """Every transfer syntax of the standard that files may have, and how it is read; "" where it is not."""
    known = [UID(uid) for uid, about in UID_dictionary.items() if about[1] == "Transfer Syntax"]
    return {uid: _how(uid) for uid in known if not uid.startswith(_OF_OTHERS)}


def _how(syntax: UID) -> str:
    if not syntax.is_compressed:
        return "read; inflated first" if syntax.is_deflated else "read"
    if is_video(syntax, b""):
        return "read as video"
    if not can_decode(syntax):
        return ""
    return "a decoder is there; not tried, for want of a file" if syntax in NOT_TRIED else "read"


def _reading() -> Iterator[str]:
    yield _READ
    found = syntaxes()
    for syntax, how in found.items():
        if how:
            yield f"| {syntax.name} | {syntax} | {how} |"
    yield _NOT_READ
    yield ", ".join(f"{one.name} ({one})" for one, how in found.items() if not how) + "."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}. The program's implementation UID is {IMPLEMENTATION_UID}.")
