"""`config.toml`: every choice of a training in a file, for `--config` and `--set`; each run keeps its own.

A file may name a few choices; the others are the recipe's. The file that a run leaves names all of them, so
that giving it again repeats the run.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from semc_core.errors import UsageError
from semc_core.io.documents import Document, DocumentFault, field_name, plain_values, reason
from training.config import TrainOptions
from training.losses.config import LossOptions, UnlabelledOptions
from training.schedule import Budget
from training.transforms.config import AugmentOptions

CONFIG_NAME: Final = "config.toml"
"""In the folder of a training run."""
ENDS: Final = ("steps", "minutes")
"""Of the budget; one of them."""

CONFIG: Final = Document(TrainOptions)
"""What the whole file says, but for its ends."""
_TABLES: Final[dict[str, type]] = {
    "losses": LossOptions,
    "unlabelled": UnlabelledOptions,
    "augment": AugmentOptions,
}
_NO_VALUE: Final = {
    "losses.alpha": "learned",
    "patience": "never",
    "losses.gate_start": "architecture",
    "size": "preset",
}
"""TOML has nothing for None: the word that stands for it."""
_WIDTH: Final = 100


def keys() -> dict[str, str]:
    """Every key, with its table, and what it decides."""
    told = _attributes(TrainOptions.__mro__[1]) | _attributes(TrainOptions)
    found = {name: told[name] for name in (field.name for field in fields(TrainOptions)) if name in told}
    found.pop("budget", None)
    for table, kind in _TABLES.items():
        found.pop(table, None)
        own = _attributes(kind)
        found |= {f"{table}.{field.name}": own[field.name] for field in fields(kind)}
    ends = {"steps": "End after so many steps.", "minutes": "End after so many minutes."}
    return {key: _with_word(key, text) for key, text in (ends | found).items()}


def read_config(path: Path) -> dict[str, Any]:
    """The choices that a file names, by key; see `keys`.

    Raises:
        UsageError: It cannot be read, or names what there is not.
    """
    try:
        table = CONFIG.toml_table(path.read_bytes())
    except (OSError, DocumentFault) as error:
        raise UsageError(
            f"{path} cannot be read ({reason(error)}); name a file as config.toml of a run's folder."
        ) from error
    # A table whose lines are all commented out says nothing.
    found = {key: value for key, value in flat(table) if value != {} or key not in _TABLES}
    if not found:
        raise UsageError(f"{path} names no choice of a training; docs/training_keys.md lists them.")
    for key in found:
        check_key(key, str(path))
    budget_in(found, str(path))
    try:
        changed(TrainOptions(Budget(steps=1)), found)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    return found


def read_setting(text: str) -> tuple[str, Any]:
    """Key and value of `key=value`; the value as TOML, or a word without quotation marks.

    Raises:
        UsageError: It is none, or there is no such key.
    """
    key, sign, value = (part.strip() for part in text.partition("="))
    if not sign or not value:
        raise UsageError(f"--set {text!r} is no setting; write KEY=VALUE, as in losses.temperature=0.1.")
    check_key(key, "--set")
    try:
        return key, CONFIG.toml_table(f"value = {value}".encode())["value"]
    except DocumentFault:
        return key, value


def read_settings(config: Path | None, texts: Iterable[str]) -> dict[str, Any]:
    """What a file and then each `key=value` says, by key.

    Raises:
        UsageError: See `read_config` and `read_setting`.
    """
    found = {} if config is None else read_config(config)
    return found | dict(read_setting(text) for text in texts)


def changed(options: TrainOptions, settings: Mapping[str, Any]) -> TrainOptions:
    """The options with what `settings` name, by key; ends among them are left out.

    Raises:
        UsageError: A value is of the wrong kind or out of range.
    """
    values = plain_values(options)
    for key, value in settings.items():
        if key in ENDS:
            continue
        table, _, name = key.rpartition(".")
        place = values[table] if table else values
        place[name] = None if value == _NO_VALUE.get(key) else value
    try:
        return CONFIG.from_plain(values)
    except DocumentFault as error:
        raise UsageError(f"The settings of the training cannot be used: {error}.") from error


def budget_in(settings: Mapping[str, Any], where: str = "The settings") -> Budget | None:
    """When the settings say that it ends; None where they do not.

    Args:
        settings: By key.
        where: They are from, for the error.

    Raises:
        UsageError: They say it twice, or it is no number above 0.
    """
    given = {name: settings[name] for name in ENDS if name in settings}
    if not given:
        return None
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in given.values()):
        raise UsageError(f"{where}: {' and '.join(given)} must be a number.")
    try:
        return Budget(given.get("steps"), given.get("minutes"))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def values_of(options: TrainOptions) -> dict[str, Any]:
    """Every key with its value, as TOML and JSON have it."""
    values = plain_values(options)
    ends = {name: value for name, value in values.pop("budget").items() if value is not None}
    return {key: _NO_VALUE[key] if value is None else value for key, value in flat(ends | values)}


def as_toml(options: TrainOptions) -> str:
    """All choices, each under what it decides."""
    told, above = keys(), ""
    lines = ["# Every choice of this training: semc train --config FILE repeats it."]
    for key, value in values_of(options).items():
        table, _, name = key.rpartition(".")
        if table != above:
            lines += ["", f"[{table}]"]
            above = table
        lines += ["", *(f"# {line}" for line in textwrap.wrap(told[key], _WIDTH))]
        # Text, numbers, lists and truth are written in TOML as in JSON.
        lines.append(f"{name} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def flat(
    table: Mapping[str, Any], above: str = "", ends_at: Callable[[object], bool] = lambda value: False
) -> Iterator[tuple[str, Any]]:
    """Every value with its key, tables within tables; a table for which `ends_at` is true is a value."""
    for name, value in table.items():
        if isinstance(value, dict) and value and not ends_at(value):
            yield from flat(value, f"{above}{name}.", ends_at)
        else:
            yield f"{above}{name}", value


def check_key(key: str, where: str) -> None:
    """Refuse a key that there is not.

    Raises:
        UsageError: There is no such key.
    """
    known = keys()
    if key in known:
        return
    near = get_close_matches(key, known, 1) or [one for one in known if one.rpartition(".")[2] == key][:1]
    hint = f"perhaps {near[0]} is meant." if near else "docs/training_keys.md lists them."
    raise UsageError(f"{where} names {field_name((key,))}, and there is no such key of a training; {hint}")


def _with_word(key: str, text: str) -> str:
    return text.replace("None", f'"{_NO_VALUE[key]}"') if key in _NO_VALUE else text


def _attributes(kind: type) -> dict[str, str]:
    """What a dataclass says of its fields in its docstring."""
    assert is_dataclass(kind)
    text = inspect.cleandoc(kind.__doc__ or "")
    section = re.search(r"^Attributes:\n(.*?)(?:^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None
    found = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", section[1], re.MULTILINE | re.DOTALL)
    return {name: " ".join(words.split()) for name, words in found}
