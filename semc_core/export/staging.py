"""Where an export is prepared, hidden beside its target, and how it appears: whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from semc_core.errors import ExportError, SaveError
from semc_core.io.atomic import flush, save_error
from semc_core.io.private import make_private_folder
from semc_core.io.process import is_running
from semc_core.text import readable

_PACKED_ALREADY: Final = (".png", ".mp4", ".gz", ".pdf")
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the same files give the same ZIP, and no date is told


class Staging:
    """A hidden folder beside the target. Use as a context: what is not published is removed.

    Attributes:
        target: The name that it gets.
        kind: "zip" or "folder".
        folder: Where the bundle is prepared.
    """

    def __init__(self, target: Path) -> None:
        """Prepare the folder. Those that a killed program left for the same target are removed.

        Args:
            target: A folder, or a file whose name ends in ".zip"; not there yet.

        Raises:
            ExportError: There is something of this name.
            SaveError: The folder could not be made.
        """
        self.target = target
        self.kind = "zip" if target.suffix.lower() == ".zip" else "folder"
        self._work = target.with_name(f".{target.name}.{os.getpid()}.part")
        self.folder = self._work / "bundle"
        self._check_free()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _clear_leftovers(target)
            make_private_folder(self._work)
            # This one becomes the bundle, and is the user's to hand on.
            self.folder.mkdir()
        except OSError as error:
            raise save_error(target.parent, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        cause = None if error is None else error.__cause__
        if (
            isinstance(error, SaveError)
            and isinstance(cause, OSError)
            and readable(str(self._work)) in str(error)
        ):
            # Whoever wrote names the hidden folder, which the user does not know and which is gone.
            raise save_error(self.target.parent, cause) from cause

    def write(self, name: str, content: bytes) -> Path:
        """Write one file: `name` is relative to the bundle, with "/".

        Raises:
            SaveError: It could not be written.
        """
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise save_error(self.target.parent, error) from error
        return path

    def publish(self, step: Callable[[], None]) -> None:
        """Flush everything to the disk, and give it its name. `step` is called between files, and may raise.

        Raises:
            ExportError: Something of this name has come up meanwhile.
            SaveError: It could not be written; nothing of it is left.
        """
        try:
            whole = self._packed(step) if self.kind == "zip" else self.folder
            _flush_all(whole, step)
            self._check_free()
            whole.rename(self.target)
            flush(self.target.parent)
        except OSError as error:
            raise save_error(self.target.parent, error) from error

    def _check_free(self) -> None:
        if self.target.exists() or self.target.is_symlink():
            raise ExportError(f"{self.target} is there already; choose another name.")

    def _packed(self, step: Callable[[], None]) -> Path:
        path = self._work / "bundle.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(self.folder.rglob("*")):
                if not file.is_file():
                    continue
                step()
                about = zipfile.ZipInfo(file.relative_to(self.folder).as_posix(), _ZIP_TIME)
                packed = file.suffix in _PACKED_ALREADY
                about.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
                about.external_attr = 0o644 << 16
                about.file_size = file.stat().st_size
                with file.open("rb") as source, archive.open(about, "w") as packed_file:
                    shutil.copyfileobj(source, packed_file, 1 << 20)
        return path


def _clear_leftovers(target: Path) -> None:
    """Remove what a program that no longer runs was preparing for `target`."""
    ours = re.compile(rf"\.{re.escape(target.name)}\.(\d{{1,9}})\.part")
    for path in target.parent.iterdir():
        match = ours.fullmatch(path.name)
        if match is not None and path.is_dir() and not path.is_symlink():
            mine = int(match[1]) == os.getpid()
            if mine or not is_running(int(match[1])):
                shutil.rmtree(path)


def _flush_all(whole: Path, step: Callable[[], None]) -> None:
    for path in [*whole.rglob("*"), whole] if whole.is_dir() else [whole]:
        step()
        flush(path)
