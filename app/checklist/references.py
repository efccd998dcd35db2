"""The reference picture of a plane, as the protocol that is followed has it. No Qt here."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future
from functools import partial

from app.tasks import Background, fault_of
from app.view_data import Reference
from semc_core.errors import ProtocolError
from semc_core.labels import NON_STANDARD
from semc_core.language import _
from semc_core.protocols.pictures import read_picture
from semc_core.protocols.protocol import Protocol, ProtocolItem

_Asked = tuple[Protocol | None, str, tuple[str, ...] | None]


class References:
    """Finds them; what was found last is kept, so that it can be asked for with every picture.

    The picture is read behind the window: until it is there, that is said in its place.
    """

    def __init__(self, work: Background) -> None:
        """Read pictures with `work`, which is closed by who made it."""
        self._work = work
        self._asked: _Asked | None = None
        self._found = Reference()

    def of(self, protocol: Protocol | None, plane: str, planes: Collection[str] | None) -> Reference:
        """That of a plane, or why there is none. To be asked again while the picture is being read.

        Args:
            protocol: That is followed, or None.
            plane: Class name; "" where there is none.
            planes: Of the model; None while it is not known.
        """
        asked = protocol, plane, None if planes is None else tuple(planes)
        if asked != self._asked:
            self._asked = asked
            self._found = self._begin(asked)
        return self._found

    def _begin(self, asked: _Asked) -> Reference:
        protocol, found = asked[0], _item(*asked)
        if protocol is None or isinstance(found, Reference):
            return found if isinstance(found, Reference) else Reference()
        self._work.start(partial(_read, protocol, found), partial(self._read, asked))
        return Reference(_(found.title), sentence=_("Reading the picture …"))

    def _read(self, asked: _Asked, future: Future[Reference]) -> None:
        """A picture is there; another one may be wanted by now."""
        if asked == self._asked:
            error = future.exception()
            self._found = future.result() if error is None else Reference(sentence=fault_of(error))


def reference(protocol: Protocol | None, plane: str, planes: Collection[str] | None) -> Reference:
    """As `References.of`; the picture is read now: not for the window."""
    found = _item(protocol, plane, planes)
    if protocol is None or isinstance(found, Reference):
        return found if isinstance(found, Reference) else Reference()
    return _read(protocol, found)


def _item(protocol: Protocol | None, plane: str, planes: Collection[str] | None) -> ProtocolItem | Reference:
    """The protocol's item of a plane; or why there is none."""
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
    item = protocol.item_of(plane, planes)
    if item is None:
        return Reference(
            sentence=_(
                "{protocol} has no item for {plane}, so there is no reference picture of it.",
                protocol=_(protocol.title),
                plane=plane,
            )
        )
    return item


def _read(protocol: Protocol, item: ProtocolItem) -> Reference:
    """The picture of an item, or why there is none. On any thread."""
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
                protocol=_(protocol.title),
            ),
        )
    return Reference(_(item.title), _(item.credit) if item.credit else "", pixels)
