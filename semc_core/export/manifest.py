"""The list of what is in a bundle, with a SHA-256 for each file, and the check of a bundle against it."""

from __future__ import annotations

import hashlib
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any, Final

from semc_core.errors import ExportError
from semc_core.io.documents import STRICT, TOLERANT, Document, DocumentFault, configured
from semc_core.io.regular import is_there
from semc_core.io.rules import PlainObject, format_number, matching, one_of
from semc_core.language import _, decimal
from semc_core.session.audit_log import canonical
from semc_core.session.records import Proof, file_sha256
from semc_core.session.signing import Signer, fingerprint, is_signed_by, machine_keys

MANIFEST_NAME: Final = "manifest.json"
FORMAT: Final = "semc-live-export"
FORMAT_VERSION: Final = 1
_BLOCK: Final = 1 << 20
_MOST_FILES: Final = 100_000
_MOST_BYTES: Final = 100_000_000_000
_DAMAGED: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OverflowError, RuntimeError
)  # fmt: skip
"""What reading a ZIP file raises beside OSError. RuntimeError: encrypted, or packed in an unknown way."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a bundle, as its manifest lists it."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class LogHead:
    """Where the session's log ended, and how the session stood."""

    head: str
    proof: str = ""


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class Manifest:
    """What is read of a manifest; it says more, for people."""

    format: Annotated[str, one_of(FORMAT)]
    format_version: Annotated[int, format_number(FORMAT_VERSION)]
    files: dict[str, ListedFile]
    audit: LogHead | None = None
    sessions: tuple[LogHead, ...] = ()
    deidentified: bool = False
    signer: Annotated[str, matching("([0-9a-f]{64})?")] = ""
    signature: Annotated[str, matching("([0-9a-f]{128})?")] = ""

    def __post_init__(self) -> None:
        """Raises ValueError where no session is named."""
        if not self.heads:
            raise ValueError("it names no session")

    @property
    def heads(self) -> tuple[LogHead, ...]:
        """Of the session of an export, or of all of a data set."""
        return self.sessions if self.audit is None else (self.audit, *self.sessions)


MANIFEST: Final = Document(Manifest)
WHOLE: Final[Document[dict[str, Any]]] = Document(PlainObject, config=STRICT)
"""All that a manifest says, which is what is signed."""
_TITLE: Final = "semc-live export 1"


@dataclass(frozen=True, slots=True)
class BundleCheck:
    """What became of a check.

    Attributes:
        files: Files that the manifest lists.
        problems: One sentence each; empty if the bundle is as it was written.
        manifest_sha256: SHA-256 of the manifest, which the session's log names.
        audit_head: Hash of the last log entry of the session, of a data set's first one, at the export.
        names: Of the files that the manifest lists.
        deidentified: Whether the manifest says that nothing in the bundle identifies the patient.
        proof: Which of three holds.
        why: Why it is only consistent; or "".
        of_changed: Whether the session was not as it was written when it was exported.
    """

    files: int
    problems: tuple[str, ...]
    manifest_sha256: str
    audit_head: str
    names: tuple[str, ...] = ()
    deidentified: bool = False
    proof: Proof = Proof.CHANGED
    why: str = ""
    of_changed: bool = False

    @property
    def ok(self) -> bool:
        """Whether every file is there, unchanged, and no other."""
        return not self.problems


def manifest_of(folder: Path, about: Mapping[str, Any], signer: Signer) -> bytes:
    """The manifest of all files in `folder` and below, as JSON: `about`, then path -> hash and size.

    It is signed: `signer` names the key, `signature` is over all the rest.

    Raises:
        OSError: A file cannot be read.
    """
    files = {}
    for name, path in _files_in(folder):
        with path.open("rb") as file:
            digest, size = _digest(file)
        files[name] = {"sha256": digest, "bytes": size}
    whole = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **about,
        "files": files,
        "signer": signer.key,
    }
    whole["signature"] = signer.sign(_message(whole))
    return json.dumps(whole, indent=2, allow_nan=False).encode()


def _message(manifest: Mapping[str, Any]) -> bytes:
    """What is signed of a manifest."""
    plain = {name: value for name, value in manifest.items() if name != "signature"}
    # As it is read back: tuples as lists.
    return f"{_TITLE}\n{canonical(WHOLE.parse(json.dumps(plain)))}".encode()


