"""`semc model list` and `semc model add`: the models there are, what each knows, and more of the user's."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semc_core.errors import ModelFileError, RuntimeFault, UsageError
from semc_core.model.catalogue import check_free
from semc_core.model.file import read_spec
from semc_core.model.registry import SHIPPED, ModelRegistry, Version, is_model_name
from semc_core.model.summary import summary_of
from semc_core.paths import DEFAULT_MODEL
from semc_core.protocols.models import ListedModel


def plain_list(listed: Sequence[ListedModel]) -> dict[str, Any]:
    """What `--json` prints."""
    versions = [each.model.version for each in listed if each.model.version is not None]
    numbers = [each.model.version.number for each in listed if each.in_use and each.model.version is not None]
    return {
        "in_use": numbers[0] if numbers else SHIPPED,
        "versions": [
            version.as_json()
            | {
                "compared": {} if version.compared is None else version.compared.as_json(),
                "name": version.name,
            }
            for version in versions
        ],
        "models": [_plain(each) for each in listed],
    }


def _plain(each: ListedModel) -> dict[str, Any]:
    summary, version = each.summary, each.model.version
    return {
        "name": each.model.name,
        "file": str(each.model.path),
        "shipped": version is None,
        "number": None if version is None else version.number,
        "in_use": each.in_use,
        "scanned": "" if summary is None else summary.scanned,
        "planes": [] if summary is None else list(summary.planes),
        "origin": "" if summary is None else summary.origin,
        "quality": "" if summary is None else summary.quality,
        "notice": "" if summary is None else summary.notice,
        "protocol": None if each.protocol is None else each.protocol.id,
        "fault": each.fault,
    }


def print_list(listed: Sequence[ListedModel]) -> None:
    """On screen, a row for each."""
    from rich.console import Console
    from rich.table import Table

    from semc_core.cli.shared.shown import escape

    table = Table("", "number", "name", "what is scanned", "what it is", title="Models", show_lines=True)
    for column in table.columns[1:3]:
        column.no_wrap = True
    for each in listed:
        number = "" if each.model.version is None else str(each.model.version.number)
        if each.model.path == DEFAULT_MODEL:
            number = str(SHIPPED)
        table.add_row(
            "in use" if each.in_use else "",
            number,
            escape(each.model.name),
            escape(each.scanned),
            escape(_words(each)),
        )
    Console().print(table, markup=False)


def _words(each: ListedModel) -> str:
    if each.summary is None:
        return each.fault
    return " ".join(filter(None, (each.summary.line, _history(each.model.version))))


def _history(version: Version | None) -> str:
    """Where a model of the user's came from, and how it compared with the one before it."""
    if version is None:
        return "Came with the program."
    found = version.compared
    against = "not compared"
    if found is not None and found.difference is not None:
        against = f"{found.difference:+.3f} ({found.verdict})"
    f1 = "" if found is None else f" F1 {found.candidate.f1:.3f}."
    note = f" {version.note[:1].upper()}{version.note[1:]}." if version.note else ""
    forced = " Forced." if version.forced else ""
    added = version.added_utc[:16].replace("T", " ")
    return f"Yours, added {added}.{note}{f1} Against the one before: {against}.{forced}"


def add_models(place: Path, name: str | None) -> int:
    """Take in a file, or every model file of a folder. Returns 1 if one was refused, which is told.

    Raises:
        UsageError: There is none, or one name is given for several.
        SemcError: Nothing can be written.
    """
    folder = place.is_dir()
    files = sorted(place.glob("*.safetensors")) if folder else [place]
    if not files:
        raise UsageError(f"{place} holds no model file (.safetensors); choose another folder.")
    if name is not None and len(files) > 1:
        raise UsageError("--name is for one model; add the files of a folder one by one to name them.")
    refused = 0
    for file in files:
        try:
            print(_added(file, name))
        except (ModelFileError, RuntimeFault, UsageError) as error:
            if not folder:
                raise
            refused += 1
            print(f"semc: {error}", file=sys.stderr)
    return 1 if refused else 0


def _added(file: Path, name: str | None) -> str:
    from semc_core.runtime.verify import check_usable

    called = name or _name_of(file)
    check_free(called)
    check_usable(file)
    library, spec = ModelRegistry(), read_spec(file)
    # What is known of a file that is there already stays known.
    known = next((each for each in library.versions() if each.sha256 == spec.sha256), None)
    compared, forced = (None, False) if known is None else (known.compared, known.forced)
    version = library.add(file, "" if known else "added by hand", compared, forced=forced, name=called)
    summary = summary_of(spec)
    return f"Model version {version.number} is called {version.title}: {summary.line}"


def _name_of(file: Path) -> str:
    """What a file without a name of its own is called: as its file, without what no name may have.

    Raises:
        UsageError: Nothing is left.
    """
    name = "".join(mark if mark.isascii() and (mark.isalnum() or mark == "_") else "-" for mark in file.stem)
    name = name.strip("-")[:64]
    if not is_model_name(name):
        raise UsageError(f"{file.name} gives no name for a model; say one with --name.")
    return name
