"""Servers that exports are sent to, as the user described them: a JSON file in the data folder.

TLS for connections with servers.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from semc_core.errors import PacsError, UsageError
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.io.foreign_fields import with_foreign_fields
from semc_core.io.loopback import is_loopback
from semc_core.io.private import make_private_folder
from semc_core.io.rules import checked, format_number, one_of, within
from semc_core.language import N_, _

OWN_TITLE: Final = "SEMC_LIVE"
BOOK_NAME: Final = "destinations.json"
_FORMAT: Final = "semc-live-destinations"
_VERSION: Final = 1
_TITLE: Final = re.compile(r"[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?")
_LONGEST_NAME: Final = 64
_LONGEST_CONNECT_S: Final = 60.0
_LONGEST_ANSWER_S: Final = 600.0
_MOST_ATTEMPTS: Final = 1000
_LAST_PORT: Final = 65535
_LONGEST_URL: Final = 2000


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or name.isspace():
        raise ValueError(f"must have 1 to {_LONGEST_NAME} printable characters")


def _need_name(name: str) -> None:
    """Raises UsageError."""
    try:
        _check_name(name)
    except ValueError as error:
        told = _("A destination's name must have 1 to {longest} printable characters.", longest=_LONGEST_NAME)
        raise UsageError(told) from error


def _check_host(host: str) -> None:
    if not host or any(mark.isspace() or not mark.isprintable() for mark in host):
        raise ValueError("must be a name or an address, without spaces")


def _check_title(title: str) -> None:
    if not _TITLE.fullmatch(title):
        raise ValueError("must have 1 to 16 plain characters, and no backslash")


def _check_patience(connect_s: float, answer_s: float, attempts: int) -> None:
    """Raises UsageError."""
    for wait_s, most_s in ((connect_s, _LONGEST_CONNECT_S), (answer_s, _LONGEST_ANSWER_S)):
        if not 0 < wait_s <= most_s:
            raise UsageError(
                _("This time-out is more than 0 and at most {most} seconds.", most=f"{most_s:.0f}")
            )
    if not 1 <= attempts <= _MOST_ATTEMPTS:
        raise UsageError(_("The number of attempts is from 1 to {most}.", most=_MOST_ATTEMPTS))


Host = Annotated[str, checked(_check_host)]
AeTitle = Annotated[str, checked(_check_title)]
Port = Annotated[int, within(1, _LAST_PORT)]


@dataclass(frozen=True, slots=True)
class Tls:
    """How the connection is encrypted. The server's certificate is always checked, its name too.

    Attributes:
        ca: PEM file with the certificates that are trusted; None for those of the system.
        certificate: PEM file of the program's own certificate, for servers that want one; or None.
        key: PEM file of its key, without a password; None if the key is in `certificate`.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """A server, and how to talk to it.

    Attributes:
        name: As the user calls it.
        host: Its name or address.
        port: 1-65535.
        title: Its AE title.
        own_title: The AE title under which it knows this program.
        connect_s: Longest wait until it answers a connection.
        answer_s: Longest wait for an answer to one object; the time that its bytes need comes on top.
        attempts: Failed connections in a row after which sending is given up until the user asks again.
        compressed: Offer clips as they are compressed. They are unpacked where the server does not take that.
        tls: Or None for a connection in the clear.
        mpps: Whether it is told which examinations are performed.
        commitment: Whether it is asked to keep for good what it was sent (storage commitment).
        commitment_port: At which this program listens for what it says to that; None where it says it over
            the connection on which it was asked.
    """

    name: Annotated[str, checked(_check_name)]
    host: Host
    port: Port
    title: AeTitle
    own_title: AeTitle = OWN_TITLE
    connect_s: Annotated[float, within(above=0, most=_LONGEST_CONNECT_S)] = 10.0
    answer_s: Annotated[float, within(above=0, most=_LONGEST_ANSWER_S)] = 30.0
    attempts: Annotated[int, within(1, _MOST_ATTEMPTS)] = 40
    compressed: bool = True
    tls: Tls | None = None
    mpps: bool = False
    commitment: bool = False
    commitment_port: Port | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UsageError: One cannot be used.
        """
        _need_name(self.name)
        try:
            _check_host(self.host)
        except ValueError as error:
            raise UsageError(_("Give the server's host as a name or an address, without spaces.")) from error
        if not 1 <= self.port <= _LAST_PORT:
            raise UsageError(
                _(
                    "A port is a number from 1 to {last}; DICOM servers often use 104 or 11112.",
                    last=_LAST_PORT,
                )
            )
        try:
            _check_title(self.title)
            _check_title(self.own_title)
        except ValueError as error:
            told = _("An AE title must have 1 to 16 plain characters, and no backslash.")
            raise UsageError(told) from error
        _check_patience(self.connect_s, self.answer_s, self.attempts)
        if self.commitment_port is not None and not 1 <= self.commitment_port <= _LAST_PORT:
            raise UsageError(
                _("The port for its answers is a number from 1 to {last}, such as 11113.", last=_LAST_PORT)
            )


_NO_URL: Final = "must be an address such as https://host/dicom-web"
_NOT_ALONE: Final = "must be the address alone: what proves who asks is kept elsewhere"
_NOT_THIS_URL: Final = {
    _NO_URL: N_("The address of a DICOMweb service must be an address such as https://host/dicom-web."),
    _NOT_ALONE: N_(
        "The address of a DICOMweb service must be the address alone: what proves who asks is kept elsewhere."
    ),
}


def _check_url(text: str) -> None:
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(_NO_URL) from error
    plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= _LONGEST_URL
    if parts.scheme not in ("http", "https") or not host or not plain:
        raise ValueError(_NO_URL)
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise ValueError(_NOT_ALONE)


@dataclass(frozen=True, slots=True)
class WebDestination:
    """A DICOMweb service, and how to talk to it. What proves who asks is kept elsewhere (`web_secret.py`).

    Attributes:
        name: As the user calls it. Servers of both kinds have different names.
        url: Of the base of the service, such as https://host/dicom-web.
        plain_http: Whether another machine may be talked to by http: unencrypted, the secret too.
        connect_s: Longest wait until it answers a connection.
        answer_s: Longest wait for an answer; the time that an object's bytes need comes on top.
        attempts: Failed connections in a row after which sending is given up until the user asks again.
        compressed: Send clips as they are compressed; else they are unpacked.
        tls: Which certificates are used.
    """

    name: Annotated[str, checked(_check_name)]
    url: Annotated[str, checked(_check_url)]
    plain_http: bool = False
    connect_s: Annotated[float, within(above=0, most=_LONGEST_CONNECT_S)] = 10.0
    answer_s: Annotated[float, within(above=0, most=_LONGEST_ANSWER_S)] = 30.0
    attempts: Annotated[int, within(1, _MOST_ATTEMPTS)] = 40
    compressed: bool = True
    tls: Tls = Tls()

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UsageError: One cannot be used.
        """
        _need_name(self.name)
        try:
            _check_url(self.url)
        except ValueError as error:
            raise UsageError(_(_NOT_THIS_URL[str(error)])) from error
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.plain_http and not is_loopback(parts.hostname or ""):
            raise UsageError(
                _(
                    "A DICOMweb service on another machine is talked to by https; by http only where you say "
                    "so (--plain-http): all of it can be read on the way."
                )
            )
        _check_patience(self.connect_s, self.answer_s, self.attempts)

    @property
    def commitment(self) -> bool:
        """Whether it is asked to keep for good what it was sent: DICOMweb has no way for that."""
        return False

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        return self.url.rstrip("/")

    @property
    def origin(self) -> str:
        """Scheme, host and port: whom a secret is meant for."""
        return origin_of(self.url)


