"""Studies of a server of either kind: found and got by DICOM's own protocol, or by DICOMweb."""

from __future__ import annotations

from pathlib import Path

from semc_core.pacs.destinations import DestinationBook, WebDestination
from semc_core.pacs.priors.find import USUAL_STUDIES, Studies, StudyQuestion
from semc_core.pacs.priors.get import Fetched, Watch
from semc_core.pacs.storage import need_web
from semc_core.pacs.web_secret import kept_secret


def find_on(book: DestinationBook, name: str, question: StudyQuestion, most: int = USUAL_STUDIES) -> Studies:
    """Ask the server of this name which studies it has.

    Args:
        book: Where it is kept.
        name: As the user calls it.
        question: What is asked.
        most: Studies that are read.

    Raises:
        PacsError: There is none, or it cannot be searched.
        UsageError: `most` is too many.
    """
    server = book.find(name)
    if isinstance(server, WebDestination):
        need_web()
        from semc_core.pacs.web.find import find_studies as find_by_web

        return find_by_web(server, kept_secret(book.folder, server), question, most)
    from semc_core.pacs.priors.find import find_studies

    return find_studies(server, question, most)


def get_from(
    book: DestinationBook,
    name: str,
    study_uid: str,
    folder: Path,
    watch: Watch = lambda come, left: None,
) -> Fetched:
    """Get a study's pictures from the server of this name into a new folder.

    Args:
        book: Where it is kept.
        name: As the user calls it.
        study_uid: Study Instance UID.
        folder: To be made.
        watch: Told how far it is; must return at once.

    Raises:
        PacsError: There is no such server, or it cannot be got.
        SemcError: The folder cannot be made, or that is no UID.
    """
    server = book.find(name)
    if isinstance(server, WebDestination):
        need_web()
        from semc_core.pacs.web.get import fetch_study as fetch_by_web

        return fetch_by_web(server, kept_secret(book.folder, server), study_uid, folder, watch=watch)
    from semc_core.pacs.priors.get import fetch_study

    return fetch_study(server, study_uid, folder, watch=watch)