def check_bundle(bundle: Path) -> BundleCheck:
    """Compare a bundle, a folder or a ZIP file, with its manifest. Nothing is unpacked.

    Raises:
        ExportError: It is no bundle, or cannot be read.
    """
    if not is_there(bundle):
        raise ExportError(_("{export} was not found; check the name.", export=bundle))
    try:
        if bundle.is_dir():
            with (bundle / MANIFEST_NAME).open("rb") as file:
                content = file.read(MANIFEST.most_bytes + 1)
            return _check(bundle, _digests_of_folder(bundle), content)
        with zipfile.ZipFile(bundle) as archive:
            _check_size(bundle, archive)
            with archive.open(MANIFEST_NAME) as packed:
                content = packed.read(MANIFEST.most_bytes + 1)
            return _check(bundle, _digests_of_zip(archive), content)
    except (OSError, KeyError, ValueError, *_DAMAGED) as error:
        raise _no_export(bundle, _("{file} is missing or damaged", file=MANIFEST_NAME)) from error


def _check(bundle: Path, found: dict[str, str], content: bytes) -> BundleCheck:
    try:
        manifest = MANIFEST.parse(content)
    except DocumentFault as fault:
        if fault.newer:
            raise ExportError(
                _(
                    "The export's {manifest} was written by a newer version; update SEMC Live to check it.",
                    manifest=MANIFEST_NAME,
                )
            ) from fault
        raise _no_export(bundle, _("{file} is damaged: {fault}", file=MANIFEST_NAME, fault=fault)) from fault
    listed = {name: each.sha256 for name, each in manifest.files.items()}
    found = {name: digest for name, digest in found.items() if name != MANIFEST_NAME}
    problems = [_("{file} is missing.", file=name) for name in listed if name not in found]
    problems += [_("{file} was added.", file=name) for name in found if name not in listed]
    problems += [
        _("{file} was changed.", file=name)
        for name in listed
        if name in found and found[name] != listed[name]
    ]
    problem, why = _signature(manifest, content)
    problems += [problem] if problem else []
    proof = Proof.CHANGED if problems else Proof.CONSISTENT if why else Proof.PROVEN
    return BundleCheck(
        len(listed),
        tuple(sorted(problems)),
        hashlib.sha256(content).hexdigest(),
        manifest.heads[0].head,
        tuple(listed),
        manifest.deidentified,
        proof,
        why,
        any(each.proof == Proof.CHANGED.value for each in manifest.heads),
    )


def _signature(manifest: Manifest, content: bytes) -> tuple[str, str]:
    """What is wrong with the signature, and else why it proves nothing here; or ""."""
    if not manifest.signer and not manifest.signature:
        return "", _("an older program wrote it, which signed nothing")
    message = _message(WHOLE.parse(content))
    if not manifest.signature or not is_signed_by(manifest.signer, manifest.signature, message):
        told = _("{file} was changed: its signature is not by the key that it names.", file=MANIFEST_NAME)
        return told, ""
    if manifest.signer in machine_keys():
        return "", ""
    return "", _("signed by another key, fingerprint {print}", print=fingerprint(manifest.signer))


def _check_size(bundle: Path, archive: zipfile.ZipFile) -> None:
    """A small file may say that it holds a great many others, or one that never ends.

    Raises:
        ExportError: No export is so large.
    """
    files = archive.infolist()
    unpacked = sum(each.file_size for each in files)
    if len(files) > _MOST_FILES or unpacked > _MOST_BYTES:
        raise ExportError(
            _(
                "{export} holds {count} files of {size} GB together, and an export at most {most} of {limit} "
                "GB; get it again from where it was exported.",
                export=bundle,
                count=len(files),
                size=decimal(unpacked / 1e9, 1),
                most=_MOST_FILES,
                limit=decimal(_MOST_BYTES / 1e9, 0),
            )
        )


def _no_export(bundle: Path, why: str) -> ExportError:
    return ExportError(
        _("{export} is not a whole export ({why}); export the session again.", export=bundle, why=why)
    )


def _digests_of_folder(folder: Path) -> dict[str, str]:
    return {name: file_sha256(path) for name, path in _files_in(folder)}


def _digests_of_zip(archive: zipfile.ZipFile) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in archive.infolist():
        if each.is_dir():
            continue
        if each.filename in found:
            raise ValueError("two files of one name")
        try:
            with archive.open(each) as file:
                found[each.filename] = _digest(file)[0]
        except _DAMAGED:
            # Its own checksum does not hold: it differs from what was written, whatever it holds.
            found[each.filename] = "damaged"
    return found


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name within the bundle, with forward slashes, and path, in the order of the names."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _digest(file: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := file.read(_BLOCK):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size
