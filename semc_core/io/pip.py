"""What is asked of pip about the program itself. Nothing here is asked unless a user asked for it."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Final

from semc_core.errors import SemcError, UsageError
from semc_core.extras import PROGRAM
from semc_core.version import VERSION

_SAID: Final = re.compile(rf"^{re.escape(PROGRAM)} \(([^)\s]+)\)", re.MULTILINE)
_LONGEST_S: Final = 60.0


def has_pip() -> bool:
    """Whether this Python has pip.

    Its package is not searched for: setuptools has put something of its own before that search, which warns.
    """
    try:
        importlib.metadata.distribution("pip")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def newest_version(environment: Mapping[str, str] | None = None) -> str:
    """The newest version that pip finds where its user has set it up to look; "" if it finds none.

    Waits for the network, a minute at most.

    Raises:
        UsageError: There is no pip to ask.
        SemcError: It got no answer.
    """
    if getattr(sys, "frozen", False) or not has_pip():
        raise UsageError("There is no pip here to ask; look where you got the program.")
    command = [sys.executable, "-m", "pip", "index", "versions", "--disable-pip-version-check", "--no-input"]
    command += ["--retries", "1", "--timeout", "10", PROGRAM]
    try:
        # Python looks for pip in the present folder first; this one is empty.
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run(
                command,
                cwd=empty,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_LONGEST_S,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SemcError("pip gave no answer; check the network, and ask again.") from error
    if found := _SAID.search(done.stdout):
        return found[1]
    if "No matching distribution" in done.stderr and "connection" not in done.stderr.lower():
        return ""
    raise SemcError("pip could not look; check the network and pip's settings, and ask again.")


def update_sentence(newest: str) -> str:
    """What is told of it; "" for `newest` says that none is offered."""
    if not newest:
        return f"This is version {VERSION}; where pip looks, no version is offered."
    if _numbers(newest) <= _numbers(VERSION):
        return f"This is version {VERSION}; there is no newer one."
    return (
        f'Version {newest} is there, this is {VERSION}. To install it: pip install --upgrade "{PROGRAM}". '
        "Models, settings and sessions stay."
    )


def _numbers(version: str) -> tuple[int, ...]:
    """Of "1.2.0.post1": (1, 2)."""
    found = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
