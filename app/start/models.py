"""What can be scanned: the models there are, each with a line on what it knows. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.formatting import own_model
from semc_core.errors import SemcError

if TYPE_CHECKING:
    from semc_core.model.registry import ModelRegistry
    from semc_core.protocols.loader import ProtocolBook
    from semc_core.protocols.models import ListedModel


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model to choose.

    Attributes:
        path: Its file.
        title: What is scanned, and the model's name; one of the user's is first called by its number.
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
    from semc_core.model.catalogue import shipped_models
    from semc_core.protocols.models import listed, listed_models

    try:
        found = listed_models(registry, book)
    except SemcError:
        # Which of the user's models there are is not known; whoever needs one is told why.
        found = listed(shipped_models(), registry, book)
    return [_choice(each) for each in found]


def _choice(each: ListedModel) -> ModelChoice:
    title, summary = _title(each), each.summary
    if summary is None:
        return ModelChoice(each.model.path, title, each.fault, usable=False)
    return ModelChoice(each.model.path, title, summary.line, True, summary.planes, summary.protocol)


def _title(each: ListedModel) -> str:
    version = each.model.version
    if version is None:
        return " · ".join(filter(None, (each.scanned, each.model.name)))
    # By its number it is known before its file was looked at; what is learned of it stands behind that.
    return " · ".join(filter(None, (own_model(version.number), each.scanned, version.name)))
