"""The key that keeps what a card or a stream sends, undecoded, and saves it for whoever helps. No Qt here."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from app.keys import first_key
from app.scan_options import ScanOptions
from app.tasks import Background, Post
from semc_core.errors import SemcError
from semc_core.language import N_, _, decimal

_BEGUN: Final = N_(
    "What the source sends is kept from now on, the newest 10 s of it; press {key} again to save that as a "
    "file. With `semc live --tap` it is kept from the beginning, as the card sends it."
)


class RawSignal:
    """Begins to keep, then saves. Called by the window's thread; only `close` waits."""

    def __init__(self, post: Post, tell: Callable[[str], None], report: Callable[[str], None]) -> None:
        """`tell` is given what was done, `report` what went wrong."""
        self._work = Background("raw-signal", post)
        self._tell, self._report = tell, report

    def press(self, options: ScanOptions | None) -> None:
        """The key was pressed during the scan of these options."""
        if options is None:
            return
        if not options.tap.keeping:
            options.tap.begin()
            self._tell(_(_BEGUN, key=first_key("tap")))
            return
        now = datetime.datetime.now()
        path = options.output / f"raw-{now:%Y%m%d-%H%M%S}.semctap"
        self._work.start(lambda: _saved(options, path), self._done)

    def close(self) -> None:
        """Wait until what is being saved is written."""
        self._work.close()

    def _done(self, future: Future[str]) -> None:
        try:
            self._tell(future.result())
        except SemcError as error:
            self._report(str(error))


def _saved(options: ScanOptions, path: Path) -> str:
    """Write what is held now; says so."""
    from semc_core.io.atomic import save_error
    from semc_core.io.private import make_private_folder
    from semc_core.sources.raw.file import write_tap

    taken = options.tap.taken()
    try:
        make_private_folder(path.parent)
    except OSError as error:
        raise save_error(path.parent, error) from error
    write_tap(path, taken)
    return _(
        "Saved {seconds} s as {path}. The file shows what the scanner showed, so also a name that stood in "
        "the picture: look at it before you send it.",
        seconds=decimal(taken.seconds, 1),
        path=path,
    )
