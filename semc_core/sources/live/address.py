"""What is shown, logged and remembered of a stream's address."""

from __future__ import annotations

from urllib.parse import urlsplit

from semc_core.errors import SourceError
from semc_core.language import _


def public_name(url: str) -> str:
    """The address without user name, password and query: those are nobody's business in an export.

    Raises:
        SourceError: It is no address.
    """
    if url.startswith("pipe:"):
        return "Standard input"
    try:
        parts = urlsplit(url)
    except ValueError as error:
        scheme = url.partition("://")[0]
        raise SourceError(
            _("The address {scheme}://... is none; check its brackets.", scheme=scheme)
        ) from error
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
