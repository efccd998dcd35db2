"""Installs what training needs into the Python that runs the program, by pip as a process. No Qt here.

Which packages, and at which versions, travels with the program (`semc_core.extras`). pip asks the index that
the user has configured, as it would in a terminal. What it says goes to a file, which is read as it grows.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final

from semc_core.errors import SaveError, UsageError
from semc_core.extras import INSTALL_TRAINING, constraints, requirements
from semc_core.io.pip import has_pip
from semc_core.language import N_, _

_RAW_SINCE: Final = (24, 1)
"""From this version on pip tells how much of a file has come, for programs to read."""
_PROGRESS: Final = re.compile(r"Progress (\d+) of (\d+)")
_KEPT_LINES: Final = 200
_END_S: Final = 10.0
_NO_RIGHT: Final = N_("You may not write where this Python keeps its packages; ask who may, for: {command}")


class InstallPhase(Enum):
    """Where an installation is."""

    NONE = "none"
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class InstallState:
    """What is known of an installation.

    Attributes:
        phase: See there.
        lines: The last that pip said.
        share: Of the file that is being fetched, 0-1; NaN where nobody knows.
        message: Why it failed, in a sentence; "" else.
    """

    phase: InstallPhase = InstallPhase.NONE
    lines: tuple[str, ...] = ()
    share: float = math.nan
    message: str = ""


def why_not_here() -> str:
    """Why nothing can be installed into this Python by the program, in a sentence; "" if it can."""
    if getattr(sys, "frozen", False):
        return _(
            "This program is in one piece, which takes nothing more in. To train, install it by pip instead: "
            "{command}",
            command=INSTALL_TRAINING,
        )
    if not has_pip():
        return _("This Python has no pip; install it, then: {command}", command=INSTALL_TRAINING)
    if sys.prefix == sys.base_prefix and _managed():
        return _(
            "This Python belongs to the system, which installs its packages itself; make an environment "
            "(python3 -m venv), and there: {command}",
            command=INSTALL_TRAINING,
        )
    if not os.access(sysconfig.get_path("purelib"), os.W_OK):
        return _(_NO_RIGHT, command=INSTALL_TRAINING)
    return ""


def _managed() -> bool:
    return (Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").exists()


class Installation:
    """One run of pip at a time. Called by one thread; nothing here waits, but `close` for a moment.

    Args:
        wanted: Requirements, as pip takes them; None for those of the extra `train`.
        python: Whose packages.
        environment: Of the process; None for that of the program.
    """

    def __init__(
        self,
        wanted: Sequence[str] | None = None,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._wanted, self._python, self._environment = wanted, python, environment
        self._child: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._read_bytes = 0
        self._state = InstallState()

    @property
    def alive(self) -> bool:
        """Whether pip works."""
        return self._child is not None

    def start(self) -> None:
        """Begin; ignored while pip works.

        Raises:
            UsageError: Nothing can be installed here; the sentence says why.
            SaveError: pip could not be started.
        """
        if self.alive:
            return
        if refused := why_not_here():
            raise UsageError(refused)
        command = _command(self._python, self._wanted)
        self._clear_away()
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="semc-install-"))
            with self._output.open("wb") as output, _interruptible():
                self._child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    # Python looks for pip in the present folder first; this one is empty.
                    cwd=self._folder,
                    env=self._environment,
                    **_as_group(),
                )
        except OSError as error:
            raise SaveError(
                _("pip could not be started ({reason}); try again.", reason=error.strerror)
            ) from error
        self._state, self._read_bytes = InstallState(InstallPhase.RUNNING), 0

    def cancel(self) -> None:
        """Ask pip to stop; ignored where none works. What was fetched whole, pip keeps for the next time."""
        if self._child is not None:
            self._state = replace(self._state, phase=InstallPhase.CANCELLING)
            _interrupt(self._child)

    def poll(self) -> InstallState:
        """Read what is new. Returns where the installation is."""
        if self._child is None:
            return self._state
        code = self._child.poll()  # before the reading: what pip wrote at its end is then read, too
        self._read()
        if code is not None:
            self._end(code)
        return self._state

    def close(self) -> None:
        """The program ends, and pip with it."""
        if self._child is not None:
            _interrupt(self._child)
            try:
                self._child.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            self._child = None
        self._clear_away()

    @property
    def _output(self) -> Path:
        assert self._folder is not None
        return self._folder / "output.txt"

    def _read(self) -> None:
        """Take whole lines only: the last one may be half written."""
        with self._output.open("rb") as file:
            file.seek(self._read_bytes)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        lines, share = list(self._state.lines), self._state.share
        for line in whole.decode("utf-8", "replace").splitlines():
            if progress := _PROGRESS.fullmatch(line.strip()):
                share = int(progress[1]) / max(1, int(progress[2]))
            elif line.strip():
                lines.append(line.strip())
                share = math.nan
        self._state = replace(self._state, lines=tuple(lines[-_KEPT_LINES:]), share=share)

    def _end(self, code: int) -> None:
        self._child = None
        importlib.invalidate_caches()
        cancelled = self._state.phase is InstallPhase.CANCELLING and code != 0
        phase = (
            InstallPhase.DONE if code == 0 else InstallPhase.CANCELLED if cancelled else InstallPhase.FAILED
        )
        message = failure(self._state.lines) if phase is InstallPhase.FAILED else ""
        self._state = replace(self._state, phase=phase, share=math.nan, message=message)
        self._clear_away()

    def _clear_away(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def failure(lines: Sequence[str]) -> str:
    """What went wrong, in a sentence, from what pip said."""
    text = "\n".join(lines).lower()
    if "no space left" in text or "disk is full" in text:
        return _("The disk is full; make room, and install again.")
    if "permission denied" in text or "access is denied" in text:
        return _(_NO_RIGHT, command=INSTALL_TRAINING)
    if "no matching distribution" in text or "connection" in text or "timed out" in text:
        return _(
            "The packages could not be fetched; check the network and pip's settings, and install again."
        )
    last = next((line for line in reversed(lines) if line.lower().startswith("error")), "")
    said = _("pip could not install the packages; what it said is below.")
    return f"{said} {last}".strip()


def _command(python: str, wanted: Sequence[str] | None) -> list[str]:
    """What is run, without a shell."""
    pins = constraints()
    names = requirements("train") if wanted is None else tuple(wanted)
    if pins is None or not names:
        text = N_("The program was not installed by pip, so install it anew: {command}")
        raise UsageError(_(text, command=INSTALL_TRAINING))
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    return [*command, "--progress-bar", "raw" if _raw() else "off", "-c", str(pins), "--", *names]


def _raw() -> bool:
    numbers = importlib.metadata.version("pip").split(".")[:2]
    return tuple(int(number) for number in numbers if number.isdecimal()) >= _RAW_SINCE


def _as_group() -> dict[str, Any]:
    """So that pip and what it starts can be stopped together."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


@contextmanager
def _interruptible() -> Iterator[None]:
    """What is started here can be interrupted, though this program cannot (a shell starts it so with &)."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(child: subprocess.Popen[bytes]) -> None:
    """As Ctrl+C does, upon which pip puts back what it had begun to replace."""
    if child.poll() is not None:
        return
    if sys.platform == "win32":
        child.terminate()
    else:
        os.killpg(child.pid, signal.SIGINT)
