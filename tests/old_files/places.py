"""Where the old files are, and how a test gets copies of them: opening may write."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

KEPT: Final = Path(__file__).parent / "kept"
ARCHIVES: Final = ("sessions", "models", "trainings", "data")
"""Folders, each kept as a ZIP file: checkpoints and databases are mostly empty."""


def pack(folder: Path, name: str) -> None:
    """Keep the folder `name` below `folder`."""
    with zipfile.ZipFile(KEPT / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted((folder / name).rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))


def unpack(name: str, target: Path) -> Path:
    """A copy of the folder `name`, below `target`."""
    with zipfile.ZipFile(KEPT / f"{name}.zip") as archive:
        archive.extractall(target)
    return target / name
