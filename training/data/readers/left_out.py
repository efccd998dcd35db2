"""What a folder of classes holds that is not used, and why, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from semc_core.text import counted, readable
from training.data.hub.hubs import SOURCE_FILE
from training.data.index import SPLIT_FILE
from training.data.loops import is_known_picture

_NAMED: Final = 3
_OF_THE_SYSTEM: Final = ("thumbs.db", "desktop.ini")


def left_out(root: Path, used: Iterable[Path], classes: Iterable[Path]) -> list[str]:
    """Say which files and folders are left out.

    Args:
        root: Folder above those of the classes and splits.
        used: The files whose pictures are used.
        classes: The folders of the classes.
    """
    known = set(used)
    # The JSON that the program writes beside a picture belongs to it.
    known |= {path.with_suffix(".json") for path in known} | {root / SPLIT_FILE, root / SOURCE_FILE}
    files = [path for path in sorted(root.rglob("*")) if path not in known and path.is_file()]
    hidden = [path for path in files if _is_hidden(path.relative_to(root)) and is_known_picture(path)]
    seen = [path for path in files if not _is_hidden(path.relative_to(root))]
    outside = [path for path in seen if is_known_picture(path)]
    others = [path for path in seen if not is_known_picture(path) and path.name.lower() not in _OF_THE_SYSTEM]
    return [
        *_sentence(
            root, hidden, "hidden picture", "their names, or those of their folders, begin with a dot",
        ),
        *_sentence(
            root, outside, "picture", "beside the folders of the classes; put each into that of its class"
        ),
        *_sentence(root, others, "file", "neither pictures nor videos that can be read"),
        *_empty_folders(root, set(classes)),
    ]  # fmt: skip


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _sentence(root: Path, paths: Sequence[Path], what: str, why: str) -> Iterator[str]:
    if paths:
        shown = ", ".join(readable(path.relative_to(root).as_posix()) for path in paths[:_NAMED])
        more = ", ..." if len(paths) > _NAMED else ""
        yield f"Left out: {counted(len(paths), what)} ({shown}{more}): {why}."


def _empty_folders(root: Path, classes: set[Path]) -> Iterator[str]:
    above = {path.parent for path in classes} | {root}
    for folder in sorted(each for parent in above for each in parent.iterdir() if each.is_dir()):
        if folder not in classes | above and not folder.name.startswith("."):
            yield f"Left out: the folder {readable(folder.name)}, which holds no picture that can be read."