Server = Destination | WebDestination


def origin_of(url: str) -> str:
    """Scheme, host and port of the address of a DICOMweb service; "" where it is none."""
    try:
        _check_url(url)
    except ValueError:
        return ""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{parts.hostname}:{port}"


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class StoredDestinations:
    """The file. Older programs know no `web`, and leave it as it is."""

    format: Annotated[str, one_of(_FORMAT)]
    version: Annotated[int, format_number(_VERSION)]
    destinations: tuple[Destination, ...]
    web: tuple[WebDestination, ...] = ()


DESTINATIONS: Final = Document(StoredDestinations)


def _check_listening(server: Destination) -> None:
    """Raises UsageError where it is to be listened to over TLS, without what that needs."""
    tls = server.tls if server.commitment_port is not None else None
    if tls is not None and (tls.certificate is None or tls.ca is None):
        raise UsageError(
            _(
                "To be answered over TLS this program needs a certificate of its own and the server's CA; "
                "give both, or no port for answers."
            )
        )


class DestinationBook:
    """The destinations in one file. Each call reads the file: another program may have written it.

    Attributes:
        folder: In which the file is.
    """

    def __init__(self, data: Path) -> None:
        """Use the file in the folder `data` (see `paths.data_folder`); it need not be there."""
        self.folder = data
        self._path = data / BOOK_NAME

    def all(self) -> tuple[Destination, ...]:
        """Those that speak DICOM's own protocol, in order of their names.

        Raises:
            PacsError: The file cannot be read.
        """
        return tuple(each for each in self.every() if isinstance(each, Destination))

    def every(self) -> tuple[Server, ...]:
        """Those of both kinds, in order of their names.

        Raises:
            PacsError: The file cannot be read.
        """
        try:
            stored = DESTINATIONS.read(self._path)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise PacsError(_("{path} cannot be read; check who may read it.", path=self._path)) from error
        except DocumentFault as fault:
            if fault.newer:
                newer = _("{path} is of a newer program; update this one.", path=self._path)
                raise PacsError(newer) from fault
            raise PacsError(
                _(
                    "{path} is damaged ({fault}); remove it, and add the destinations again.",
                    path=self._path,
                    fault=fault,
                )
            ) from fault
        # An older program may have added one of a name that it could not know: it is the newer one.
        known = {each.name for each in stored.destinations}
        web = [each for each in stored.web if each.name not in known]
        return tuple(sorted((*stored.destinations, *web), key=lambda each: each.name))

    def find(self, name: str) -> Server:
        """The server of this name, of either kind.

        Raises:
            PacsError: There is none, or the file cannot be read.
        """
        for each in self.every():
            if each.name == name:
                return each
        raise PacsError(_('There is no destination "{name}"; add it with "semc pacs add".', name=name))

    def get(self, name: str) -> Destination:
        """The destination of this name.

        Raises:
            PacsError: There is none that speaks DICOM's own protocol, or the file cannot be read.
        """
        found = self.find(name)
        if isinstance(found, WebDestination):
            raise PacsError(
                _("{name} is a DICOMweb service, which cannot be asked this; name another server.", name=name)
            )
        return found

    def put(self, server: Server) -> None:
        """Add a server, or change the one of its name.

        Raises:
            PacsError: The file cannot be read.
            SaveError: It cannot be written.
            UsageError: It is to be listened to over TLS, without what that needs.
        """
        if isinstance(server, Destination):
            _check_listening(server)
        self._write([*(each for each in self.every() if each.name != server.name), server])

    def remove(self, name: str) -> None:
        """Forget a server.

        Raises:
            PacsError: There is none of this name, or the file cannot be read.
            SaveError: It cannot be written.
        """
        self.find(name)
        self._write([each for each in self.every() if each.name != name])

    def _write(self, servers: list[Server]) -> None:
        servers.sort(key=lambda each: each.name)
        whole = {
            "format": _FORMAT,
            "version": _VERSION,
            "destinations": [asdict(each) for each in servers if isinstance(each, Destination)],
            "web": [asdict(each) for each in servers if isinstance(each, WebDestination)],
        }
        try:
            make_private_folder(self._path.parent)
        except OSError as error:
            raise save_error(self._path.parent, error) from error
        whole = with_foreign_fields(self._path, whole)
        write_atomically(self._path, json.dumps(whole, indent=2).encode(), private=True)


