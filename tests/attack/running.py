"""Attacking copies of one session, and what the program says of each."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from semc_core.errors import SemcError
from semc_core.paths import data_folder
from semc_core.session.correcting.changes import ChooseFrame, Relabel, SetNote
from semc_core.session.records import Proof
from semc_core.session.session import Session
from semc_core.session.signing import BOOK_NAME
from tests.attack.changes import AT_RANDOM, Change, files_of
from tests.session.sessions import filled_session, frame


@dataclass(slots=True)
class Outcome:
    """What came of an attack.

    Attributes:
        name: Which.
        said: "not as it was written", "could not be opened", or what it must not be.
        seed: That makes it again.
    """

    name: str
    said: str
    seed: int

    @property
    def found(self) -> bool:
        """Whether it was found."""
        return self.said in (Proof.CHANGED.value, REFUSED)


REFUSED = "could not be opened"


@dataclass(slots=True)
class Attacked:
    """One session, changed again and again in its own place.

    What the machine remembers of it is put back each time, too. Otherwise the program, which signs what it
    finds at an attack, would after the first one know of an end that the session put back does not have, and
    convict even that.
    """

    folder: Path
    kept: Path = field(init=False)
    _book: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Write the session: planes, corrections, a clip, a recording and an export."""
        self.kept = self.folder.with_name("kept")
        with filled_session(self.folder) as session:
            session.apply(Relabel(1, "B"))
            session.apply(ChooseFrame(1, frame(14)))
            session.apply(SetNote(None, "words"))
            (self.folder / "clips").mkdir()
            (self.folder / "clips" / "002_B.mkv").write_bytes(b"clip")
            session.set_clip(2, "clips/002_B.mkv")
            (self.folder / "recording.mkv").write_bytes(b"no video")
            (self.folder / "recording.csv").write_bytes(b"frame_index,pts_s,time_ms,channels\n")
            session.record_recording(["recording.mkv"], {"frames": 0})
            session.record_export("folder", "study", "ab" * 32, {})
        shutil.copytree(self.folder, self.kept)
        self._book = _book().read_bytes()

    def put_back(self) -> None:
        """The session, and what the machine remembers of it, are as before the first attack."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder)
        _book().write_bytes(self._book)

    def attack(self, name: str, change: Change, seed: int) -> Outcome:
        """Put the session back, change it, and ask. A traceback is not caught."""
        self.put_back()
        chance, before = random.Random(seed), self._contents()
        change(self.folder, chance)
        while self._contents() == before:  # two equal files were swapped, say
            change(self.folder, chance)
        return Outcome(name, said_of(self.folder), seed)

    def at_random(self, count: int, first_seed: int) -> Iterator[Outcome]:
        """So many attacks, of each kind alike."""
        names = list(AT_RANDOM)
        for seed in range(first_seed, first_seed + count):
            name = names[seed % len(names)]
            yield self.attack(name, AT_RANDOM[name], seed)

    def _contents(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in files_of(self.folder)}


def _book() -> Path:
    """Where this machine keeps the heads that it signed."""
    return data_folder() / BOOK_NAME


def said_of(folder: Path) -> str:
    """What is said of a session that was changed, when it is looked at and when it is opened for writing."""
    said = set()
    for read_only in (True, False):
        try:
            with Session.open(folder, read_only=read_only) as session:
                said.add(session.verify().proof.value)
        except SemcError as error:
            said.add(REFUSED if str(error).isprintable() else "in words that cannot be printed")
    worst = said - {Proof.CHANGED.value, REFUSED}
    return worst.pop() if worst else min(said, key=lambda each: each == REFUSED)


def table(outcomes: list[Outcome]) -> str:
    """Kind, how often, and what was said, as a table of Markdown."""
    lines = ["| attack | times | found | refused |", "|---|---|---|---|"]
    for name in dict.fromkeys(each.name for each in outcomes):
        said = Counter(each.said for each in outcomes if each.name == name)
        times = said.total()
        lines.append(f"| {name} | {times} | {said[Proof.CHANGED.value]} | {said[REFUSED]} |")
    return "\n".join(lines)
