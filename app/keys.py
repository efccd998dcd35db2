"""Which keys each command has now: its usual ones, or those that were given to it. No Qt here.

One table for all windows of the program, as for the preferences that it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from app.commands import (
    BINDINGS,
    CORRECTING,
    LIVE,
    ONLY_LOOKED_AT,
    REVIEW,
    START,
    TRAIN,
    KeyBinding,
    Situation,
    key_name,
    key_words,
)
from semc_core.language import N_, _

_NAMING: Final = ("name_", "class_")
LEAVES: Final = "Esc"
"""Always leads back."""
MOST_KEYS: Final = 6
"""Of one command."""
PAGE_WORDS: Final = {
    LIVE: N_("during a scan"),
    REVIEW: N_("in review"),
    START: N_("on the start page"),
    TRAIN: N_("on the Train page"),
}

_BY_NAME: Final = {binding.name: binding for binding in BINDINGS}
ASSIGNABLE: Final = tuple(binding for binding in BINDINGS if not binding.name.startswith(_NAMING))
"""All but those that name planes: their keys belong to the planes."""

_given: dict[str, tuple[str, ...]] = {}


_NO_SENSE: Final = N_(
    "The keys stored for “{command}” make no sense; its usual ones count. Choose others in the preferences."
)
_CANNOT_BE: Final = N_(
    "The keys stored for “{command}” cannot be: {why}; its usual ones count. "
    "Choose others in the preferences."
)


def use(given: Mapping[str, tuple[str, ...]]) -> None:
    """Let commands have these keys from now on, by their names; all others have their usual ones."""
    _given.clear()
    _given.update({name: keys for name, keys in given.items() if keys != _BY_NAME[name].keys})


def given_keys() -> Mapping[str, tuple[str, ...]]:
    """The keys of all commands that have others than their usual ones, by their names."""
    return dict(_given)


def keys_of(name: str) -> tuple[str, ...]:
    """The keys of a command, the first of which its button shows."""
    return _given.get(name, _BY_NAME[name].keys)


def is_usual(name: str) -> bool:
    """Whether a command has the keys that it has at first."""
    return name not in _given


def first_key(name: str) -> str:
    """The key that a command's button shows, as the window calls it."""
    return key_name(keys_of(name)[0])


def key_names(keys: str) -> str:
    """Keys with spaces between them, as the window calls them: "C, Enter, Keypad Enter"."""
    return ", ".join(_("Keypad Enter") if key == "Enter" else key_name(key) for key in keys.split())


def with_key(title: str, name: str) -> str:
    """ "Try again  (S)"; the title alone for what is no command."""
    return f"{title}  ({first_key(name)})" if name in _BY_NAME else title


def tool_tip(binding: KeyBinding) -> str:
    """What it does, and its keys."""
    keys = ", ".join(key_words(key) for key in keys_of(binding.name))
    return f"{_(binding.help or binding.title)}  ({keys})"


def correcting_tips(now: Situation) -> dict[str, str]:
    """What is said of each key that corrects, while the mouse rests on its button."""
    if now.looking_only and now.page == REVIEW:
        return dict.fromkeys(CORRECTING, _(ONLY_LOOKED_AT))
    return {name: tool_tip(_BY_NAME[name]) for name in CORRECTING}


def start_tip(now: Situation) -> str:
    """What is said of the key that starts while the mouse rests on it."""
    if now.running or now.stopping or now.can_start:
        return tool_tip(_BY_NAME["start_stop"])
    return _("Nothing was opened yet: choose on this page what to scan.")


def title_of(binding: KeyBinding) -> str:
    """What a command is called where its page is not shown: “Capture”, or “Frame back, in review”."""
    alike = [each for each in ASSIGNABLE if each.title == binding.title]
    where = PAGE_WORDS[LIVE if LIVE in binding.pages else binding.pages[0]]
    title = _(binding.title)
    return title if len(alike) < 2 else f"{title}, {_(where)}"


def refusal(name: str, keys: Iterable[str], of: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """Why a command cannot have these keys, a sentence; "" where it can.

    Args:
        name: Of the command.
        keys: As `QKeySequence` writes them.
        of: The keys of all others by their names; None takes those they have now.
    """
    mine, keys = _BY_NAME[name], tuple(keys)
    if not keys:
        return _(
            "“{command}” needs a key; choose another before you take this one away.", command=title_of(mine)
        )
    if name == "escape" and LEAVES not in keys:
        return _("{key} always leads back, so it stays.", key=key_name(LEAVES))
    if len(keys) > MOST_KEYS:
        return _(
            "“{command}” has {count} keys, the most that there can be; take one away first.",
            command=title_of(mine),
            count=MOST_KEYS,
        )
    for other in BINDINGS:
        both = [page for page in mine.pages if page in other.pages]
        theirs = (of or {}).get(other.name, other.keys) if of is not None else keys_of(other.name)
        taken = [key for key in keys if key in theirs]
        if other is mine or not both or not taken:
            continue
        key, where = key_name(taken[0]), _(PAGE_WORDS[both[0]])
        if other.name.startswith(_NAMING):
            return _("“{key}” names a plane {where}; choose another key.", key=key, where=where)
        return _(
            "“{key}” is a key of “{command}” {where}; give that another key first.",
            key=key,
            command=title_of(other),
            where=where,
        )
    return ""


def checked(stored: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """What is stored, without what cannot be: those commands have their usual keys.

    Args:
        stored: By the names of commands; () for what is no key.

    Returns:
        Keys by the names of commands, and a sentence on each that was left out.
    """
    can = {binding.name for binding in ASSIGNABLE}
    good = {name: keys for name, keys in stored.items() if name in can and keys}
    wrong = [_(_NO_SENSE, command=_title(name)) for name in stored if name not in good]
    while True:
        bad = {name: why for name, keys in good.items() if (why := refusal(name, keys, good))}
        if not bad:
            break
        name, why = next(iter(bad.items()))
        del good[name]
        wrong.append(_(_CANNOT_BE, command=_title(name), why=why[:-1]))
    return good, tuple(wrong)


def _title(name: str) -> str:
    return title_of(_BY_NAME[name]) if name in _BY_NAME else name[:40]
