"""How the service is set up: a TOML document of the user's, checked word for word."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from semc_core.errors import SaveError, UsageError
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.documents import STRICT, Document, DocumentFault, configured, reason
from semc_core.io.private import make_private_folder
from semc_core.io.regular import is_there
from semc_core.io.rules import Line, Name, checked, format_number, one_of, within
from semc_core.pacs.destinations import OWN_TITLE, AeTitle, Host, Port

SETTINGS_NAME: Final = "serve.toml"
"""In the user's data folder, unless another file is named."""
ANY: Final = "*"
_FORMAT: Final = "semc-live-serve"
_VERSION: Final = 1
_PORT: Final = 11112
_MOST_SENDERS: Final = 500
_MOST_RULES: Final = 200
_MOST_BYTES: Final = 1_000_000


def _check_address(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError('must be an address or a network such as "10.1.2.0/24", and no name') from error


def _check_folder(text: str) -> None:
    try:
        whole = Path(text).expanduser().is_absolute()
    except RuntimeError:  # "~" of nobody
        whole = False
    if not whole:
        raise ValueError('must be a whole path, as "/srv/semc" or "~/semc": it holds wherever it is started')


Address = Annotated[str, checked(_check_address)]
Folder = Annotated[Line, checked(_check_folder)]


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Sender:
    """Who may send.

    Attributes:
        title: Its AE title; "*" is any.
        addresses: From which it may come: addresses or networks.
    """

    title: AeTitle
    addresses: Annotated[tuple[Address, ...], within(1, 100)]


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Rule:
    """Which model looks at a loop. The first rule of which all patterns fit is taken.

    A pattern has "*" for any text and "?" for any character; upper and lower case are the same.

    Attributes:
        model: By its name, or its file.
        station: Of the Station Name.
        body_part: Of the Body Part Examined.
        study: Of the Study Description.
        protocol: Of the Protocol Name.
    """

    model: Line
    station: Line = ANY
    body_part: Line = ANY
    study: Line = ANY
    protocol: Line = ANY


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused, slowed down or broken off.

    Attributes:
        associations: At one time.
        object_mb: Largest object.
        objects_per_minute: More are answered later.
        least_free_mb: With less room on the disk nothing is taken.
        idle_s: Longest silence in an association.
        longest_s: Longest association.
        analysis_s: Longest analysis of one loop.
    """

    associations: Annotated[int, within(1, 100)] = 8
    object_mb: Annotated[int, within(1, 4000)] = 2000
    objects_per_minute: Annotated[int, within(1, 100_000)] = 1000
    least_free_mb: Annotated[int, within(0, 1_000_000)] = 2000
    idle_s: Annotated[float, within(above=0, most=600)] = 30.0
    longest_s: Annotated[float, within(above=0, most=86_400)] = 3600.0
    analysis_s: Annotated[float, within(above=0, most=86_400)] = 900.0


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class ServerTls:
    """How connections are encrypted. Senders must have a certificate.

    Attributes:
        certificate: PEM file of this service's certificate.
        key: PEM file of its key, without a password.
        ca: PEM file with what the senders' certificates are signed by.
    """

    certificate: Line
    key: Line
    ca: Line


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class ServeSettings:
    """The document.

    Attributes:
        title: AE title under which senders must call.
        host: Address to listen at; "0.0.0.0" is every one of this machine.
        port: 1-65535.
        folder: Where all is kept that arrives, with the sessions.
        senders: Nobody else is let in.
        model: Of loops that no rule fits; "in-use" is the one in use, "by-picture" that of `candidates` which
            knows the pictures.
        candidates: Models among which the pictures choose.
        destination: Name of the server that results go to; "" keeps them here.
        identified: Whether results name the patient; else they are de-identified.
        rules: See `Rule`.
        limits: See `Limits`.
        tls: None for connections in the clear.
    """

    format: Annotated[str, one_of(_FORMAT)]
    version: Annotated[int, format_number(_VERSION)]
    folder: Folder
    senders: Annotated[tuple[Sender, ...], within(1, _MOST_SENDERS)]
    title: AeTitle = OWN_TITLE
    host: Host = "127.0.0.1"
    port: Port = _PORT
    model: Line = "in-use"
    candidates: Annotated[tuple[Line, ...], within(0, _MOST_RULES)] = ()
    destination: Name = ""
    identified: bool = False
    rules: Annotated[tuple[Rule, ...], within(0, _MOST_RULES)] = ()
    limits: Limits = Limits()
    tls: ServerTls | None = None

    @property
    def place(self) -> Path:
        """The folder."""
        return Path(self.folder).expanduser()


BY_PICTURE: Final = "by-picture"
SETTINGS: Final = Document(ServeSettings, most_bytes=_MOST_BYTES)


def load_settings(path: Path) -> ServeSettings:
    """The settings in a file.

    Raises:
        UsageError: There is none, or it is not as it must be.
    """
    try:
        with path.open("rb") as file:
            settings = SETTINGS.parse_toml(file.read(_MOST_BYTES + 1))
    except FileNotFoundError as error:
        raise UsageError(
            f'There are no settings at {path}; write them with "semc serve --write-settings".'
        ) from error
    except (OSError, DocumentFault) as error:
        raise UsageError(f"The settings {path} cannot be used: {reason(error)}.") from error
    if BY_PICTURE in (settings.model, *(rule.model for rule in settings.rules)) and not settings.candidates:
        raise UsageError(
            f'The settings {path} leave the model to the pictures and name none; add candidates = ["fetal", '
            '"live"], names out of: semc model list.'
        )
    if settings.tls is None and _lets_in_everybody(settings):
        raise UsageError(
            f"The settings {path} let every address send in the clear; list addresses, or add [tls]."
        )
    return settings


def _lets_in_everybody(settings: ServeSettings) -> bool:
    """However it is written, and also by parts that together are all addresses."""
    networks = [ipaddress.ip_network(address) for one in settings.senders for address in one.addresses]
    fourth = [one for one in networks if isinstance(one, ipaddress.IPv4Network)]
    sixth = [one for one in networks if isinstance(one, ipaddress.IPv6Network)]
    return any(not one.prefixlen for one in ipaddress.collapse_addresses(fourth)) or any(
        not one.prefixlen for one in ipaddress.collapse_addresses(sixth)
    )


def write_settings(path: Path, folder: Path) -> None:
    """Write settings to begin with: this machine may send, and nobody else.

    Args:
        path: The file, which must not be there yet.
        folder: For what arrives.

    Raises:
        UsageError: There is one.
        SaveError: It cannot be written.
    """
    if is_there(path):
        raise UsageError(f"There are settings at {path} already; edit them, or move them away.")
    try:
        make_private_folder(path.parent)
    except OSError as error:
        raise save_error(path.parent, error) from error
    text = _TEMPLATE.format(format=_FORMAT, version=_VERSION, folder=_quoted(str(folder)), limits=Limits())
    try:
        write_atomically(path, text.encode(), private=True)
    except UnicodeEncodeError as error:
        raise SaveError("The path of the settings is no UTF-8; name another file.") from error


def _quoted(text: str) -> str:
    """A string of TOML, which takes JSON's escapes."""
    return json.dumps(text, ensure_ascii=False)


_TEMPLATE: Final = """\
# Settings of semc serve. Start it anew after a change. All of it is explained in docs/serve.md.
format = "{format}"
version = {version}

title = "SEMC_LIVE"      # AE title under which scanners call this service
host = "127.0.0.1"       # "0.0.0.0" to be reached from other machines
port = 11112
folder = {folder}        # all that arrives, and the sessions

model = "in-use"         # or a name out of: semc model list
# model = "by-picture"   # that of these which knows the pictures; where none does, nothing is sent
# candidates = ["fetal", "live"]
destination = ""         # where results go, a name out of: semc pacs servers; "" keeps them here
identified = false       # true: results name the patient, so that the archive files them with the study

# Who may send; nobody else is let in. One block for each scanner.
[[senders]]
title = "*"              # its AE title; "*" is any
addresses = ["127.0.0.1"]

# Another model for some loops: the first rule that fits. "*" is any text, "?" any character.
# [[rules]]
# model = "fetal"
# body_part = "FETUS"    # also: station, study (Study Description), protocol (Protocol Name)

[limits]
associations = {limits.associations}             # at one time
object_mb = {limits.object_mb}             # largest object
objects_per_minute = {limits.objects_per_minute}    # more are answered later
least_free_mb = {limits.least_free_mb}         # with less room on the disk nothing is taken
idle_s = {limits.idle_s}                # longest silence in an association
longest_s = {limits.longest_s}           # longest association
analysis_s = {limits.analysis_s}           # longest analysis of one loop

# Encrypted, and only for senders whose certificate is signed by "ca". PEM files, the key without a password.
# [tls]
# certificate = "/etc/semc/serve.pem"
# key = "/etc/semc/serve.key"
# ca = "/etc/semc/scanners-ca.pem"
"""
