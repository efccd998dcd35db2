"""`semc session label`: labels that were given in another program, onto a session."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Option

from semc_core.cli.session_keeping import SESSION, folder_of
from semc_core.cli.shared.options import PLACE
from semc_core.errors import UsageError

LABEL: Final = (
    "correct a session by labels from another program: COCO, or CVAT for images 1.1; all of them, or none"
)


def label(
    session: Annotated[Path, SESSION],
    labels: Annotated[Path, Argument(click_type=PLACE, metavar="FILE", help="COCO (.json) or CVAT (.xml)")],
    meant: Annotated[
        list[str] | None,
        Option("--map", metavar="LABEL=PLANE", help="what a label means; LABEL= leaves it out; repeatable"),
    ] = None,
) -> int:
    """Correct it. Returns 0.

    Raises:
        SemcError: The labels cannot be read, or do not fit the session: nothing was changed.
    """
    from semc_core.review.labels.apply import label_session
    from semc_core.review.labels.files import read_labels
    from semc_core.session.records import file_sha256
    from semc_core.session.session import Session

    names = dict(map(_pair, meant or ()))
    found = read_labels(labels)
    with Session.open(folder_of(session)) as opened:
        print(label_session(opened, found, names, file_sha256(labels)).sentence)
    return 0


def _pair(text: str) -> tuple[str, str]:
    label, sign, plane = text.partition("=")
    if not sign or not label:
        raise UsageError(f"{text[:60]!r} says not what a label means; write LABEL=PLANE.")
    return label, plane
