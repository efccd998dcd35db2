"""A short soft tone when a plane is saved during a scan, for whoever looks at the patient. No Qt here.

PySide6's Essentials have no sound; the desktop's own player plays one small file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from app.tasks import Background, Post
from semc_core.language import N_, _
from semc_core.paths import ASSETS
from semc_core.types import SavedPlane

FILE: Final = ASSETS / "sound" / "saved.wav"
LEAST_PAUSE_S: Final = 1.0
"""From one tone to the next; one that would come sooner is left out."""
_PATIENCE_S: Final = 5.0
_PLAYERS: Final = (("pw-play",), ("paplay",), ("aplay", "-q"), ("afplay",))
"""Of PipeWire, PulseAudio, ALSA and macOS."""
NO_SOUND: Final = N_(
    "The tone for saved planes cannot be played: there is no sound device here, or no program for it "
    "(pw-play, paplay or aplay). Planes are saved all the same; the preferences switch the tone off."
)


class Tone:
    """Called by the window's thread, which never waits for a tone.

    Nothing is looked for or loaded before the first one is wanted.
    """

    def __init__(
        self,
        wanted: Callable[[], bool],
        post: Post,
        tell: Callable[[str], None],
        play: Callable[[Path], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Play nothing yet.

        Args:
            wanted: Whether a plane that is saved now is to be heard.
            post: See `app.tasks`.
            tell: Shows a sentence.
            play: Plays a file to its end, on another thread; raises OSError. None: by `play_file`.
            clock: Seconds.
        """
        self._wanted, self._tell = wanted, tell
        self._play, self._clock = play or play_file, clock
        self._work = Background("tone", post)
        self._heard: set[int] = set()
        self._last_s: float | None = None
        self._mute = self._told = False

    def begin(self) -> None:
        """Of a scan in which nothing is saved yet. There may be a sound device now."""
        self._heard.clear()
        self._mute = False

    def saved(self, planes: Collection[SavedPlane]) -> None:
        """These are new, or changed: one tone for those that were not written before."""
        written = {plane.hold_id for plane in planes if plane.png is not None}
        new, self._heard = written - self._heard, self._heard | written
        now_s = self._clock()
        soon = self._last_s is not None and now_s - self._last_s < LEAST_PAUSE_S
        if new and not soon and not self._mute and self._wanted():
            self._last_s = now_s
            self._work.start(lambda: self._play(FILE), self._played)

    def close(self) -> None:
        """Wait for the end of what is heard now."""
        self._work.close(forget=True)

    def _played(self, future: Future[None]) -> None:
        """That there is no sound is said once; nothing more is tried in this scan."""
        try:
            future.result()
        except OSError:
            self._mute = True
            if not self._told:
                self._told = True
                self._tell(_(NO_SOUND))


def play_file(path: Path) -> None:
    """Play a WAV file by the desktop's player; returns at its end.

    Raises:
        OSError: There is no player, or no sound device.
    """
    if sys.platform == "win32":
        import winsound

        try:
            winsound.PlaySound(str(path), winsound.SND_FILENAME | winsound.SND_NODEFAULT)
        except RuntimeError as error:
            raise OSError from error
        return
    for program, *options in _PLAYERS:
        if (found := shutil.which(program)) and _plays([found, *options, str(path)]):
            return
    raise OSError("No player played it.")


def _plays(command: list[str]) -> bool:
    silent = subprocess.DEVNULL
    try:
        done = subprocess.run(
            command,
            stdin=silent,
            stdout=silent,
            stderr=silent,
            timeout=_PATIENCE_S,
            env=_environment(),
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _environment() -> dict[str, str]:
    """The desktop's: a bundle's libraries are not those that its programs are made for."""
    kept = dict(os.environ)
    own = kept.pop("LD_LIBRARY_PATH_ORIG", None)
    if own is not None:
        kept["LD_LIBRARY_PATH"] = own
    elif getattr(sys, "frozen", False):
        kept.pop("LD_LIBRARY_PATH", None)
    return kept
