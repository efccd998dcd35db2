"""What the program remembers between two starts; shared by all windows. `app.choices` is one window's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from PySide6.QtCore import QByteArray, QSettings

from app.scan_options import CardChoice
from app.setting_keys import card_key, crop_key, scale_key
from app.site import TEXT_PERCENTS as TEXT_PERCENTS
from app.widgets.colours import THEMES
from semc_core.errors import UsageError
from semc_core.io.private import keep_private_file, make_private_folder
from semc_core.io.video_quality import Quality
from semc_core.language import LANGUAGES
from semc_core.paths import SHIPPED_MODELS, default_output_folder
from semc_core.picture_options import from_text, to_text
from semc_core.runtime.load import DEVICES
from semc_core.session.erasing.rule import Retention

if TYPE_CHECKING:
    from semc_core.export.options import ExportOptions
    from semc_core.imaging.heatmap import HeatStyle
    from semc_core.measure.shapes import Place
    from semc_core.types import Crop

_RECENT_LIMIT: Final = 6
# A scanner on a capture card always looks alike; the next file may come from another one.
_CROP_KINDS: Final = ("camera", "stream")
_NO_CROP: Final = "none"


def heat_words() -> dict[HeatStyle | None, str]:
    """As it was remembered when there was one style only; anything else shows none."""
    from semc_core.imaging.heatmap import HeatStyle

    return {None: "false", HeatStyle.TINT: "true", HeatStyle.CONTOUR: "contour"}


def _holds(check: Callable[[], bool]) -> bool:
    """What `check` says of a path; no, where it is none (too long a name, a character that none may have)."""
    try:
        return check()
    except (OSError, ValueError):
        return False


def holds_secret(source: str) -> bool:
    """Whether `source` is an address that may hold a password or a key: it has a user part or a query."""
    _scheme, found, rest = source.partition("://")
    return bool(found) and ("@" in rest or "?" in rest)


class Settings:
    """Typed access to a `QSettings`. Values that make no sense are read as if they were not there.

    Attributes:
        faults: What is wrong with what an administrator has set.
    """

    def __init__(
        self,
        store: QSettings | None = None,
        site: Mapping[str, str] = MappingProxyType({}),
        faults: tuple[str, ...] = (),
    ) -> None:
        """Use `store`; None takes the user's own.

        Args:
            store: Where they are kept.
            site: What an administrator has set, by the names of the settings: it wins, and stays.
            faults: What is wrong with what the administrator has set, sentences for the user.
        """
        self._site, self.faults = dict(site), faults
        self._store = store or QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "semc-live", "semc-live"
        )
        # Qt keeps the mode of a file that is there. Where none can be made, it tells so when it writes.
        path = Path(self._store.fileName())
        with contextlib.suppress(OSError):
            if store is None:
                make_private_folder(path.parent)
            keep_private_file(path)

    @property
    def geometry(self) -> QByteArray:
        """Place and size of the window, as `QWidget.saveGeometry` gives it; empty at first."""
        value = self._store.value("window/geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._keep("window/geometry", value)

    @property
    def heat_style(self) -> HeatStyle | None:
        """How the heat map is shown; None does not show it."""
        words = {word: style for style, word in heat_words().items()}
        return words.get(self._text("view/heat_map"))

    @heat_style.setter
    def heat_style(self, value: HeatStyle | None) -> None:
        self._keep("view/heat_map", heat_words()[value])

    @property
    def theme(self) -> str:
        """One of `app.widgets.colours.THEMES`."""
        value = self._text("view/theme")
        return value if value in THEMES else "dark"

    @theme.setter
    def theme(self, value: str) -> None:
        self._keep("view/theme", value)

    @property
    def language(self) -> str:
        """One of `semc_core.language.LANGUAGES`; "" for the desktop's."""
        value = self._text("view/language")
        return value if value in LANGUAGES else ""

    @language.setter
    def language(self, value: str) -> None:
        self._keep("view/language", value)

    @property
    def text_percent(self) -> int:
        """How large texts are, of the desktop's size: one of `TEXT_PERCENTS`."""
        value = self._number("view/text_percent")
        return value if value in TEXT_PERCENTS else 100

    @text_percent.setter
    def text_percent(self, value: int) -> None:
        self._keep("view/text_percent", str(value))

    @property
    def large_words(self) -> bool:
        """Whether large words stand beside the picture that is shown alone."""
        return self._text("view/large_words") == "true"

    @large_words.setter
    def large_words(self, value: bool) -> None:
        self._keep("view/large_words", "true" if value else "false")

    @property
    def worklist_server(self) -> str:
        """Name of the server whose worklist was asked for last, or ""."""
        return self._text("worklist/server")

    @worklist_server.setter
    def worklist_server(self, value: str) -> None:
        self._keep("worklist/server", value)

    @property
    def priors_server(self) -> str:
        """Name of the server that was searched for earlier studies last, or ""."""
        return self._text("priors/server")

    @priors_server.setter
    def priors_server(self, value: str) -> None:
        self._keep("priors/server", value)

    @property
    def device(self) -> str:
        """One of `runtime.load.DEVICES`."""
        value = self._text("model/device")
        return value if value in DEVICES else "auto"

    @device.setter
    def device(self, value: str) -> None:
        self._keep("model/device", value)

    @property
    def quality(self) -> Quality:
        """How scans are recorded."""
        return Quality.LOSSLESS if self._text("record/quality") == Quality.LOSSLESS else Quality.COMPACT

    @quality.setter
    def quality(self, value: Quality) -> None:
        self._keep("record/quality", str(value))

    @property
    def clips(self) -> bool:
        """Whether a clip of the scan is saved with every plane."""
        return self._text("record/clips") != "false"

    @clips.setter
    def clips(self, value: bool) -> None:
        self._keep("record/clips", "true" if value else "false")

    @property
    def tone(self) -> bool:
        """Whether a tone is heard when a plane is saved during a scan."""
        return self._text("scan/tone") == "true"

    @tone.setter
    def tone(self, value: bool) -> None:
        self._keep("scan/tone", "true" if value else "false")

    @property
    def retention(self) -> Retention:
        """How long sessions are kept: for ever at first, and where what is stored makes no sense."""
        days, most = self._number("sessions/keep_days"), self._number("sessions/keep_bytes")
        return Retention(days=days, most_bytes=most)

    def keep_sessions(self, value: Retention) -> None:
        """Keep them so long, from the program's next start on."""
        for name, number in (("days", value.days), ("bytes", value.most_bytes)):
            self._keep(f"sessions/keep_{name}", "" if number is None else str(int(number)))

    @property
    def export_options(self) -> ExportOptions:
        """What was ticked for the last export, as far as that is remembered."""
        from semc_core.export.options import ExportOptions

        return ExportOptions.from_settings(self._text("export/choices"))

    @export_options.setter
    def export_options(self, value: ExportOptions) -> None:
        self._keep("export/choices", value.to_settings())

    @property
    def export_folder(self) -> Path | None:
        """Where the last export went; None before the first, or where that folder is gone."""
        value = self._text("export/folder")
        return Path(value) if value and _holds(Path(value).is_dir) else None

    @export_folder.setter
    def export_folder(self, value: Path) -> None:
        self._keep("export/folder", str(value))

    @property
    def protocol(self) -> str:
        """Id of the protocol, "auto" for the one that fits the model (at first), or "" for none."""
        value = self._site.get("protocol/id", self._store.value("protocol/id"))
        return value if isinstance(value, str) else "auto"

    @protocol.setter
    def protocol(self, value: str) -> None:
        self._keep("protocol/id", value)

    @property
    def checklist_folded(self) -> bool:
        """Whether the list of the protocol's items is closed."""
        return self._text("view/checklist_folded") == "true"

    @checklist_folded.setter
    def checklist_folded(self, value: bool) -> None:
        self._keep("view/checklist_folded", "true" if value else "false")

    @property
    def model(self) -> Path | None:
        """The model file that was chosen; None for the one in use: at first, or when that file is gone."""
        value = self._text("model/file")
        if not value:
            return None
        # One that came with the program is kept by its name: the program may be moved.
        shipped = SHIPPED_MODELS / f"{value}.safetensors"
        return next((path for path in (shipped, Path(value)) if _holds(path.is_file)), None)

    @model.setter
    def model(self, value: Path | None) -> None:
        text = "" if value is None else str(value)
        if value is not None and value.parent == SHIPPED_MODELS:
            text = value.stem
        self._keep("model/file", text)

    @property
    def output_folder(self) -> Path:
        """Where the planes found are written."""
        value = self._text("output/folder")
        return Path(value) if value else default_output_folder()

    @output_folder.setter
    def output_folder(self, value: Path) -> None:
        self._keep("output/folder", str(value))

    @property
    def recent_sources(self) -> list[str]:
        """What was opened lately, newest first; no address with a password."""
        return self._sources("recent")

    @property
    def favourites(self) -> list[str]:
        """What stays listed on the start page whatever is opened."""
        return self._sources("favourite")

    def keep_at_hand(self, text: str, on: bool) -> None:
        """Let `text` stay listed, unless it may hold a password, in place of the oldest; or no longer."""
        others = [other for other in self.favourites if other != text]
        wanted = [*others, text] if on and not holds_secret(text) else others
        self._keep_sources("favourite", wanted[-_RECENT_LIMIT:])

    @property
    def opened_once(self) -> bool:
        """Whether anything was ever opened, in a scan or in review."""
        return self._text("start/opened") == "true" or bool(self.recent_sources)

    def remember_opened(self) -> None:
        """Something was opened."""
        self._keep("start/opened", "true")

    def remember_source(self, text: str) -> None:
        """Put `text` first among the recent sources, unless it may hold a password."""
        self.remember_opened()
        recent = [other for other in self.recent_sources if other != text]
        if not holds_secret(text):
            recent.insert(0, text)
        self._keep_sources("recent", recent)

    def _sources(self, kind: str) -> list[str]:
        kept = [self._text(f"sources/{kind}{i}") for i in range(_RECENT_LIMIT)]
        return [text for text in kept if text and not holds_secret(text)]

    def _keep_sources(self, kind: str, sources: list[str]) -> None:
        for i in range(_RECENT_LIMIT):
            self._keep(f"sources/{kind}{i}", sources[i] if i < len(sources) else "")

    def place(self, kind: str) -> str:
        """The folder in which something of this kind was chosen last, or ""; see `app.file_dialogs.Kind`."""
        return self._text(f"places/{kind}")

    def remember_place(self, kind: str, folder: str) -> None:
        """The next dialog that asks for something of this kind begins here."""
        self._keep(f"places/{kind}", folder)

    def forget_sources(self) -> None:
        """Forget what was opened lately, favourites too, and where it lay."""
        if self.opened_once:
            self.remember_opened()
        self._store.remove("places")
        for kind in ("recent", "favourite"):
            self._keep_sources(kind, [])

    @property
    def keys(self) -> dict[str, str]:
        """Keys that were given to commands, by their names: as they are stored, checked by nobody."""
        return {
            key.removeprefix("keys/"): text
            for key in (*self._store.allKeys(), *self._site)
            if key.startswith("keys/") and (text := self._text(key))
        }

    def remember_keys(self, name: str, keys: str) -> None:
        """Let a command have these keys, with a space between two; "" for its usual ones."""
        self._keep(f"keys/{name}", keys)

    def crop(self, kind: str, width: int, height: int, device: str = "") -> Crop | None:
        """The region of interest last set by hand for this kind of source and size of frame.

        Of a capture device, or the address of a stream, its own; one for which none was ever set takes what
        an older version of the program, which did not tell them apart, remembered.
        """
        from semc_core.types import Crop

        text = self._text(crop_key(kind, width, height, device))
        if not text and device:
            text = self._text(crop_key(kind, width, height))
        try:
            left, top, wide, high = map(int, text.split("_"))
        except ValueError:
            return None
        inside = left >= 0 and top >= 0 and left + wide <= width and top + high <= height
        return Crop(left, top, wide, high) if inside and wide > 0 and high > 0 else None

    def remember_crop(self, kind: str, width: int, height: int, crop: Crop | None, device: str = "") -> None:
        """Keep it for the next scan; None forgets it. Only for cameras and streams."""
        if kind in _CROP_KINDS:
            text = _NO_CROP if crop is None else f"{crop.left}_{crop.top}_{crop.width}_{crop.height}"
            self._keep(crop_key(kind, width, height, device), text)

    def card(self, identity: str) -> CardChoice:
        """What was chosen last for the capture card of this identity, or the stream of this address."""
        from semc_core.sources.devices.modes import parse_wish

        try:
            mode = self._text(card_key(identity, "mode"))
            options = from_text(self._text(card_key(identity, "picture")))
            return CardChoice(parse_wish(mode).text if mode else "", options)
        except UsageError:
            return CardChoice()

    def remember_card(self, identity: str, choice: CardChoice) -> None:
        """Keep it for the next scan from that card."""
        self._keep(card_key(identity, "mode"), choice.mode)
        self._keep(card_key(identity, "picture"), to_text(choice.options))

    def cards(self) -> dict[str, CardChoice]:
        """What was chosen, by the identity of each card, or address of each stream, that has something."""
        keys = (key.removeprefix("card/") for key in self._store.allKeys() if key.startswith("card/"))
        known = {unquote(key.rpartition("_")[0]) for key in keys}
        return {identity: self.card(identity) for identity in known}

    def scale_line(self, source: str, width: int, height: int) -> tuple[Place, Place, float] | None:
        """The line over a known length that was drawn last for this source and size of picture.

        Returns:
            Its two ends, pixels, and its millimetres; None before the first, and for what can be none.
        """
        from semc_core.measure.calibration import check_picture, over_line
        from semc_core.measure.shapes import check_shape

        try:
            x0, y0, x1, y1, length_mm = map(float, self._text(scale_key(source, width, height)).split("_"))
            line = ((x0, y0), (x1, y1))
            check_shape("distance", line, width, height)
            check_picture(over_line(*line, length_mm), width, height)
        except (ValueError, UsageError):
            return None
        return (*line, length_mm)

    def remember_scale_line(
        self, source: str, width: int, height: int, line: tuple[Place, Place], length_mm: float
    ) -> None:
        """Keep it, to be offered when the scale is set for the same source and size again."""
        numbers = (*line[0], *line[1], length_mm)
        self._keep(scale_key(source, width, height), "_".join(f"{each:.12g}" for each in numbers))

    def write(self) -> None:
        """Write to disk now."""
        self._store.sync()

    def _number(self, key: str) -> int | None:
        """A whole number above 0; None where there is none."""
        text = self._text(key)
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 and int(text) else None

    def is_set_by_site(self, *keys: str) -> bool:
        """Whether an administrator has set one of these."""
        return not self._site.keys().isdisjoint(keys)

    def _keep(self, key: str, value: str | QByteArray) -> None:
        if key not in self._site:
            self._store.setValue(key, value)

    def _text(self, key: str) -> str:
        value = self._site[key] if key in self._site else self._store.value(key, "")
        return value if isinstance(value, str) else ""
