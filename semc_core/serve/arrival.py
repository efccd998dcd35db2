"""One object on its way from the network to the disk: written as it comes, hashed, and never half kept."""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from semc_core.export.dicom.uids import IMPLEMENTATION_UID
from semc_core.io.atomic import flush
from semc_core.io.private import new_private_file

_UID: Final = re.compile(r"[0-9.]{1,64}")
_PREAMBLE: Final = b"\0" * 128 + b"DICM"
_META: Final = 0x0002


class Malformed(Exception):
    """What comes is no object."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the sender says of an object before it comes.

    Attributes:
        sop_class: Its SOP Class UID.
        sop_instance: Its SOP Instance UID.
        syntax: The transfer syntax that was agreed on.
    """

    sop_class: str
    sop_instance: str
    syntax: str

    def __post_init__(self) -> None:
        """Raises Malformed where one of them is no UID."""
        if not all(_UID.fullmatch(uid) for uid in (self.sop_class, self.sop_instance, self.syntax)):
            raise Malformed

    def file_head(self) -> bytes:
        """What stands in a DICOM file before the data set."""
        elements = b"".join(
            (
                struct.pack("<HH2sHI2s", _META, 0x0001, b"OB", 0, 2, b"\0\1"),
                _uid(0x0002, self.sop_class),
                _uid(0x0003, self.sop_instance),
                _uid(0x0010, self.syntax),
                _uid(0x0012, IMPLEMENTATION_UID),
            )
        )
        return _PREAMBLE + struct.pack("<HH2sHI", _META, 0x0000, b"UL", 4, len(elements)) + elements


def _uid(element: int, value: str) -> bytes:
    data = value.encode("ascii")
    data += b"\0" * (len(data) % 2)
    return struct.pack("<HH2sH", _META, element, b"UI", len(data)) + data


class Arrival(io.BytesIO):
    """The data set of one message. The network library writes to it as if it were in memory.

    What cannot be kept is counted, and dropped: the sender is told at the end of the message.
    `path` is there from the first byte until `keep` or `discard`.
    """

    def __init__(self, folder: Path, most_bytes: int, heading: Callable[[], Heading]) -> None:
        """Nothing is written yet.

        Args:
            folder: Where it is written while it comes.
            most_bytes: A larger one is not kept.
            heading: Asked at the first byte; raises Malformed where there is none.
        """
        super().__init__()
        self._file: IO[bytes] | None = None
        self.path: Path | None = None
        self._folder = folder
        self._most = most_bytes
        self._ask = heading
        self._heading: Heading | None = None
        self._digest = hashlib.sha256()
        self.size = 0
        self.fault: OSError | None = None

    @property
    def heading(self) -> Heading:
        """What was said of it. Raises Malformed where nothing came."""
        if self._heading is None:
            raise Malformed
        return self._heading

    @property
    def digest(self) -> str:
        """SHA-256 of kind, coding and data set: what the object is, whoever sent it."""
        return self._digest.hexdigest()

    @property
    def too_large(self) -> bool:
        """Whether it has more bytes than it may."""
        return self.size > self._most

    @property
    def endless(self) -> bool:
        """Whether it goes on long after it was too large."""
        return self.size > 2 * self._most

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take a piece.

        Raises:
            Malformed: It belongs to no object.
        """
        if self._heading is None:
            self._heading = self._ask()
            self._digest.update(f"{self._heading.sop_class} {self._heading.syntax} ".encode())
        self.size += len(data)
        self._digest.update(data)
        if self.too_large:
            self.discard()
        elif self.fault is None:
            try:
                self._opened(self._heading).write(data)
            except OSError as error:
                self.fault = error
                self.discard()
        return len(data)

    def settle(self) -> Path:
        """All has come: the file is whole, and on the disk.

        Raises:
            OSError: The disk did not take it; nothing is kept.
        """
        if self.fault is not None:
            raise self.fault
        try:
            file = self._opened(self.heading)
            file.flush()
            os.fsync(file.fileno())
            file.close()
        except OSError:
            self.discard()
            raise
        self._file = None
        assert self.path is not None
        return self.path

    def keep(self, target: Path) -> None:
        """Give the settled file its name, on the disk.

        Raises:
            OSError: That could not be done; nothing is kept.
        """
        assert self.path is not None
        try:
            self.path.replace(target)
            self.path = None
            flush(target.parent)
        except OSError:
            with suppress(OSError):
                target.unlink(missing_ok=True)
            self.discard()
            raise

    def discard(self) -> None:
        """Keep nothing of it. May be called at any time, and twice."""
        file, self._file = self._file, None
        path, self.path = self.path, None
        if file is not None:
            # What waits in the buffer may not fit on the disk either.
            with suppress(OSError):
                file.close()
        if path is not None:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def __del__(self) -> None:
        """A message that nobody took, since its connection ended."""
        self.discard()

    def _opened(self, heading: Heading) -> IO[bytes]:
        if self._file is None:
            self.path = self._folder / f"{uuid.uuid4().hex}.dcm"
            self._file = os.fdopen(new_private_file(self.path), "wb")
            self._file.write(heading.file_head())
        return self._file
