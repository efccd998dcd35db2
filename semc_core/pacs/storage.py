"""A way to a server of either kind, over which objects are stored: an association, or HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from semc_core.extras import lacking
from semc_core.pacs.association import AssociationFault
from semc_core.pacs.client import StorageAssociation
from semc_core.pacs.destinations import Server, WebDestination
from semc_core.pacs.queue_store import DicomObject
from semc_core.pacs.web_secret import WebSecret

if TYPE_CHECKING:
    from semc_core.pacs.web.store import WebStorage

Storage: TypeAlias = "StorageAssociation | WebStorage"


def open_storage(
    server: Server,
    secret: WebSecret,
    objects: Sequence[DicomObject] = (),
    *,
    ask: bool = False,
    opened: Callable[[socket.socket], None] | None = None,
) -> Storage:
    """A way to a server. Use as a context.

    Args:
        server: Which.
        secret: Proves to a DICOMweb service who asks.
        objects: What is to be sent, at most `MOST_OBJECTS`; none only to ask whether it answers.
        ask: Whether `has` will be called.
        opened: Told of each connection: shutting it down ends any wait for the server.

    Raises:
        AssociationFault: It cannot be reached or refuses, or what its kind needs is not installed.
        PacsError: A file of certificates cannot be used.
    """
    if not isinstance(server, WebDestination):
        return StorageAssociation(server, objects, ask=ask, opened=opened)
    need_web()
    # A third of a second, and an extra.
    from semc_core.pacs.web.store import WebStorage

    return WebStorage(server, secret, opened=opened)


def need_web() -> None:
    """Before a module of `semc_core/pacs/web` is imported that needs the library.

    Raises:
        AssociationFault: It is not installed.
    """
    if missing := lacking("dicomweb_client", "DICOMweb"):
        raise AssociationFault(missing, permanent=True)
