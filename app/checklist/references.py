"""The reference picture of a plane, as the protocol that is followed has it. No Qt here."""

from __future__ import annotations

from collections.abc import Collection

from app.view_data import Reference
from semc_core.errors import ProtocolError
from semc_core.labels import NON_STANDARD
from semc_core.language import _
from semc_core.protocols.pictures import read_picture
from semc_core.protocols.protocol import Protocol


class References:
    """Finds them; what was found last is kept, so that it can be asked for with every picture."""

    def __init__(self) -> None:
        self._asked: tuple[Protocol | None, str, tuple[str, ...] | None] | None = None
        self._found = Reference()

    def of(self, protocol: Protocol | None, plane: str, planes: Collection[str] | None) -> Reference:
        """That of a plane, or why there is none.

        Args:
            protocol: That is followed, or None.
            plane: Class name; "" where there is none.
            planes: Of the model; None while it is not known.
        """
        asked = protocol, plane, None if planes is None else tuple(planes)
        if asked != self._asked:
            self._asked, self._found = asked, reference(*asked)
        return self._found


def reference(protocol: Protocol | None, plane: str, planes: Collection[str] | None) -> Reference:
    """As `References.of`; the picture is read now."""
    if protocol is None:
        return Reference(
            sentence=_(
                "No protocol is followed here, so there is no reference picture; choose one beside the "
                "checklist."
            )
        )
    if plane in ("", NON_STANDARD):
        return Reference(
            sentence=_("Choose a plane, or go to a frame that shows one: its reference picture comes here.")
        )
    title = _(protocol.title)
    item = protocol.item_of(plane, planes)
    if item is None:
        return Reference(
            sentence=_(
                "{protocol} has no item for {plane}, so there is no reference picture of it.",
                protocol=title,
                plane=plane,
            )
        )
    try:
        pixels = read_picture(protocol, item)
    except ProtocolError as error:
        return Reference(_(item.title), sentence=str(error))
    if pixels is None:
        return Reference(
            _(item.title),
            sentence=_(
                "{protocol} has no reference picture of this item. A protocol of your own can have one: a "
                "file beside it, named in it (see “Protocols” in the documentation).",
                protocol=title,
            ),
        )
    return Reference(_(item.title), _(item.credit) if item.credit else "", pixels)
