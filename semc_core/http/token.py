"""The token without which nothing is answered: from a file, the environment, or made once."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from semc_core.io.atomic import save_error
from semc_core.io.private import close_to_others, make_private_folder
from semc_core.io.secret_file import write_secret

VARIABLE: Final = "SEMC_HTTP_TOKEN"
"""The variable that holds the token, where no file is named."""
NAME: Final = "token"
_LEAST, _MOST = 16, 4096
_NO_TOKEN: Final = f"must be {_LEAST} to {_MOST} characters of ASCII without blanks"


def find_token(file: Path | None, folder: Path) -> tuple[str, str]:
    """The token, and where it comes from, for people.

    Args:
        file: That the user named; None takes the environment's, or that of `folder`.
        folder: Where one is made and kept, for the owner alone, if there is no other.

    Raises:
        UsageError: What is there is no token, or cannot be read.
        SaveError: None can be kept in `folder`.
    """
    if file is not None:
        return _read(file), str(file)
    if given := os.environ.get(VARIABLE, "").strip():
        return _checked(given, VARIABLE), VARIABLE
    kept = folder / NAME
    _make(kept)
    return _read(kept), str(kept)


def _make(path: Path) -> None:
    try:
        make_private_folder(path.parent)
        if not path.exists():
            write_secret(path, f"{secrets.token_urlsafe(32)}\n".encode("ascii"))
        close_to_others(path)
    except OSError as error:
        raise save_error(path.parent, error) from error


def _read(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            text = file.read(_MOST + 2)
    except UnicodeDecodeError as error:
        raise UsageError(f"The token in {path} {_NO_TOKEN}; write another, or remove the file.") from error
    except OSError as error:
        raise UsageError(f"The token in {path} cannot be read; check its name and permissions.") from error
    return _checked(text.strip(), str(path))


def _checked(text: str, where: str) -> str:
    if not (_LEAST <= len(text) <= _MOST and text.isascii() and text.isprintable() and " " not in text):
        raise UsageError(f"The token in {where} {_NO_TOKEN}; write another, or remove it.")
    return text
