"""Secrets in files of their own, which nobody but their owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from semc_core.io.private import close_to_others, make_private_folder, new_private_file
from semc_core.io.regular import open_regular


def read_or_make_secret(path: Path, count: int) -> bytes:
    """The first `count` + 1 bytes of `path`; `count` random bytes are written there when there is none.

    Raises:
        OSError: It can neither be read nor made, or is no file.
    """
    make_private_folder(path.parent)
    if not path.exists():
        write_secret(path, secrets.token_bytes(count))
    close_to_others(path)
    with open_regular(path) as file:
        return file.read(count + 1)


def write_secret(path: Path, secret: bytes) -> None:
    """Write a new secret, all of it or nothing. Of two programs that do so at once, the first one's stays.

    Raises:
        OSError: It cannot be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    descriptor = new_private_file(temporary)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        if os.name == "nt":
            # Windows renames only to a name that is free, which is what is wanted.
            if not path.exists():
                temporary.rename(path)
        else:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return
    finally:
        temporary.unlink(missing_ok=True)
