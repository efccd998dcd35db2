"""Studies of a server of either kind: found and got by DICOM's own protocol, or by DICOMweb."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from semc_core.pacs.destinations import Server, WebDestination
from semc_core.pacs.priors.find import USUAL_STUDIES, Studies, StudyQuestion, find_studies
from semc_core.pacs.priors.get import Fetched, Watch, fetch_study
from semc_core.pacs.storage import need_web
from semc_core.pacs.web_secret import kept_secret

Opened = Callable[[socket.socket], None]


def find_on(
    server: Server,
    data: Path,
    question: StudyQuestion,
    most: int = USUAL_STUDIES,
    *,
    opened: Opened | None = None,
) -> Studies:
    """Ask a server which studies it has.

    Args:
        server: Which.
        data: The user's data folder, for what proves to a DICOMweb service who asks.
        question: What is asked.
        most: Studies that are read.
        opened: Told of each connection: shutting it down ends any wait.

    Raises:
        PacsError: It cannot be searched.
        UsageError: `most` is too many.
    """
    if not isinstance(server, WebDestination):
        return find_studies(server, question, most, opened=opened)
    need_web()
    from semc_core.pacs.web.find import find_studies as find_by_web

    return find_by_web(server, kept_secret(data, server), question, most, opened=opened)


def get_from(
    server: Server,
    data: Path,
    study_uid: str,
    folder: Path,
    *,
    opened: Opened | None = None,
    watch: Watch = lambda come, left: None,
) -> Fetched:
    """Get a study's pictures from a server into a new folder.

    Args:
        server: Which.
        data: The user's data folder, for what proves to a DICOMweb service who asks.
        study_uid: Study Instance UID.
        folder: To be made.
        opened: Told of each connection: shutting it down ends any wait.
        watch: Told how far it is; must return at once.

    Raises:
        PacsError: It cannot be got.
        SemcError: The folder cannot be made, or that is no UID.
    """
    if not isinstance(server, WebDestination):
        return fetch_study(server, study_uid, folder, opened=opened, watch=watch)
    need_web()
    from semc_core.pacs.web.get import fetch_study as fetch_by_web

    secret = kept_secret(data, server)
    return fetch_by_web(server, secret, study_uid, folder, opened=opened, watch=watch)
