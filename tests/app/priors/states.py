"""The states of the dialog for earlier studies that are looked at."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from app.main_window import MainWindow
from app.priors.dialog import PriorsDialog
from app.priors.presenter import PriorsSnapshot, Wanted
from semc_core.pacs.destinations import Destination
from semc_core.pacs.priors.find import Study
from semc_core.pacs.priors.pictures import StudyPicture

_LONG: Final = "Wolfeschlegelsteinhausenbergerdorff of the northern hospital"
_SERVERS: Final = (Destination("archive", "archive.hospital.example", 11112, "ARCHIVE"),)
_STUDY: Final = Study(
    "1.2", f"{_LONG}^Anna"[:64], "4711", "19780304", "F", "20261130", "0856", _LONG, "A100", "US, SR", 123
)
_PICTURE: Final = StudyPicture(Path("1.dcm"), 120, 768, 1024, 1, 7, "0856", _LONG)


def shown(snapshot: PriorsSnapshot, window: MainWindow) -> PriorsDialog:
    """The dialog, in this state."""
    control = window.dialogs.priors
    dialog = PriorsDialog(control, "4711", window)
    control._question.begin()
    control._show(snapshot)
    return dialog


PRIORS: Final = {
    "priors": partial(
        shown,
        PriorsSnapshot(
            "found", _SERVERS, "archive", Wanted("4711"), (_STUDY,) * 40, message=f"{_LONG}. " * 2
        ),
    ),
    "priors got": partial(
        shown,
        PriorsSnapshot(
            "got", _SERVERS, "archive", Wanted("4711"), (_STUDY,), (_PICTURE,) * 9, message=f"{_LONG}. " * 2
        ),
    ),
    "priors being got": partial(
        shown,
        PriorsSnapshot("getting", _SERVERS, "archive", Wanted("4711"), (_STUDY,) * 3, done=3, left=9),
    ),
    "priors failed": partial(shown, PriorsSnapshot("failed", _SERVERS, "archive", message=f"{_LONG}. " * 3)),
    "priors without a server": partial(shown, PriorsSnapshot("no server")),
}
