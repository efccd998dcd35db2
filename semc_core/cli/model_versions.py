"""`semc model list | use | rollback`: the user's models, and which of them is in use."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from semc_core.errors import UsageError
from semc_core.model.comparison import COMPARISON_NAME, Comparison, read_comparison, run_folder
from semc_core.model.file import read_spec
from semc_core.model.registry import SHIPPED, ModelLibrary, Version


def show_list(args: argparse.Namespace) -> int:
    """Print all versions. Returns 0."""
    from rich.console import Console
    from rich.table import Table

    library = ModelLibrary()
    versions, current = library.versions(), library.current()
    in_use = SHIPPED if current is None else current.number
    if args.json:
        plain = {"in_use": in_use, "versions": [asdict(version) for version in versions]}
        print(json.dumps(plain, indent=2))
        return 0
    table = Table("", "number", "added", "F1", "against the one before", "note", title="Models")
    table.add_row("in use" if in_use == SHIPPED else "", str(SHIPPED), "", "", "", "came with the program")
    for version in versions:
        mark = "in use" if version.number == in_use else ""
        table.add_row(
            mark, str(version.number), version.added_utc[:16].replace("T", " "), *_compared(version)
        )
    Console().print(table, markup=False)
    return 0


def use(args: argparse.Namespace) -> int:
    """Use a version, or take a model file in and use it. Returns 0.

    Raises:
        SemcError: There is no such model, or it is refused.
    """
    library = ModelLibrary()
    if args.model.isdecimal():
        print(in_words(library.use(int(args.model))))
        return 0
    path = Path(args.model)
    if not path.is_file():
        raise UsageError(
            f"There is no model file {path}; name one, or a version's number as in `semc model list`."
        )
    comparison = comparison_of(path)
    version = promoted(path, comparison, "taken in by hand", force=args.force)
    if comparison is not None:
        print(comparison.sentence)
    print(in_words(version))
    return 0


def promoted(model: Path, comparison: Comparison | None, note: str, *, force: bool) -> Version:
    """Use a model file from now on, if it may replace the one in use; see `ModelLibrary.promote`.

    Raises:
        SemcError: It is refused, and the sentence says why and what can be done; or it cannot be written.
    """
    library = ModelLibrary()
    refusal = "" if force else library.refusal(read_spec(model).sha256, comparison)
    if refusal:
        # A file that `semc calibrate` or `semc model fit-gate` wrote has no training to go on with.
        more = (
            "Its `semc train` command with --resume compares it again"
            if run_folder(model).is_dir()
            else "`semc eval` tells how good it is"
        )
        raise UsageError(
            f"{refusal} {model.name} is kept and not used. {more}; `semc model use` with --force uses it all "
            "the same."
        )
    return library.promote(model, comparison, note, force=force)


def rollback(args: argparse.Namespace) -> int:
    """Go back. Returns 0.

    Raises:
        SemcError: There is nothing to go back to.
    """
    print(in_words(ModelLibrary().rollback()))
    return 0


def comparison_of(model: Path) -> Comparison | None:
    """What the training that made a model file found when it compared it; None if it did not.

    Raises:
        UsageError: It cannot be read.
    """
    return read_comparison(run_folder(model) / COMPARISON_NAME)


def in_words(version: Version | None) -> str:
    """Which model is in use now, in a sentence."""
    if version is None:
        return "The model that came with the program is in use."
    return f"Model version {version.number} is in use ({version.sha256[:8]})."


def _compared(version: Version) -> tuple[str, str, str]:
    """F1, difference, and note of a version."""
    found = version.compared or {}
    from rich.markup import escape

    note = escape(f"{version.note} (forced)" if version.forced else version.note)
    if not found:
        return "", "not compared", note
    f1 = f"{found['candidate']['f1']:.3f}"
    if found["difference"] is None:
        return f1, "not compared", note
    return f1, f"{found['difference']:+.3f} ({found['verdict']})", note
