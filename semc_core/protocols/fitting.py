"""Which protocol a model is for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from semc_core.protocols.loader import ProtocolBook
from semc_core.protocols.protocol import Protocol

_LEAST_KNOWN: Final = 0.5
"""Share of a protocol's items that a model must know; one that knows less was made for something else."""


def fitting_protocol(book: ProtocolBook, model_planes: Collection[str]) -> Protocol | None:
    """The protocol of which a model knows the largest share; None where that is less than half of each.

    Of several that it knows as well, the user's own goes before those of the program, then the one with the
    most items.

    Args:
        book: All there are.
        model_planes: See `Protocol.unknown_items`.
    """

    def known(one: Protocol) -> float:
        return 1 - len(one.unknown_items(model_planes)) / len(one.items)

    fitting = [one for one in book.protocols if known(one) >= _LEAST_KNOWN]
    return max(fitting, key=lambda one: (known(one), one.own, len(one.items)), default=None)


def brought_protocol(book: ProtocolBook, model_planes: Collection[str], said: str) -> Protocol | None:
    """The protocol that comes with a model: the one it says it is made for, or else the one that fits.

    Args:
        book: All there are.
        model_planes: See `Protocol.unknown_items`.
        said: An id out of the model file, or "".
    """
    return book.get(said) or fitting_protocol(book, model_planes)
