"""Who may connect, and with which answer everybody else is sent away. Decisions only."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from semc_core.serve.settings import ANY, ServeSettings

_PERMANENT: Final = 1
_USER: Final = 1
_CALLING_UNKNOWN: Final = 3
_CALLED_UNKNOWN: Final = 7


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an association is refused.

    Attributes:
        code: Result, source and reason of the A-ASSOCIATE-RJ.
        sentence: For the log.
    """

    code: tuple[int, int, int]
    sentence: str


def may_connect(settings: ServeSettings, address: str) -> bool:
    """Whether anybody may send from this address: everybody else is not even listened to."""
    return any(_is_inside(address, one.addresses) for one in settings.senders)


def refusal(settings: ServeSettings, called: str, calling: str, address: str) -> Refusal | None:
    """Why an association is refused; None where it is welcome.

    Args:
        settings: Whom the service lets in.
        called: AE title that the sender calls.
        calling: AE title that it has.
        address: From which it comes.
    """
    called, calling = called.strip(), calling.strip()
    if called != settings.title:
        return Refusal(
            (_PERMANENT, _USER, _CALLED_UNKNOWN),
            f'{address} calls the AE title "{called}", and this service is "{settings.title}"; correct it '
            "there.",
        )
    known = [one for one in settings.senders if one.title in (ANY, calling)]
    if any(_is_inside(address, one.addresses) for one in known):
        return None
    where = "may not send from there" if known else "is not in the list of senders"
    return Refusal(
        (_PERMANENT, _USER, _CALLING_UNKNOWN),
        f'"{calling}" at {address} {where}; add it to the settings if it may.',
    )


def _is_inside(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    # An IPv4 address as a socket of both kinds tells it.
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return any(found in ipaddress.ip_network(network) for network in networks)
