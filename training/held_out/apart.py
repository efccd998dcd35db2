"""Dealing a set that was not split so that a new model can be compared with the one in use.

Dealt by a seed alone, as a set that grew since would be, most of the new test patients are such as the model
in use learned from. So those that it knows go where it had them, and the test split is drawn from the others.
The run keeps its deal, and goes on with that, whatever model is in use by then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

from semc_core.errors import UsageError
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import STRICT, Document, DocumentFault
from semc_core.io.rules import one_of
from semc_core.model.file import read_model
from semc_core.text import counted
from training.data.index import SPLITS, DataIndex
from training.held_out.learned_from import hashed, learned_from, patients_key
from training.run_folder import make_folder

DEAL_NAME: Final = "deal.json"
DEAL: Final[Document[dict[str, str]]] = Document(dict[str, Annotated[str, one_of(*SPLITS)]], config=STRICT)
"""Of a run: the split of each group, by its keyed hash."""


def dealt_apart(index: DataIndex, model: Path, seed: int) -> DataIndex:
    """Deal the groups without a split, those that a model knows to where it had them.

    Args:
        index: The data set.
        model: The one in use. One that does not say whom it knows changes nothing.
        seed: Decides the rest; see `DataIndex.split`.

    Raises:
        ModelFileError: The model's file cannot be read.
        UsageError: See `DataIndex.split`.
    """
    learned = learned_from(read_model(model)[1])
    if learned is None:
        return index.split(seed)
    key = patients_key()
    settled = {sample.group: sample.split for sample in index.samples}
    known = 0
    for group, split in settled.items():
        mark = hashed(key, index, group)
        if not split and mark in learned.trained | learned.chosen:
            settled[group] = "train" if mark in learned.trained else "validation"
            known += 1
    if not known:
        return index.split(seed)
    try:
        found = index.with_splits(settled).split(seed)
    except UsageError:  # Nobody is left to test on: the comparison will say so.
        return index.split(seed)
    knows = counted(known, "patient or video", "patients or videos")
    note = f"The model in use knows {knows}; the test split is of others."
    return replace(found, notes=(*found.notes, note))


def kept_deal(folder: Path, index: DataIndex) -> DataIndex | None:
    """The data set with the splits that a run kept; None if it kept none of these groups.

    Raises:
        UsageError: What it kept is damaged.
    """
    try:
        deal = DEAL.read(folder / DEAL_NAME)
    except FileNotFoundError:
        return None
    except (OSError, DocumentFault) as error:
        raise UsageError(
            f"{folder / DEAL_NAME} says how the patients were dealt and is damaged; train without --resume."
        ) from error
    found = _by_group(index, deal)
    return index.with_splits(found) if len(found) == len(index.groups) else None


def keep_deal(folder: Path, index: DataIndex) -> None:
    """Keep the splits of a data set in the folder of a run.

    Raises:
        SaveError: They cannot be written.
    """
    try:
        key = patients_key()
    except OSError:
        return  # Without a key nobody was known either.
    deal = {hashed(key, index, sample.group).hex(): sample.split for sample in index.samples}
    make_folder(folder)
    write_atomically(folder / DEAL_NAME, json.dumps(deal, indent=0, sort_keys=True).encode(), private=True)


def _by_group(index: DataIndex, deal: Mapping[str, str]) -> dict[str, str]:
    try:
        key = patients_key()
    except OSError:
        return {}
    marks = {group: hashed(key, index, group).hex() for group in index.groups}
    return {group: deal[mark] for group, mark in marks.items() if mark in deal}
