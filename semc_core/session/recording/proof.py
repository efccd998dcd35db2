"""Proof of a session's recordings: their sizes and SHA-256 go into the log, and are compared with it later.

Hashing a long recording takes a while, so a thread of its own does it while the session is open for writing.
What it does not get done before the session is closed waits until the session is next open for writing.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from semc_core.errors import SemcError
from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.session.recording.parts import TABLE_SUFFIX, part_number, videos_there
from semc_core.session.records import AuditEntry

RECORDING: Final = "recording"
"""Kind of the log's entry about a recording that ended: `parts` names its videos."""
HASHED: Final = "recording hashed"
"""Kind of the entry that holds name, size and SHA-256 of a part's video and table, under `files`.

Of a part whose table is gone, the video alone.
"""
TO_HASH: Final = "to_hash"
"""Set in a `RECORDING` entry whose parts are to be hashed; older programs did not hash them."""
DELETED: Final = "recording deleted"
"""Kind of the entry that says that a person had a recording deleted: `parts` names its videos."""
RECOVERED: Final = "recovered"
"""Set in a `RECORDING` entry that was made when a killed session was next opened."""


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class EndedRecording:
    """What a `RECORDING` entry says. There is more, for people."""

    parts: tuple[str, ...]
    to_hash: bool = False
    recovered: bool = False


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file of a part."""

    name: str
    size: int
    sha256: str


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class DeletedRecording:
    """What a `DELETED` entry says."""

    parts: tuple[str, ...]


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class HashedFiles:
    """What a `HASHED` entry says."""

    files: tuple[HashedFile, ...]


ENDED: Final = Document(EndedRecording)
HASHED_FILES: Final = Document(HashedFiles)
DELETED_RECORDING: Final = Document(DeletedRecording)

_BLOCK: Final = 2**20
_LAST_BLOCK_S: Final = 2.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Recordings:
    """What a log says of the recordings.

    Attributes:
        to_hash: Whether each part that the log names was to be hashed.
        recovered: The parts whose end a kill took: no table may have been there.
        late: The parts that were still to be hashed when the session was opened again.
        hashed: Name of a part's video -> its files: name -> size in bytes and SHA-256.
        deleted: Name of a part's video -> when a person had it deleted, ISO 8601.
    """

    to_hash: dict[str, bool] = field(default_factory=dict)
    recovered: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    hashed: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)

    @property
    def due(self) -> tuple[str, ...]:
        """The parts that still are to be hashed."""
        done = self.hashed.keys() | self.deleted.keys()
        return tuple(name for name, wanted in self.to_hash.items() if wanted and name not in done)


def recordings_of(entries: Iterable[AuditEntry]) -> Recordings:
    """What the log says of recordings. Names that are none of ours are left out: they could be paths.

    Raises:
        DocumentFault: An entry is not as this program writes it.
    """
    told = Recordings()
    for entry in entries:
        if entry.kind == RECORDING:
            ended = ENDED.from_plain(entry.payload)
            names = [name for name in ended.parts if part_number(name)]
            told.to_hash.update(dict.fromkeys(names, ended.to_hash))
            told.recovered.update(names if ended.recovered else ())
        elif entry.kind == "opened":
            told.late.update(told.due)
        elif entry.kind == DELETED:
            parts = DELETED_RECORDING.from_plain(entry.payload).parts
            told.deleted.update({name: entry.time_utc for name in parts if part_number(name)})
        elif entry.kind == HASHED:
            files = {each.name: (each.size, each.sha256) for each in _files(entry)}
            videos = [name for name in files if part_number(name)]
            told.hashed.update(dict.fromkeys(videos, files))
    return told


@dataclass(frozen=True, slots=True)
class RecordingCheck:
    """How recordings stand.

    Attributes:
        problems: What is wrong, sentences.
        notes: What cannot be said because a recording was not hashed, and which were deleted; sentences.
        uncovered: Names of the videos that are there and were not hashed.
    """

    problems: list[str]
    notes: list[str]
    uncovered: tuple[str, ...] = ()


def check_recordings(
    folder: Path, entries: Iterable[AuditEntry], *, closed: bool, contents: bool = True
) -> RecordingCheck:
    """Hold the recordings against the log.

    Args:
        folder: Of the session.
        entries: The whole log.
        closed: Whether the log ends with a proper end.
        contents: Read them; else only their sizes are compared.
    """
    try:
        told = recordings_of(entries)
    except DocumentFault as fault:
        return RecordingCheck(
            [f"What the log says of the recordings cannot be read: it was changed ({fault})."], []
        )
    there = {video.name for video in videos_there(folder)}
    gone = told.deleted.keys() - there
    problems, notes = [], [_deletion(name, told.deleted[name], there=name in there) for name in told.deleted]
    for video, files in told.hashed.items():
        if video in gone:
            continue
        problems += [
            sentence
            for name, proof in files.items()
            if (sentence := _changed(folder, name, proof, contents=contents))
        ]
    for name in sorted((told.late & told.hashed.keys()) - gone):
        notes.append(
            f"{name} was hashed only when its session was opened again: what was changed before that is not "
            "found."
        )
    uncovered = sorted({*there, *told.to_hash} - told.hashed.keys() - gone)
    for name in uncovered:
        if name not in there and told.to_hash[name]:
            problems.append(f"The recording {name} is missing.")
        else:
            notes.append(_unproven(name, told.to_hash.get(name), closed=closed, there=name in there))
    for name in sorted(there):
        problem, note = _about_table(folder, name, told)
        problems += [problem] if problem else []
        notes += [note] if note else []
    return RecordingCheck(problems, notes, tuple(name for name in uncovered if name in there))


def _about_table(folder: Path, video: str, told: Recordings) -> tuple[str, str]:
    """What is wrong with the table of a part, and what cannot be said for want of it; or "".

    One that was hashed was held against that already.
    """
    table = _table_of(video)
    if table in told.hashed.get(video, {}):
        return "", ""
    if (folder / table).exists():
        added = video in told.hashed
        return (f"The recording {table} was added after {video} was hashed." if added else ""), ""
    if told.to_hash.get(video) and video not in told.recovered:
        return f"The recording {table} is missing.", ""
    return "", f"{video} has no table {table}: nothing says which frames it holds, so it is not shown."


def _deletion(name: str, time_utc: str, *, there: bool) -> str:
    """What is said of a part that a person had deleted."""
    when = f"{time_utc[:19].replace('T', ' ')} UTC"
    if there:
        return f"{name} was to be deleted on {when} and is still there; delete it again."
    return f"The recording {name} was deleted on {when}, as the log says."


def _unproven(name: str, to_hash: bool | None, *, closed: bool, there: bool) -> str:
    """Why nothing can be said of a part; `to_hash` is None where the log does not name it."""
    if not there:
        return f"{name} is not there; an older program made it and did not hash it."
    if to_hash is None and not closed:
        return (
            f"{name} is not covered: its session is still open, or was never closed. Close it, or open it "
            "again, to have that done."
        )
    if to_hash is None:
        return (
            f"{name} is not covered: the log does not name it, so somebody may have added it later. "
            "Do not rely on it."
        )
    if to_hash:
        return f"{name} is not covered: it has not been hashed yet. Open the session to have that done."
    return f"{name} is not covered: an older program made it and did not hash it."


def _changed(folder: Path, name: str, proof: tuple[int, str], *, contents: bool) -> str:
    """What is wrong with a file, or ""."""
    size, digest = proof
    try:
        found = (folder / name).stat().st_size
        if found == size and (not contents or _sha256(folder / name, lambda: False) == digest):
            return ""
    except OSError:
        return f"The recording {name} is missing or cannot be read."
    if found != size:
        return f"The recording {name} was changed: it has {found} bytes and had {size}."
    return f"The recording {name} was changed."


def _table_of(video: str) -> str:
    return str(Path(video).with_suffix(TABLE_SUFFIX))


def _files(entry: AuditEntry) -> Iterator[HashedFile]:
    """What an entry says of the files of parts, and of no others."""
    files = HASHED_FILES.from_plain(entry.payload).files
    videos = [each.name for each in files if part_number(each.name)]
    ours = {*videos, *map(_table_of, videos)}
    return (each for each in files if each.name in ours)


def _sha256(path: Path, given_up: Callable[[], bool]) -> str | None:
    """SHA-256 of a file; None if `given_up` on the way. Raises OSError."""
    digest, block = hashlib.sha256(), bytearray(_BLOCK)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            if given_up():
                return None
            digest.update(memoryview(block)[:count])
    return digest.hexdigest()


class RecordingVerifier:
    """Hashes recordings on a thread of its own. For any thread; only `close` waits."""

    def __init__(self, folder: Path, write: Callable[[dict[str, Any]], None]) -> None:
        """Nothing is started yet.

        Args:
            folder: Of the session.
            write: Writes the payload of a `HASHED` entry; called on the prover's thread. May raise SemcError.
        """
        self._folder = folder
        self._write = write
        self._changed = threading.Condition()
        self._asked: list[str] = []
        self._proven: set[str] = set()
        self._next = 0
        self._closed = False
        self._given_up = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self, parts: Iterable[str]) -> None:
        """Hash these parts, which are written to no more; each once. Nothing after `close`."""
        with self._changed:
            if self._closed:
                return
            self._asked += [name for name in parts if name not in self._asked]
            if self._asked and self._thread is None:
                # A daemon: a drive that never answers does not hold up the end of the program.
                self._thread = threading.Thread(target=self._run, name="recording-prover", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self, wait_s: float) -> tuple[str, ...]:
        """Wait so long for what was asked for, then give it up. May be called twice.

        The block that is being read is waited for, too, but not for ever: a network drive that is gone may
        never answer.

        Returns:
            The parts that were asked for and are not proven.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and not self._given_up.is_set():
            thread.join(wait_s)
            self._given_up.set()
            thread.join(_LAST_BLOCK_S)
            if thread.is_alive():
                _log.warning("A recording was not hashed: its drive does not answer")
        with self._changed:
            return tuple(name for name in self._asked if name not in self._proven)

    def _run(self) -> None:
        try:
            while (name := self._take()) is not None:
                self._prove(name)
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            # The recording stays unproven, which `semc session verify` says. The type only: a path may name
            # a patient.
            _log.error("A recording was not hashed: %s", type(error).__name__)

    def _take(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next < len(self._asked))
            if self._next == len(self._asked) or self._given_up.is_set():
                return None
            self._next += 1
            return self._asked[self._next - 1]

    def _prove(self, video: str) -> None:
        files = []
        paths = [self._folder / video, self._folder / _table_of(video)]
        try:
            # The pictures are worth a proof without their table, too; that it is not there, `verify` says.
            for path in paths if paths[1].exists() else paths[:1]:
                digest = _sha256(path, self._given_up.is_set)
                if digest is None:
                    return
                files.append({"name": path.name, "size": path.stat().st_size, "sha256": digest})
            if self._given_up.is_set():
                return
            self._write({"files": files})
        except (OSError, SemcError) as error:
            _log.warning("A recording was not hashed: %s", type(error).__name__)
        else:
            with self._changed:
                self._proven.add(video)
