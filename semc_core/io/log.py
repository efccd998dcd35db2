"""The log file, which the program names when it says "see the log"."""

from __future__ import annotations

import copy
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path, PurePath
from types import TracebackType
from typing import Final

from semc_core.io.private import keep_private_file, make_private_folder
from semc_core.text import readable

_log = logging.getLogger(__name__)
_FILE_NAME: Final = "semc.log"
_MAX_BYTES: Final = 1_000_000
_OLD_FILES: Final = 2
# Other libraries put file names into their messages.
_OWN_LOGGERS: Final = ("app", "semc_core", "training")
TOLD: Final = {"told": True}
"""As `extra` of an entry: the user is told the same in a sentence, so the terminal does without it."""


def is_untold(record: logging.LogRecord) -> bool:
    """Whether an entry is for the terminal, too."""
    return not getattr(record, "told", False)


@contextmanager
def log_file(folder: Path) -> Iterator[None]:
    """Write what the program logs also to `semc.log` in `folder`: three files of 1 MB at most.

    A file's name may be a patient's, so neither paths nor what an error says are written, only its type and
    where it was raised. Without a file, because the folder cannot be written, the program goes on.
    """
    try:
        make_private_folder(folder)
        handler = _PrivateFiles(
            folder / _FILE_NAME, maxBytes=_MAX_BYTES, backupCount=_OLD_FILES, encoding="utf-8"
        )
    except OSError as error:
        _log.warning("No log file is kept, its folder cannot be written: %s", error.strerror)
        yield
        return
    handler.setFormatter(_NamelessFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in _OWN_LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()


class _PrivateFiles(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        keep_private_file(Path(self.baseFilename))
        return super()._open()


class _NamelessFormatter(logging.Formatter):
    """Leaves out paths and the texts of errors."""

    def format(self, record: logging.LogRecord) -> str:
        """One entry. `record` stays as it is for the other handlers."""
        bare = copy.copy(record)
        # Another handler may have stored the whole traceback there.
        bare.exc_text = None
        if isinstance(bare.args, tuple):
            bare.args = tuple(_nameless(value) for value in bare.args)
        return super().format(bare)

    def formatException(  # noqa: N802 - the name that logging calls
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Where the error and those behind it were raised, newest first."""
        parts: list[str] = []
        error = ei[1]
        while error is not None:
            parts.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__)
            error = error.__cause__ or error.__context__
        return "\n".join(parts)


def _nameless(value: object) -> object:
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, PurePath):
        return "(a path)"
    # An entry is one line, and a terminal that shows the file obeys nothing in it.
    return readable(value).replace("\n", "\\n") if isinstance(value, str) else value
