"""What the preferences are made of, what is found among them, and what is said of a change. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

SCAN: Final = "Scan and devices"
FOLDERS: Final = "Folders"
APPEARANCE: Final = "Appearance"
PRIVACY: Final = "Privacy"
SERVERS: Final = "Servers"
TRAINING: Final = "Models and training"
FILE: Final = "These settings as a file"
KEYS: Final = "Keys"
GROUPS: Final = (SCAN, FOLDERS, APPEARANCE, PRIVACY, SERVERS, TRAINING, FILE)
"""In the order in which they are shown; the keys have a page of their own."""

AT_ONCE: Final = "at once"
NEXT_SCAN: Final = "from the next scan on"
NEXT_START: Final = "from the next start of the program on"

ON: Final = "true"
OFF: Final = "false"
SWITCH: Final = ((ON, "On"), (OFF, "Off"))
"""The choices of what is only on or off."""

BY_SITE: Final = "Set by your site."
NOTHING_FOUND: Final = "Nothing here is called so; try another word."


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting. Values are texts, as the settings keep them.

    Attributes:
        key: Its name in the settings.
        group: One of `GROUPS`, or `KEYS`.
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
    refused: Callable[[str], str] = lambda _: ""

    def value_title(self, value: str) -> str:
        """How a value is called."""
        return dict(self.choices).get(value) or self.worded(value)


@dataclass(frozen=True, slots=True)
class Link:
    """What is set elsewhere, or done: a button.

    Attributes:
        group: One of `GROUPS`.
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
            each.group,
            each.title,
            each.about,
            *(_values(each) if isinstance(each, Entry) else ()),
        )
    ]


def _values(entry: Entry) -> tuple[str, ...]:
    """How what it can be is called; of keys, which it has."""
    if entry.group == KEYS:
        return (entry.value_title(entry.read()),)
    return tuple(title for _, title in entry.choices)


def changed_sentence(entry: Entry, running: bool) -> str:
    """What is said when it was changed.

    Args:
        entry: As it is now.
        running: A scan runs, which goes on as it was begun.
    """
    goes_on = ", the scan that runs goes on as it was begun" if running and entry.counts != AT_ONCE else ""
    return f"{entry.title}: {entry.value_title(entry.read())}. It counts {entry.counts}{goes_on}."


def away_from_default(entries: Sequence[Entry]) -> list[Entry]:
    """Those that "Reset all" changes."""
    return [each for each in entries if not each.locked and each.read() != each.default]
