"""Corrected sessions of fetuses and of livers, made small."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from semc_core.model.architecture import new_spec
from semc_core.session.correcting.changes import Relabel
from semc_core.session.files import Origin
from semc_core.session.session import Session
from semc_core.types import SourceInfo
from tests.session.sessions import find_plane

LIVER: Final = ("LLP", "RLP")
FETAL: Final = ("3VV", "4CH")


def corrected_session(folder: Path, planes: tuple[str, str], *, corrected: bool = True) -> Path:
    """A closed session whose model knows these planes; the first plane was found as the second."""
    spec = new_spec("semc_tiny", (*planes, "NSP"))
    source = SourceInfo("camera 0", "camera", 320, 240, 30.0, None, True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with Session.create(folder, *Origin(source, spec, spec.thresholds, "CPU").entries()) as session:
        find_plane(session, 1, 10, plane=planes[1])
        find_plane(session, 2, 20, plane=planes[1])
        if corrected:
            session.apply(Relabel(1, planes[0]))
    return folder


def mixed_sessions(root: Path) -> Path:
    """Two sessions of livers, one of a fetus, each corrected; and one of a fetus that nobody corrected."""
    for name in ("1", "2"):
        corrected_session(root / name, LIVER)
    corrected_session(root / "3", FETAL)
    corrected_session(root / "4", FETAL, corrected=False)
    return root
