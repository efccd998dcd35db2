"""What was read in a session's pictures, and what was said of it, in a file among the user's own data.

So that an export finds its pictures read, and asks nothing twice. No words are kept, only where text lies and
how sure it is, under the hash of the pixels: other pixels are read anew. The file lies outside the session,
whose own files are proved; it can be deleted at any time.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

from semc_core.errors import SaveError
from semc_core.export.found_text import Answer, FoundText
from semc_core.export.ocr import READER, Reading, TextReadings
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.io.private import make_private_folder
from semc_core.io.rules import one_of
from semc_core.types import Crop

FOLDER: Final = "readings"
MOST_SESSIONS: Final = 200
"""The files of those read longest ago go first."""


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class KeptBox:
    """A rectangle, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def crop(self) -> Crop:
        """The same as the program uses it."""
        return Crop(self.left, self.top, self.width, self.height)


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class KeptText:
    """Where text lies, and how sure it is; not what it says."""

    box: KeptBox
    score: float


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class KeptReading:
    """See `ocr.Reading`."""

    masks: tuple[KeptBox, ...]
    found: tuple[KeptText, ...]


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was said of text in this place."""

    box: KeptBox
    answer: Annotated[str, one_of("mask", "keep")]


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class KeptFile:
    """What is in the file."""

    reader: str
    readings: dict[str, tuple[KeptReading, ...]]
    answers: dict[str, tuple[KeptAnswer, ...]]


KEPT: Final = Document(KeptFile)


class KeptReadings(TextReadings):
    """`TextReadings` that are in a file; what cannot be read of it is read in the pictures again."""

    def __init__(self, data: Path, session_id: str) -> None:
        """Take what is there.

        Args:
            data: The user's own data; the folder need not be there yet.
            session_id: Of the session.
        """
        super().__init__()
        self._path = data / FOLDER / f"{session_id}.json"
        self._changed = False
        with contextlib.suppress(OSError, DocumentFault):
            self._take(KEPT.read(self._path))

    def save(self) -> None:
        """Write what is new; where that cannot be written, it is read again the next time."""
        with self._lock:
            if not self._changed:
                return
            self._changed = False
            content = json.dumps(asdict(self._plain()), allow_nan=False).encode()
        with contextlib.suppress(OSError, SaveError):
            make_private_folder(self._path.parent)
            write_atomically(self._path, content, private=True)
            self._forget_oldest()

    def _keep(self, digest: str, reading: Reading) -> None:
        super()._keep(digest, reading)
        self._changed = True

    def _answered(self, digest: str, said: dict[Crop, Answer]) -> None:
        super()._answered(digest, said)
        self._changed = True

    def _take(self, kept: KeptFile) -> None:
        for digest, said in kept.answers.items():
            self._answers[digest] = {
                each.box.crop(): "keep" if each.answer == "keep" else "mask" for each in said
            }
        if kept.reader != READER:
            return
        for digest, readings in kept.readings.items():
            self._known[digest] = [
                Reading(
                    frozenset(box.crop() for box in each.masks),
                    tuple(FoundText(text.box.crop(), "", text.score) for text in each.found),
                )
                for each in readings
            ]

    def _plain(self) -> KeptFile:
        readings = {
            digest: tuple(
                KeptReading(
                    tuple(map(_box, each.masks)),
                    tuple(KeptText(_box(text.box), text.score) for text in each.found),
                )
                for each in known
            )
            for digest, known in self._known.items()
        }
        answers = {
            digest: tuple(KeptAnswer(_box(box), answer) for box, answer in said.items())
            for digest, said in self._answers.items()
        }
        return KeptFile(READER, readings, answers)

    def _forget_oldest(self) -> None:
        files = sorted(self._path.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in files[:-MOST_SESSIONS]:
            path.unlink(missing_ok=True)


def _box(crop: Crop) -> KeptBox:
    return KeptBox(crop.left, crop.top, crop.width, crop.height)