_BAD_CERTIFICATE: Final = (
    "its certificate is not trusted, or is of another host; give the file of its CA with --tls-ca."
)
_NO_TLS: Final = "it does not speak TLS at this port, or not with this program; ask who runs it."


class SecuredContext:
    """A TLS context that remembers why a connection could not be secured: network libraries only log that.

    Attributes:
        fault: Half a sentence; "" where nothing went wrong.
        permanent: Whether it stays so until somebody changes a setting.
        opened: Told of each connection before it is secured.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self.fault = ""
        self.permanent = False
        self.context = context
        self.opened: Callable[[ssl.SSLSocket], None] = lambda connection: None
        secured = self

        class Socket(ssl.SSLSocket):
            def do_handshake(self, block: bool = False) -> None:
                secured.opened(self)
                try:
                    super().do_handshake(block)
                except ssl.SSLCertVerificationError:
                    secured.fault, secured.permanent = _BAD_CERTIFICATE, True
                    raise
                except (ssl.SSLError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
                    secured.fault = _NO_TLS
                    raise

        context.sslsocket_class = Socket


def tls_context(tls: Tls) -> SecuredContext:
    """A context that checks the server's certificate and name.

    Raises:
        PacsError: A file of certificates cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except (OSError, ssl.SSLError) as error:
        raise PacsError("The file of trusted certificates cannot be used; give a PEM file.") from error
    if tls.certificate is not None:
        try:
            # Without the password it would ask on the terminal.
            context.load_cert_chain(tls.certificate, tls.key, password="")
        except (OSError, ssl.SSLError, ValueError) as error:
            raise PacsError(
                "The program's own certificate or key cannot be used; give PEM files without a password."
            ) from error
    return SecuredContext(context)
