"""The files that `semc analyse` writes for one input: whole, or none of them.

They are written in a hidden folder beside, which is renamed when all is there.

Folders of results: which are ours, how a new one takes the place of an old one, what a kill leaves.

Nothing is deleted that this program did not write: the old results are those that their planes.json lists.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import itertools
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from semc_core.cli.shared.inputs import RESULTS_NAME, Wanted
from semc_core.errors import SaveError, UsageError
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.io.leftovers import leftovers, work_done, work_path
from semc_core.io.lock import LOCK_NAME, WriterLock
from semc_core.io.private import make_private_folder
from semc_core.pipeline.batch import Reviewed
from semc_core.session.database import DATABASE_FILES, DATABASE_NAME
from semc_core.session.files import Origin
from semc_core.session.proof.head_keeper import list_place
from semc_core.session.results_document import DIGITS, results_document
from semc_core.session.session import Session
from semc_core.session.writer import SessionWriter
from semc_core.types import FrameResult, SavedPlane, SourceInfo


class ResultFolder:
    """Collects the results of one input and writes them. Use as a context: what is not kept is removed."""

    def __init__(self, target: Path, origin: Origin) -> None:
        """Prepare a hidden folder beside `target`.

        Raises:
            SaveError: It could not be made.
        """
        self._target = target
        self._origin = origin
        self._work = work_path(target)
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(_header(origin.spec.classes))
        self._pictures: Counter[str] = Counter()
        self._saved: list[SavedPlane] = []
        try:
            shutil.rmtree(self._work, ignore_errors=True)
            make_private_folder(self._work)
        except OSError as error:
            raise save_error(target.parent, error) from error
        self._store = SessionWriter(self._work, origin, fresh=False)

    def __enter__(self) -> ResultFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()
        shutil.rmtree(self._work, ignore_errors=True)
        work_done(self._work)

    @property
    def frames(self) -> int:
        """Frames so far."""
        return self._pictures.total()

    def add(self, reviewed: Reviewed) -> None:
        """Take one batch.

        Raises:
            SaveError: A plane could not be written.
        """
        for result in reviewed.results:
            self._rows.writerow(_row(result))
            self._pictures[result.picture] += 1
        self._store.add(reviewed)
        self._saved += self._store.take_saved()

    def keep(self, source: SourceInfo) -> dict[str, Any]:
        """Write everything under the final name, in place of results of an earlier run.

        Args:
            source: What is known of the source now that it is read: its notice may have grown.

        Returns:
            What planes.json says.

        Raises:
            SaveError: Something could not be written; results of an earlier run are untouched.
        """
        summary: dict[str, Any] = {}

        def write() -> dict[str, str]:
            self._saved += self._store.take_saved()
            summary.update(self._summary(source))
            return {
                FRAMES_NAME: self._write(FRAMES_NAME, self._text.getvalue()),
                RESULTS_NAME: self._write(RESULTS_NAME, json.dumps(summary, indent=2)),
            }

        self._store.finish(source, write)
        try:
            replace_folder(self._work, self._target)
        except OSError as error:
            raise save_error(self._target, error) from error
        list_place(self._target)
        return summary

    def _write(self, name: str, text: str) -> str:
        """Write a file; its SHA-256."""
        content = text.encode()
        write_atomically(self._work / name, content, private=True)
        return hashlib.sha256(content).hexdigest()

    def _summary(self, source: SourceInfo) -> dict[str, Any]:
        return results_document(self._origin, source, self._pictures, self._saved)


def _header(classes: Iterable[str]) -> list[str]:
    names = list(classes)
    fixed = ["frame_index", "time_s", "picture", "label", "confidence", "novelty"]
    return [*fixed, *(f"raw_{name}" for name in names), *(f"smoothed_{name}" for name in names), "quality"]


def _row(result: FrameResult) -> list[object]:
    """Values of one frame; empty where the frame was not classified."""
    prediction, packet = result.prediction, result.packet
    raw: list[object] = [""] * len(result.smoothed)
    if prediction is not None:
        raw = [round(float(value), DIGITS) for value in prediction.probabilities]
    return [
        packet.index,
        round(packet.pts_s, DIGITS),
        result.picture,
        result.label,
        round(result.confidence, DIGITS),
        "" if prediction is None else round(float(prediction.novelty), DIGITS),
        *raw,
        *(round(float(value), DIGITS) for value in result.smoothed),
        "" if result.quality is None else round(result.quality.score, DIGITS),
    ]


@dataclass(frozen=True, slots=True)
class ListedPlane:
    """What is read of a plane in planes.json: the name of its picture."""

    png: str | None


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class Results:
    """What is read of planes.json; it says more, for people."""

    versions: dict[str, str]
    planes: tuple[ListedPlane, ...]


RESULTS: Final = Document(Results)

FRAMES_NAME: Final = "frames.csv"


def check_targets(wanted: Iterable[Wanted], targets: Iterable[Path]) -> None:
    """Make sure that writing to `targets` touches nothing that is to be analysed.

    Raises:
        UsageError: A target is an input, holds one, or lies in one.
    """
    paths = [each.path for each in wanted if not each.problem]
    inputs = _identities(paths)
    # A link lies in one place and what it names in another; both must stay.
    places = [place for path in paths for place in (path.resolve(), path.parent.resolve())]
    around = _identities(above for place in places for above in (place, *place.parents))
    for target in targets:
        resolved = target.resolve()
        if _identities([resolved]) & (inputs | around) or _identities(resolved.parents) & inputs:
            raise UsageError(
                f"{target} is, holds or lies in what is to be analysed; choose another folder with --out."
            )


def check_replaceable(wanted: Iterable[Wanted], out: Path) -> None:
    """Make sure that the folders of `wanted` in `out` are new, or hold earlier results that nobody corrected.

    Raises:
        UsageError: One holds something else, or a person's corrections.
        SessionError: One holds a session that is open elsewhere or cannot be read.
    """
    for each in wanted:
        target = out / each.name
        if not each.problem and target.exists() and result_names(target) is None:
            raise UsageError(
                f"{target} is there and holds no earlier results; choose another folder with --out."
            )
        if not each.problem and _is_corrected(target):
            raise UsageError(
                f"{target} holds corrections that a person made; choose another folder with --out."
            )


def result_names(folder: Path) -> set[str] | None:
    """Names of the results in `folder`, as its planes.json lists them; None if it has none of ours."""
    try:
        found = RESULTS.read(folder / RESULTS_NAME)
    except (OSError, DocumentFault):
        return None
    ours = "semc" in found.versions
    pngs = [Path(plane.png) for plane in found.planes if plane.png is not None]
    # The bare names only: what lies elsewhere is not a result of this folder.
    pairs = [name for png in pngs if png.suffix == ".png" for name in (png.name, f"{png.stem}.json")]
    return {RESULTS_NAME, FRAMES_NAME, *DATABASE_FILES, LOCK_NAME, *pairs} if ours else None


def replace_folder(work: Path, target: Path) -> None:
    """Rename `work` to `target`. What is somebody's own in an older `target` moves over.

    Raises:
        SaveError: There is a `target` that holds no results of ours, or a person's corrections.
        SessionError: The session in `target` is open elsewhere or cannot be read.
        OSError: It could not be renamed; an older `target` is as it was.
    """
    if not target.exists():
        work.rename(target)
        return
    if result_names(target) is None:
        raise SaveError(f"{target} holds no earlier results and was left alone; choose another folder.")
    if _is_corrected(target):
        raise SaveError(f"{target} was corrected meanwhile and was left alone; choose another folder.")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    target.rename(old)
    try:
        work.rename(target)
    except OSError:
        old.rename(target)
        raise
    _carry_over(old, target)


def clear_leftovers(out: Path) -> None:
    """Remove folders that a killed program was preparing in `out`; put back what it was replacing.

    Those of a program that still runs stay.

    Raises:
        SaveError: `out` could not be read, or a leftover could not be removed.
    """
    try:
        for path, name, what in leftovers(out):
            if not path.is_dir():
                continue
            target = out / name
            if what == "part":
                shutil.rmtree(path)
            elif target.exists():
                _carry_over(path, target)
            else:
                path.rename(target)
    except OSError as error:
        raise save_error(out, error) from error


def _is_corrected(target: Path) -> bool:
    """Whether the session in `target`, if there is one, holds work of a person."""
    if not (target / DATABASE_NAME).is_file():
        return False
    # Somebody who has it open for writing may be correcting it now.
    lock = WriterLock(target)
    try:
        with Session.open(target, read_only=True) as session:
            return session.corrections > 0
    finally:
        lock.release()


def _carry_over(old: Path, target: Path) -> None:
    """Move what is somebody's own from `old` to `target`, then delete the old results."""
    names = result_names(old) or set()
    for path in sorted(old.iterdir()):
        if path.name not in names:
            path.rename(_free(target / path.name))
    # planes.json last: as long as it is there, a kill leaves nothing that is not understood.
    for name in sorted(names, key=lambda name: name == RESULTS_NAME):
        (old / name).unlink(missing_ok=True)
    old.rmdir()


def _free(wanted: Path) -> Path:
    """`wanted`, or with a number added if the name is taken."""
    if not wanted.exists():
        return wanted
    numbered = (wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}") for number in itertools.count(2))
    return next(path for path in numbered if not path.exists())


def _identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """What is equal for two names of one file, by links or by upper and lower case; of those there are."""
    found = set()
    for path in paths:
        with contextlib.suppress(OSError):
            status = path.stat()
            found.add((status.st_dev, status.st_ino))
    return found
