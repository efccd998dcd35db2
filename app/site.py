"""The settings of a site: a file with which an administrator sets what all windows on a computer use.

It is a JSON document. What it says wins over what the user chose, and cannot be changed in the window; an
option of the command line counts for its run all the same. It holds no secret, and no name of a patient.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

from app.keys import ASSIGNABLE, MOST_KEYS
from app.widgets.colours import THEMES
from semc_core.errors import SemcError, UsageError
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import STRICT, Document, DocumentFault, configured, reason
from semc_core.io.rules import Line, checked, format_number, one_of, within
from semc_core.language import LANGUAGES, _

FORMAT: Final = "semc-live-site"
FILE_NAME: Final = "site.json"
_VERSION: Final = 1
_MOST_BYTES: Final = 1_000_000
_COMMANDS: Final = frozenset(binding.name for binding in ASSIGNABLE)
TEXT_PERCENTS: Final = (80, 90, 100, 110, 125, 150, 175, 200)


def _check_folder(text: str) -> None:
    if not Path(text).is_absolute():
        raise ValueError('must be a whole path, as "/srv/scans"')


def _check_command(name: str) -> None:
    if name not in _COMMANDS:
        raise ValueError('must be the name of a command that can have other keys, as "freeze"')


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class CommandKeys:
    """The keys of a command.

    Attributes:
        command: Its name in `app.commands`.
        keys: As `QKeySequence` writes them: "F13", "Ctrl+B".
    """

    command: Annotated[str, checked(_check_command)]
    keys: Annotated[tuple[Line, ...], within(1, MOST_KEYS)]


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Site:
    """What is set; None leaves it to the user.

    Attributes:
        format: What the document is.
        version: Of the format.
        device: What the network computes with.
        protocol: Id of the protocol; "auto" for the one that fits the model, "" for none.
        quality: How scans are recorded.
        clips: Whether a clip is saved with every plane.
        tone: Whether a tone is heard when a plane is saved during a scan.
        output_folder: Below it each scan gets a folder.
        keep_days: Sessions that were changed last so many days ago are deleted; 0 keeps them.
        keep_bytes: The oldest are deleted while all are larger; 0 sets no bound.
        heat_map: "false" for none, "true" for a tint, "contour".
        theme: Of the window.
        language: Of the window, as its code; "" for the desktop's.
        text_percent: How large texts are.
        keys: Of commands.
    """

    format: Annotated[str, one_of(FORMAT)]
    version: Annotated[int, format_number(_VERSION)]
    device: Annotated[str, one_of("auto", "cpu", "cuda")] | None = None
    protocol: Annotated[str, within(0, 100)] | None = None
    quality: Annotated[str, one_of("compact", "lossless")] | None = None
    clips: bool | None = None
    tone: bool | None = None
    output_folder: Annotated[Line, checked(_check_folder)] | None = None
    keep_days: Annotated[int, within(0, 100_000)] | None = None
    keep_bytes: Annotated[int, within(0, 10**17)] | None = None
    heat_map: Annotated[str, one_of("false", "true", "contour")] | None = None
    theme: Annotated[str, one_of(*THEMES)] | None = None
    language: Annotated[str, one_of("", *LANGUAGES)] | None = None
    text_percent: Annotated[int, one_of(*TEXT_PERCENTS)] | None = None
    keys: Annotated[tuple[CommandKeys, ...], within(0, len(ASSIGNABLE))] = ()

    def values(self) -> dict[str, str]:
        """What is set, by the names of the settings, as they are stored."""
        found = {key: getattr(self, name) for name, key in _STORED.items()}
        kept = {key: _text(value) for key, value in found.items() if value is not None}
        return kept | {f"keys/{each.command}": " ".join(each.keys) for each in self.keys}


_STORED: Final = {
    "device": "model/device",
    "protocol": "protocol/id",
    "quality": "record/quality",
    "clips": "record/clips",
    "tone": "scan/tone",
    "output_folder": "output/folder",
    "keep_days": "sessions/keep_days",
    "keep_bytes": "sessions/keep_bytes",
    "heat_map": "view/heat_map",
    "theme": "view/theme",
    "language": "view/language",
    "text_percent": "view/text_percent",
}
"""Where the settings keep each field."""
_SWITCHES: Final = ("clips", "tone")
_NUMBERS: Final = ("keep_days", "keep_bytes", "text_percent")

SITE: Final = Document(Site, most_bytes=_MOST_BYTES)


def read_site(path: Path) -> Site:
    """The settings in a file.

    Raises:
        UsageError: It cannot be read, or is not as it must be.
    """
    try:
        return SITE.read(path)
    except (OSError, DocumentFault) as error:
        raise UsageError(
            _("The settings in {path} cannot be used: {reason}.", path=path, reason=reason(error))
        ) from error


def of_this_computer(path: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """What the site has set, by the names of the settings; and what is wrong with its file, a sentence.

    Args:
        path: Of the file, which need not be there.
    """
    try:
        if not path.exists():
            return {}, ()
        return read_site(path).values(), ()
    except (OSError, SemcError) as error:
        nothing = _("Nothing is set by your site until its administrator corrects the file.")
        return {}, (f"{error} {nothing}",)


def site_of(values: Mapping[str, str]) -> Site:
    """The document that sets these values, by the names of the settings; others are left out."""
    fields: dict[str, str | int | bool] = {}
    for name, key in _STORED.items():
        if key in values:
            text = values[key]
            fields[name] = (
                text == "true" if name in _SWITCHES else int(text or 0) if name in _NUMBERS else text
            )
    keys = tuple(
        CommandKeys(key.removeprefix("keys/"), tuple(text.split()))
        for key, text in sorted(values.items())
        if key.startswith("keys/")
    )
    return Site(FORMAT, _VERSION, **fields, keys=keys)  # type: ignore[arg-type]


def write_site(path: Path, site: Site) -> None:
    """Write the document.

    Raises:
        SaveError: It cannot be written.
        UsageError: There is such a file already.
    """
    if path.exists():
        raise UsageError(_("There is {path} already; choose another folder, or move it away.", path=path))
    said = {name: value for name, value in asdict(site).items() if value is not None}
    write_atomically(path, (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode())


def _text(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
