"""What can be scanned: the models there are, each with a line on what it knows. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from semc_core.errors import SemcError
from semc_core.model.catalogue import shipped_models
from semc_core.model.registry import ModelRegistry
from semc_core.protocols.loader import ProtocolBook
from semc_core.protocols.models import ListedModel, listed, listed_models


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model to choose.

    Attributes:
        path: Its file.
        title: What is scanned, and the model's name.
        line: What it knows, from where, how good; or why it cannot be chosen.
        usable: Whether it can be chosen.
        planes: Its standard planes.
        protocol: Id of the protocol that its file says, or "".
    """

    path: Path
    title: str
    line: str
    usable: bool = True
    planes: tuple[str, ...] = ()
    protocol: str = ""


def model_choices(registry: ModelRegistry, book: ProtocolBook) -> list[ModelChoice]:
    """All models: those of the program, then the user's. Reads and hashes their files."""
    try:
        found = listed_models(registry, book)
    except SemcError:
        # Which of the user's models there are is not known; whoever needs one is told why.
        found = listed(shipped_models(), registry, book)
    return [_choice(each) for each in found]


def _choice(each: ListedModel) -> ModelChoice:
    name = each.model.name
    if each.summary is None:
        return ModelChoice(each.model.path, name, each.fault, usable=False)
    title = f"{each.scanned} · {name}" if each.scanned else name
    summary = each.summary
    return ModelChoice(each.model.path, title, summary.line, True, summary.planes, summary.protocol)
