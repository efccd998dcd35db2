"""Where an export is prepared, hidden beside its target, and how it appears: whole or not at all."""

from __future__ import annotations

import platform
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from semc_core.errors import ExportError, SaveError
from semc_core.io.atomic import flush, save_error
from semc_core.io.leftovers import leftovers, work_done, work_path
from semc_core.io.private import make_private_folder
from semc_core.language import _
from semc_core.text import readable

_PACKED_ALREADY: Final = (".png", ".mp4", ".gz", ".pdf")
_BUNDLE: Final = "bundle"
_ZIP: Final = "bundle.zip"
_HOST: Final = "host"
"""Its file names the machine: the number of a process says nothing of those of another one."""
_OLD_S: Final = 86_400.0
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the same files give the same ZIP, and no date is told


class Place:
    """A folder that files of an export are written into.

    Attributes:
        folder: What names of files are relative to.
    """

    def __init__(self, folder: Path, told: Path) -> None:
        """Write into `folder`, of which the user knows as `told`."""
        self.folder, self._told = folder, told

    def write(self, name: str, content: bytes) -> Path:
        """Write one file: `name` is relative to the folder, with "/".

        Raises:
            SaveError: It could not be written.
        """
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise save_error(self._told, error) from error
        return path


class Staging(Place):
    """A hidden folder beside the target. Use as a context: what is not published is removed.

    Attributes:
        target: The name that it gets.
        kind: "zip" or "folder".
        folder: Where the bundle is prepared.
    """

    def __init__(self, target: Path) -> None:
        """Prepare the folder. Those that killed programs left beside it are removed.

        Args:
            target: A folder, or a file whose name ends in ".zip"; not there yet.

        Raises:
            ExportError: There is something of this name.
            SaveError: The folder could not be made.
        """
        self.target = target
        self.kind = "zip" if target.suffix.lower() == ".zip" else "folder"
        self._check_free()
        self._work = work_path(target)
        super().__init__(self._work / _BUNDLE, target.parent)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _clear_leftovers(target)
            make_private_folder(self._work)
            (self._work / _HOST).write_text(platform.node(), encoding="utf-8")
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
        work_done(self._work)
        cause = None if error is None else error.__cause__
        if (
            isinstance(error, SaveError)
            and isinstance(cause, OSError)
            and readable(str(self._work)) in str(error)
        ):
            # Whoever wrote names the hidden folder, which the user does not know and which is gone.
            raise save_error(self.target.parent, cause) from cause

    def part(self, name: str) -> Place:
        """A folder of this name in the bundle, for one of several scans."""
        return Place(self.folder / name, self.target.parent)

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
            raise ExportError(_("{target} is there already; choose another name.", target=self.target))

    def _packed(self, step: Callable[[], None]) -> Path:
        path = self._work / _ZIP
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
    """Remove what programs that no longer run were preparing for `target`, or for others beside it."""
    for path, name, what in leftovers(target.parent):
        if what == "part" and path.is_dir() and (name == target.name or _is_abandoned(path)):
            shutil.rmtree(path)


def _is_abandoned(work: Path) -> bool:
    """Whether a folder is of an export, and nobody on another machine may be preparing it."""
    if not {path.name for path in work.iterdir()} <= {_HOST, _BUNDLE, _ZIP}:
        return False
    try:
        return (work / _HOST).read_text(encoding="utf-8") == platform.node()
    except (OSError, UnicodeDecodeError):
        return work.stat().st_mtime < time.time() - _OLD_S


def _flush_all(whole: Path, step: Callable[[], None]) -> None:
    for path in [*whole.rglob("*"), whole] if whole.is_dir() else [whole]:
        step()
        flush(path)
