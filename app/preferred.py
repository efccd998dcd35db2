"""Which preferences there are, and what of the window each one changes: one setting, wherever it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from app.bindings import KeyBinding
from app.checklist.controller import ChecklistController
from app.choices import Choices
from app.connections import show_choices
from app.display.controller import PictureDisplay
from app.keys import ASSIGNABLE, is_usual, key_names, keys_of, refusal, title_of
from app.next_model import NextModel
from app.preferences.presenter import (
    APPEARANCE,
    AT_ONCE,
    FILE,
    FOLDERS,
    KEYS,
    NEXT_START,
    PRIVACY,
    SCAN,
    SERVERS,
    TRAINING,
    Entry,
    Link,
    switch,
)
from app.settings import TEXT_PERCENTS, Settings, heat_words
from app.site import FILE_NAME, read_site, site_of, write_site
from app.start.keep_settings import CHOICES as KEEPING
from app.start.keep_settings import title as keep_title
from app.start.page import DEVICES, StartPage
from app.start.record_settings import TITLES as QUALITIES
from semc_core.errors import SemcError
from semc_core.io.video_quality import Quality
from semc_core.language import LANGUAGES, N_, _, plural
from semc_core.paths import default_output_folder
from semc_core.session.erasing.rule import Retention

_THEME_TITLES = {"dark": N_("Dark"), "light": N_("Light"), "contrast": N_("High contrast")}
_KEEP, _KEPT = "sessions/keep", ("sessions/keep_days", "sessions/keep_bytes")
_HEAT_TITLES = {"false": N_("Not shown"), "true": N_("As a light tint"), "contour": N_("As a contour")}


@dataclass(frozen=True)
class Preferred:
    """What the preferences are about.

    Attributes:
        settings: What is remembered.
        choices: What the next scan of this window uses.
        start: Shows some of it, too.
        checklists: Follows the protocol.
        look: How pictures are shown.
        next_model: Shows the model and the device.
        use_output: Writes below another folder from now on.
        show_sending: Opens the table of servers.
        show_training: Opens the page for training.
        use_keys: Lets commands have the keys that are stored; says what cannot be.
    """

    settings: Settings
    choices: Choices
    start: StartPage
    checklists: ChecklistController
    look: PictureDisplay
    next_model: NextModel
    use_output: Callable[[str], None]
    show_sending: Callable[[], None]
    show_training: Callable[[], None]
    use_keys: Callable[[Mapping[str, str]], tuple[str, ...]]

    def parts(self) -> tuple[Entry | Link, ...]:
        """All of them, in the order in which they are shown."""
        settings = (*self._scan(), *self._folders(), *self._appearance(), *self._privacy())
        return tuple(map(self._locked, (*settings, *self._links(), *self._keys())))

    def _locked(self, part: Entry | Link) -> Entry | Link:
        if isinstance(part, Link):
            return part
        names = _KEPT if part.key == _KEEP else (part.key,)
        return replace(part, locked=self.settings.is_set_by_site(*names))

    def write_file(self, folder: str) -> str:
        """Write what is set into a file in this folder; says how that went."""
        path = Path(folder) / FILE_NAME
        values = {each.key: each.read() for each in self.parts() if isinstance(each, Entry)}
        usual = {f"keys/{binding.name}" for binding in ASSIGNABLE if is_usual(binding.name)}
        values = {key: value for key, value in values.items() if key not in usual}
        values |= zip(_KEPT, values.pop(_KEEP).split(), strict=True)
        try:
            write_site(path, site_of(values))
        except SemcError as error:
            return str(error)
        return _(
            "Written: {path}. Where an administrator puts it, it sets them for all: see install.md.",
            path=path,
        )

    def read_file(self, path: str) -> str:
        """Set what a file says; says how that went."""
        try:
            values = read_site(Path(path)).values()
        except SemcError as error:
            return str(error)
        if not values.keys().isdisjoint(_KEPT):
            values[_KEEP] = " ".join(values.pop(name, "0") for name in _KEPT)
        count = 0
        for entry in self.parts():
            if isinstance(entry, Entry) and entry.key in values and not entry.locked:
                entry.write(values[entry.key])
                count += 1
        wrong = self.use_keys(self.settings.keys)
        taken = plural(
            "{count} setting taken from {path}; Undo takes that back.",
            "{count} settings taken from {path}; Undo takes that back.",
            count,
            path=path,
        )
        return " ".join((taken, *wrong))

    def _scan(self) -> tuple[Entry, ...]:
        choices, start = self.choices, self.start

        def shown(use: Callable[[str], None]) -> Callable[[str], None]:
            def write(value: str) -> None:
                use(value)
                show_choices(start, choices, self.settings)
                self.next_model.show()

            return write

        return (
            Entry(
                "model/device", SCAN, _("Runs on"), _("What the network computes with."),
                "auto", lambda: choices.device, shown(choices.use_device), _titles(DEVICES),
            ),
            Entry(
                "protocol/id", SCAN, _("Protocol"), _("The planes that the examination should show."),
                "auto", lambda: choices.protocol, self.checklists.follow, self.checklists.choice.choices,
            ),
            Entry(
                "record/quality", SCAN, _("Quality of recordings"),
                _("Compact is close to the original; lossless keeps every pixel and is larger."),
                str(Quality.COMPACT), lambda: str(choices.quality),
                shown(lambda value: choices.use_quality(Quality(value))),
                _titles(QUALITIES),
            ),
            Entry(
                "record/clips", SCAN, _("Clip with each plane"),
                _("From 2 s before the saved frame to 1 s after it."),
                "true", lambda: "true" if choices.clips else "false",
                shown(lambda value: choices.use_clips(value == "true")), switch(),
            ),
            Entry(
                "scan/tone", SCAN, _("Tone when a plane is saved"),
                _("Short and soft, for who looks at the patient and not at the screen."),
                "false", lambda: "true" if self.settings.tone else "false", self._use_tone, switch(), AT_ONCE,
            ),
        )  # fmt: skip

    def _use_tone(self, value: str) -> None:
        self.settings.tone = value == "true"

    def _folders(self) -> tuple[Entry, ...]:
        return (
            Entry(
                "output/folder", FOLDERS, _("Folder of sessions"),
                _("Below it each scan gets a folder for its planes."),
                str(default_output_folder()), lambda: str(self.choices.output), self.use_output,
            ),
        )  # fmt: skip

    def _appearance(self) -> tuple[Entry, ...]:
        settings = self.settings

        def use_theme(value: str) -> None:
            settings.theme = value

        def use_language(value: str) -> None:
            settings.language = value

        def use_size(value: str) -> None:
            settings.text_percent = int(value)

        return (
            Entry(
                "view/theme", APPEARANCE, _("Theme"),
                _("For a dark room, for a bright one, or for those who see little. Pictures stay on black."),
                "dark", lambda: settings.theme, use_theme, _titles(_THEME_TITLES), NEXT_START,
            ),
            Entry(
                "view/language", APPEARANCE, _("Language"),
                _("Of the window and its messages. What is stored and exported for programs stays as it is."),
                "", lambda: settings.language, use_language,
                (("", _("As the desktop")), *LANGUAGES.items()), NEXT_START,
            ),
            Entry(
                "view/text_percent", APPEARANCE, _("Size of texts"),
                _("Of the size that your desktop has; as large as the screen has room for."),
                "100", lambda: str(settings.text_percent), use_size,
                tuple((str(each), f"{each} %") for each in TEXT_PERCENTS), NEXT_START,
            ),
            Entry(
                "view/heat_map", APPEARANCE, _("Heat map"),
                _("Where in the picture the model sees the plane."),
                "false", lambda: heat_words()[self.look.heat],
                lambda value: self.look.use_heat(next(k for k, v in heat_words().items() if v == value)),
                _titles(_HEAT_TITLES), AT_ONCE,
            ),
        )  # fmt: skip

    def _privacy(self) -> tuple[Entry | Link, ...]:
        def keep(value: str) -> None:
            self.settings.keep_sessions(_rule(value))
            show_choices(self.start, self.choices, self.settings)

        def forget() -> str:
            self.settings.forget_sources()
            self.start.show_recent([])
            return _("What was opened lately is forgotten; the files themselves stay where they are.")

        offered = {_rule_text(each): keep_title(each) for each in (*KEEPING, self.settings.retention)}
        return (
            Entry(
                _KEEP, PRIVACY, _("Keep sessions"),
                _("Older ones are deleted when the program starts; one that was never exported stays."),
                _rule_text(Retention()), lambda: _rule_text(self.settings.retention), keep,
                tuple(offered.items()), NEXT_START,
            ),
            Link(
                PRIVACY, _("Forget"), _("The list of what was opened lately, on the start page."), forget,
                True,
            ),
        )  # fmt: skip

    def _keys(self) -> tuple[Entry, ...]:
        def entry(binding: KeyBinding) -> Entry:
            def write(value: str) -> None:
                usual = tuple(value.split()) == binding.keys
                self.settings.remember_keys(binding.name, "" if usual else value)
                self.use_keys(self.settings.keys)

            return Entry(
                f"keys/{binding.name}",
                KEYS,
                title_of(binding),
                _(binding.help),
                " ".join(binding.keys),
                lambda: " ".join(keys_of(binding.name)),
                write,
                counts=AT_ONCE,
                worded=key_names,
                refused=lambda value: refusal(binding.name, value.split()),
            )

        return tuple(entry(binding) for binding in ASSIGNABLE)

    def _links(self) -> tuple[Link, ...]:
        servers = _("Servers that objects are sent to, worklists and earlier studies are asked of.")
        models = _("Train a model on your corrections; choose among your models.")
        written = _(
            "Write them into a folder as {name}: for another computer, or for a whole site.", name=FILE_NAME
        )
        read = _("Take them from such a file.")
        return (
            Link(SERVERS, _("Servers …"), servers, self.show_sending),
            Link(TRAINING, _("Train …"), models, self.show_training),
            Link(FILE, _("Export …"), written, self.write_file, True, "folder"),
            Link(FILE, _("Import …"), read, self.read_file, True, "file"),
        )


def _titles(table: Mapping[str, str] | Mapping[Quality, str]) -> tuple[tuple[str, str], ...]:
    """Values with what they are called in the language in use."""
    return tuple((str(value), _(title)) for value, title in table.items())


def _rule_text(rule: Retention) -> str:
    """As one text: "90 0", "0 50000000000"."""
    return f"{rule.days or 0:g} {rule.most_bytes or 0:d}"


def _rule(text: str) -> Retention:
    days, most = text.split()
    return Retention(days=float(days) or None, most_bytes=int(most) or None)
