"""What the preferences are made of, what is found among them, and what is said of a change. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from semc_core.language import N_, _

SCAN: Final = N_("Scan and devices")
FOLDERS: Final = N_("Folders")
APPEARANCE: Final = N_("Appearance")
PRIVACY: Final = N_("Privacy")
SERVERS: Final = N_("Servers")
TRAINING: Final = N_("Models and training")
FILE: Final = N_("These settings as a file")
KEYS: Final = N_("Keys")
GROUPS: Final = (SCAN, FOLDERS, APPEARANCE, PRIVACY, SERVERS, TRAINING, FILE)
"""In the order in which they are shown; the keys have a page of their own."""

AT_ONCE: Final = "at once"
NEXT_SCAN: Final = "next scan"
NEXT_START: Final = "next start"
_COUNTS: Final = {
    AT_ONCE: N_("{setting}: {value}. It counts at once."),
    NEXT_SCAN: N_("{setting}: {value}. It counts from the next scan on."),
    NEXT_START: N_("{setting}: {value}. It counts from the next start of the program on."),
}
_COUNTS_LATER: Final = {
    AT_ONCE: _COUNTS[AT_ONCE],
    NEXT_SCAN: N_(
        "{setting}: {value}. It counts from the next scan on, the scan that runs goes on as it was begun."
    ),
    NEXT_START: N_(
        "{setting}: {value}. It counts from the next start of the program on, the scan that runs goes on as "
        "it was begun."
    ),
}
"""While a scan runs."""

ON: Final = "true"
OFF: Final = "false"
BY_SITE: Final = N_("Set by your site.")
NOTHING_FOUND: Final = N_("Nothing here is called so; try another word.")


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting. Values are texts, as the settings keep them; what is shown is in the language in use.

    Attributes:
        key: Its name in the settings.
        group: One of `GROUPS`, or `KEYS`; translated where it is shown.
        title: What it is called.
        about: What it does, a sentence.
        default: What it is at first, and when it is reset.
        read: What it is now.
        write: Sets it, for every place that shows it.
        choices: What it can be, and how that is called; () for a folder.
        counts: From when a change counts.
        locked: The site has set it.
        worded: How a value is called that is not among the choices.
        refused: Why it cannot be that, a sentence; "" where it can.
    """

    key: str
    group: str
    title: str
    about: str
    default: str
    read: Callable[[], str]
    write: Callable[[str], None]
    choices: tuple[tuple[str, str], ...] = ()
    counts: str = NEXT_SCAN
    locked: bool = False
    worded: Callable[[str], str] = str
    refused: Callable[[str], str] = lambda _value: ""

    @property
    def is_switch(self) -> bool:
        """Whether it is only on or off."""
        return [value for value, _title in self.choices] == [ON, OFF]

    def value_title(self, value: str) -> str:
        """How a value is called."""
        return dict(self.choices).get(value) or self.worded(value)


@dataclass(frozen=True, slots=True)
class Link:
    """What is set elsewhere, or done: a button, in the language in use.

    Attributes:
        group: One of `GROUPS`; translated where it is shown.
        title: On the button.
        about: What is there, a sentence.
        do: Opens it.
        stays: The preferences stay open; what was done is said by what `do` returns.
        asks: "folder" or "file": such a path is asked for first, and given to `do`.
    """

    group: str
    title: str
    about: str
    do: Callable[..., object]
    stays: bool = False
    asks: str = ""


def switch() -> tuple[tuple[str, str], ...]:
    """The choices of what is only on or off."""
    return ((ON, _("On")), (OFF, _("Off")))


def is_found(words: str, *texts: str) -> bool:
    """Whether all that is looked for stands in one of the texts, upper or lower case."""
    there = " ".join(texts).casefold()
    return all(word in there for word in words.casefold().split())


def found(words: str, parts: Iterable[Entry | Link]) -> list[Entry | Link]:
    """Those that `words` find, by title, sentence, group and choices; all for no words."""
    return [
        each
        for each in parts
        if is_found(
            words,
            _(each.group),
            each.title,
            each.about,
            *(_values(each) if isinstance(each, Entry) else ()),
        )
    ]


def _values(entry: Entry) -> tuple[str, ...]:
    """How what it can be is called; of keys, which it has."""
    if entry.group == KEYS:
        return (entry.value_title(entry.read()),)
    return tuple(title for _value, title in entry.choices)


def changed_sentence(entry: Entry, running: bool) -> str:
    """What is said when it was changed.

    Args:
        entry: As it is now.
        running: A scan runs, which goes on as it was begun.
    """
    said = (_COUNTS_LATER if running else _COUNTS)[entry.counts]
    return _(said, setting=entry.title, value=entry.value_title(entry.read()))


def away_from_default(entries: Sequence[Entry]) -> list[Entry]:
    """Those that "Reset all" changes."""
    return [each for each in entries if not each.locked and each.read() != each.default]
