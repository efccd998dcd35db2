"""The results of an archive as Parquet: one file a partition, each whole or not there, each loop in one row.

Only one program writes a folder (`WriterLock`). A loop is done when a partition says so; what was found and
not written yet when a program died is found again.
"""

from __future__ import annotations

import io
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from semc_core.archive.loop import Found, State
from semc_core.errors import SaveError, SessionInUse, UsageError
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.lock import WriterLock
from semc_core.io.private import make_private_folder

ANALYSED: Final = "analysed"
SAME: Final = "same content"
FAILED: Final = "failed"
SET_ASIDE: Final = "set aside"

_LOCK_NAME: Final = "semc-archive.lock"
_PATTERN: Final = "loops-*.parquet"
_ROWS: Final = 500
_EVERY_S: Final = 10.0
_PATIENCE_S: Final = 120.0
"""So long a place of results may be away before the run is given up."""
_AGAIN_S: Final = 2.0

_PLANE: Final = pa.struct(
    [
        ("plane", pa.string()),
        ("confidence", pa.float64()),
        ("frame_index", pa.int64()),
        ("time_s", pa.float64()),
        ("hold_start_s", pa.float64()),
        ("hold_end_s", pa.float64()),
    ]
)
SCHEMA: Final = pa.schema(
    [
        ("path", pa.string()),
        ("status", pa.string()),
        ("problem", pa.string()),
        ("key", pa.string()),
        ("content_sha256", pa.string()),
        ("model_sha256", pa.string()),
        ("version", pa.string()),
        ("options", pa.string()),
        ("files", pa.int64()),
        ("size", pa.int64()),
        ("modified_ns", pa.int64()),
        ("kind", pa.string()),
        ("notice", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("frames", pa.int64()),
        ("seconds", pa.float64()),
        ("attempts", pa.int64()),
        ("planes", pa.list_(_PLANE)),
    ]
)
"""One row a loop; see docs/scaling.md."""


@dataclass(frozen=True, slots=True)
class Made:
    """By what the rows of a run are made: model, program and options."""

    model_sha256: str
    version: str
    options: str


class ArchiveStore:
    """The folder of results, for one program at a time. Close it: what waits is written then."""

    def __init__(self, folder: Path, made: Made) -> None:
        """Open, and read what is done.

        Raises:
            UsageError: Another program writes there, or a partition is none of ours.
            SaveError: The folder cannot be written.
        """
        self._folder = folder
        self._made = made
        self._waiting: list[dict[str, Any]] = []
        self._written_s = time.monotonic()
        self._keys: set[str] = set()
        self._done: dict[str, State] = {}
        self._number = 0
        self.counts: Counter[str] = Counter()
        try:
            if not folder.is_dir():
                make_private_folder(folder)
        except OSError as error:
            raise save_error(folder, error) from error
        try:
            self._lock = WriterLock(folder, _LOCK_NAME)
        except SessionInUse as error:
            raise UsageError(
                f"Another program is writing its results into {folder}; "
                "wait for its end, or choose another --out."
            ) from error
        try:
            self._read()
        except BaseException:
            self._lock.release()
            raise

    def is_done(self, path: Path, state: State) -> bool:
        """Whether this file, as it is now, has its row by this model, program and options."""
        return self._done.get(_in_unicode(path)) == state

    def is_known(self, key: str) -> bool:
        """Whether this content was analysed, under whatever name."""
        return key in self._keys

    def found(self, path: Path, key: str, found: Found, attempts: int) -> str:
        """Take what was found in a loop. Returns its status. Raises SaveError."""
        status = SAME if key in self._keys else ANALYSED
        planes = [] if status == SAME else [asdict(plane) for plane in found.planes]
        self._add(
            path, status, found.state,
            key=key, content_sha256=found.content, kind=found.kind, notice=found.notice, width=found.width,
            height=found.height, frames=found.frames, seconds=found.seconds, attempts=attempts, planes=planes,
        )  # fmt: skip
        return status

    def failed(self, path: Path, state: State | None, problem: str, status: str, attempts: int) -> None:
        """Take why there is nothing of a loop. Raises SaveError."""
        self._add(path, status, state or State(0, 0, 0), problem=problem, attempts=attempts, planes=[])

    def write_if_due(self) -> None:
        """Write what waits if it is much or old. Raises SaveError."""
        old = time.monotonic() - self._written_s > _EVERY_S
        if len(self._waiting) >= _ROWS or (old and self._waiting):
            self._write()

    def close(self) -> None:
        """Write what waits and give the folder back. Raises SaveError."""
        try:
            if self._waiting:
                self._write()
        finally:
            self._lock.release()

    def _add(self, path: Path, status: str, state: State, **values: Any) -> None:
        row = dict.fromkeys(SCHEMA.names) | {"path": _in_unicode(path), "status": status}
        row |= asdict(self._made) | asdict(state) | values
        self._take(row)
        self._waiting.append(row)

    def _take(self, row: dict[str, Any]) -> None:
        self.counts[row["status"]] += 1
        self._done[row["path"]] = State(row["files"], row["size"], row["modified_ns"])
        if row["status"] == ANALYSED:
            self._keys.add(row["key"])

    def _read(self) -> None:
        for path in sorted(self._folder.glob(_PATTERN)):
            for row in _rows(path):
                if Made(row["model_sha256"], row["version"], row["options"]) == self._made:
                    self._take(row)
            self._number = max(self._number, int(path.stem.partition("-")[2]))

    def _write(self) -> None:
        """One more partition; a place that is away is waited for."""
        content = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(self._waiting, SCHEMA), content, compression="zstd")
        target = self._folder / f"loops-{self._number + 1:06}.parquet"
        _patiently(lambda: write_atomically(target, content.getvalue(), private=True))
        self._number += 1
        self._waiting.clear()
        self._written_s = time.monotonic()


def read_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """All rows of a folder of results, in the order of their partitions. Raises UsageError."""
    for path in sorted(folder.glob(_PATTERN)):
        yield from _rows(path, SCHEMA.names)


def _rows(path: Path, columns: list[str] | None = None) -> list[dict[str, Any]]:
    wanted = columns or ["path", "status", "key", *(each for each in _KNOWN_BY)]
    with suppress(OSError, pa.ArrowException, ValueError):
        rows: list[dict[str, Any]] = pq.read_table(path, columns=wanted).to_pylist()
        if all(set(wanted) <= set(row) for row in rows[:1]):
            return rows
    raise UsageError(f"{path} holds no results of this program; choose another --out, or take it away.")


_KNOWN_BY: Final = ("model_sha256", "version", "options", "files", "size", "modified_ns")


def _patiently(write: Callable[[], None]) -> None:
    give_up_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            write()
        except SaveError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def _in_unicode(path: Path) -> str:
    """The path as Parquet can hold it: of a name that is no UTF-8 the other bytes are escaped."""
    return os.fspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
