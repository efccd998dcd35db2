"""Holding the files in a session's folder against its log: each is named there, with its hash."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from semc_core.errors import SemcError
from semc_core.io.documents import DocumentFault
from semc_core.session.audit_log import ORIGIN
from semc_core.session.correcting.undo import UndoStack
from semc_core.session.files import json_name
from semc_core.session.folder import is_clip, is_picture
from semc_core.session.frame_table import Batch, unpack
from semc_core.session.proof.evidence import is_news, plane_borne_out
from semc_core.session.proof.known_files import (
    SET_ASIDE,
    files_there,
    hashes_before_erasing,
    hashes_of,
    is_of_system,
    recording_names,
    replaced_hashes,
)
from semc_core.session.recording.proof import recordings_of
from semc_core.session.records import PERSON, AuditEntry, FrameTable, ModelEntry, file_sha256
from semc_core.session.state import Row, State
from semc_core.text import counted, readable

UNKNOWN: Final = " is unknown: the log does not name it, so it was added. Move it elsewhere."
"""What is said of a file that was added, after its name."""


class FolderCheck:
    """Looks once through a session's folder.

    Attributes:
        problems: What is wrong, sentences.
        notes: What cannot be proven, sentences.
    """

    def __init__(
        self,
        folder: Path,
        entries: Sequence[AuditEntry],
        state: State,
        stack: UndoStack,
        connection: sqlite3.Connection,
        *,
        signed: bool,
    ) -> None:
        """Nothing is looked at yet.

        Args:
            folder: Of the session.
            entries: The whole log.
            state: What it says.
            stack: What can be undone.
            connection: To the database, for its frames.
            signed: Whether a program that logs every file began the session.
        """
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._folder = folder
        self._entries = entries
        self._state = state
        self._connection = connection
        self._signed = signed
        self._open = not entries or entries[-1].kind != "closed"
        self._hashes = hashes_of(entries)
        self._replaced = replaced_hashes(entries)
        self._before_erasing = hashes_before_erasing(entries)
        self._needed = self._needed_files(stack)

    def look(self, *, contents: bool) -> None:
        """Compare. Without `contents` no picture is read; only whether it is there counts."""
        try:
            there = files_there(self._folder)
        except OSError:
            self.problems.append("The folder of the session cannot be read.")
            return
        wanted = {name: {digest} for name, (_, digest) in self._needed.items()}
        for name, (kind, _) in sorted(self._needed.items()):
            if name not in there:
                self.problems.append(f"The {kind} {name} is missing.")
        pending = self._pending(there) if self._open else set()
        known = self._recording_names()
        for name in there:
            allowed = wanted.get(name) or self._allowed(name)
            if name in pending or name in known:
                continue
            if allowed is None:
                self._unknown(name)
            elif contents:
                self._compare(name, allowed)
        aside = [name for name in there if name.startswith(f"{SET_ASIDE}/") and name in self._hashes]
        if aside:
            files = counted(len(aside), "file is", "files are")
            self.notes.append(f"{files} set aside in {SET_ASIDE}: the log did not know what was there.")

    def _needed_files(self, stack: UndoStack) -> dict[str, tuple[str, str]]:
        """What must be there: kind and SHA-256 by name, also of what an undo would bring back."""
        rows = list(self._state.rows["planes"].values())
        for step in stack.steps():
            rows += step.brings_back("planes")
        found: dict[str, tuple[str, str]] = {}
        for row in rows:
            for kind, column, is_own in (("picture", "png", is_picture), ("clip", "clip", is_clip)):
                name, digest = row.get(column), row.get(f"{column}_sha256")
                if name in (None, ""):
                    continue
                if not is_own(name):
                    self.problems.append(f"The log names a {kind} that is none of the session's.")
                elif digest is not None:
                    found[name] = (kind, str(digest))
        for name in [name for name, (kind, _) in found.items() if kind == "picture"]:
            beside = json_name(name)
            if beside in self._hashes:
                found[beside] = ("file", self._hashes[beside])
        found |= {
            name: ("file", digest)
            for name, digest in self._hashes.items()
            if not name.startswith(f"{SET_ASIDE}/") and not is_picture(f"{Path(name).stem}.png")
        }
        return found

    def _allowed(self, name: str) -> set[str] | None:
        """What a file that need not be there may hold; None if the log does not know it."""
        if name in self._hashes:
            return {self._hashes[name]}
        return self._replaced.get(name)

    def _compare(self, name: str, allowed: set[str]) -> None:
        kind = self._needed[name][0] if name in self._needed else "file"
        try:
            found = file_sha256(self._folder / name)
            if found not in allowed and found not in self._before_erasing.get(name, ()):
                self.problems.append(f"The {kind} {name} was changed.")
        except OSError:
            self.problems.append(f"The {kind} {name} is missing.")

    def _unknown(self, name: str) -> None:
        shown = readable(name) if readable(name).isprintable() else ascii(name)
        if is_of_system(name):
            self.notes.append(
                f"{shown} is unknown: a file manager leaves such; it is no part of the session."
            )
        elif not self._signed and not is_picture(name):
            self.notes.append(f"{shown} is not covered: an older program did not log it, or it was added.")
        else:
            self.problems.append(f"{shown}{UNKNOWN}")

    def _recording_names(self) -> set[str]:
        """Of recordings, which are looked at by themselves."""
        try:
            return recording_names(recordings_of(self._entries), self._folder, unlogged=self._open)
        except DocumentFault:
            return set()  # It is said where recordings are looked at.

    # What a kill may have left, before the session is opened again.

    def _pending(self, there: Sequence[str]) -> set[str]:
        """Files that recovery would take over, or that a kill may have left half done."""
        model = self._model()
        table = None if model is None else self._frames(model)
        found: set[str] = set()
        for name in there:
            if name.endswith(".tmp"):
                found.add(name)
            elif is_clip(name) and name not in self._replaced:
                found.add(name)
                self.notes.append(
                    f"{name} is not covered: a kill left it before it was logged, or it was added."
                )
            elif is_picture(name) and self._is_news(name):
                found |= self._pending_pair(name, there, model, table)
        return found

    def _pending_pair(
        self, name: str, there: Sequence[str], model: ModelEntry | None, table: FrameTable | None
    ) -> set[str]:
        """The names of a picture and its JSON, if a kill may have left them so."""
        pair = {name, json_name(name)}
        if name not in self._replaced and json_name(name) not in there:
            self.notes.append(f"{name} is not covered: a kill left it without its JSON, or it was added.")
            return pair
        if model is None or table is None:
            return set()
        try:
            row = plane_borne_out(self._folder / name, model, table, unfinished=True)
        except SemcError:
            return set()
        if row is None or not (is_news(self._state, row) or self._is_being_changed(row)):
            return set()
        self.notes.append(f"{name} is not logged yet; the frames in the log bear it out.")
        return pair

    def _is_being_changed(self, row: Row) -> bool:
        """Whether a person's change was written and not logged: it brings a plane another picture."""
        known = self._state.rows["planes"].get(row["plane_id"])
        return bool(row["chosen_by"] == PERSON and (known is None or known["png"] != row["png"]))

    def _is_news(self, name: str) -> bool:
        """Whether a picture, or what is beside it, is not what the log says."""
        beside = json_name(name)
        try:
            return name not in self._replaced or (
                beside in self._hashes and file_sha256(self._folder / beside) != self._hashes[beside]
            )
        except OSError:
            return False

    def _model(self) -> ModelEntry | None:
        try:
            return ORIGIN.from_plain(self._entries[0].payload).model
        except (DocumentFault, IndexError):
            return None

    def _frames(self, model: ModelEntry) -> FrameTable | None:
        rows = self._connection.execute(
            "SELECT classes, experts, count, rows, layout FROM frames ORDER BY seq"
        )
        try:
            return unpack([Batch(*row) for row in rows], len(model.classes))
        except (SemcError, ValueError, TypeError):
            return None  # It is said where frames are looked at.
