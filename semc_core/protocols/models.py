"""The models there are, each with what it says of itself and the protocol that comes with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from semc_core.errors import ModelFileError
from semc_core.model.catalogue import NamedModel, file_of, named_models
from semc_core.model.file import read_spec
from semc_core.model.registry import ModelRegistry
from semc_core.model.summary import ModelSummary, summary_of
from semc_core.paths import DEFAULT_MODEL
from semc_core.protocols.fitting import brought_protocol
from semc_core.protocols.loader import ProtocolBook
from semc_core.protocols.protocol import Protocol


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model as it is offered.

    Attributes:
        model: Its name and file.
        in_use: Whether it is used where none is named.
        summary: What it says of itself; None where it cannot be used.
        protocol: That comes with it, or None.
        fault: Why it cannot be used, a sentence, or "".
    """

    model: NamedModel
    in_use: bool
    summary: ModelSummary | None
    protocol: Protocol | None
    fault: str = ""

    @property
    def scanned(self) -> str:
        """What is scanned: as the model says it, or its protocol's title; "" where neither is known."""
        said = "" if self.summary is None else self.summary.scanned
        return said or ("" if self.protocol is None else self.protocol.title)


def listed_models(registry: ModelRegistry, book: ProtocolBook) -> list[ListedModel]:
    """All models, those of the program first; each is read, and one of the user's held against its hash.

    Raises:
        ModelFileError: The list of the user's models cannot be read.
    """
    current = registry.current()
    in_use = DEFAULT_MODEL if current is None else registry.folder / current.file
    return listed(named_models(registry), registry, book, in_use=in_use)


def listed(
    models: Iterable[NamedModel], registry: ModelRegistry, book: ProtocolBook, *, in_use: object = None
) -> list[ListedModel]:
    """These models; `in_use` is the file of the one that is used where none is named."""
    return [_listed(each, registry, book, each.path == in_use) for each in models]


def _listed(model: NamedModel, registry: ModelRegistry, book: ProtocolBook, in_use: bool) -> ListedModel:
    try:
        summary = summary_of(read_spec(file_of(model, registry)))
    except ModelFileError as error:
        return ListedModel(model, in_use, None, None, str(error))
    return ListedModel(model, in_use, summary, brought_protocol(book, summary.planes, summary.protocol))
