"""What proves to a DICOMweb service who asks: a token, or a user and a password.

Kept in the system's keyring where one answers at once and asks nobody, else in a file of its owner alone.
With each is kept for which server it was meant: it goes to no other, whatever the list of servers says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from semc_core.errors import PacsError, UsageError
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.documents import STRICT, Document, DocumentFault, configured
from semc_core.io.private import make_private_folder
from semc_core.io.rules import format_number, one_of
from semc_core.io.system_keyring import SERVICE, ask_keyring
from semc_core.language import N_, _
from semc_core.pacs.destinations import Server, WebDestination

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

FILE_NAME: Final = "web_secrets.json"
_FORMAT: Final = "semc-live-web-secrets"
_VERSION: Final = 1
_LONGEST: Final = 16_384


@dataclass(frozen=True, slots=True)
class WebSecret:
    """A token, or a user and a password; all empty where a service asks for nothing.

    Attributes:
        token: Sent as Bearer.
        user: Sent as Basic, with the password.
        password: Of the user.
    """

    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UsageError: One cannot be used.
        """
        if fault := _wrong_with(self.token, self.user, self.password):
            raise UsageError(_(fault))

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.token or self.user)

    def header(self) -> str:
        """What is sent as Authorization; "" where nothing is."""
        if self.token:
            return f"Bearer {self.token}"
        pair = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}" if self.user else ""


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class _Kept:
    """A secret, and the origin (scheme, host, port) that it is for."""

    origin: str
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class _File:
    """Secrets by the name of their service."""

    format: Annotated[str, one_of(_FORMAT)]
    version: Annotated[int, format_number(_VERSION)]
    secrets: dict[str, _Kept]


WEB_SECRETS: Final = Document(_File)


class WebSecrets:
    """The secrets of this user. Each call looks anew: another program may have changed them."""

    def __init__(self, data: Path) -> None:
        """Use the folder `data` (see `paths.data_folder`)."""
        self._path = data / FILE_NAME

    def get(self, service: WebDestination) -> WebSecret:
        """What proves to this service who asks; none of what was kept for another address.

        Raises:
            PacsError: The file of secrets cannot be read.
        """
        kept = self._in_file().get(service.name) or ask_keyring(
            lambda ring: _from_keyring(ring, service.name)
        )
        if kept is None or kept.origin != service.origin:
            return WebSecret()
        if fault := _wrong_with(kept.token, kept.user, kept.password):
            raise self._damaged(fault)
        return WebSecret(kept.token, kept.user, kept.password)

    def put(self, service: WebDestination, secret: WebSecret) -> None:
        """Keep this in place of what was kept for the name; nothing, where `secret` is empty.

        Raises:
            PacsError: The file of secrets cannot be read.
            SaveError: It cannot be written.
        """
        self.remove(service.name)
        if not secret:
            return
        kept = _Kept(service.origin, secret.token, secret.user, secret.password)
        if not ask_keyring(lambda ring: _into_keyring(ring, service.name, kept)):
            self._write({**self._in_file(), service.name: kept})

    def remove(self, name: str) -> None:
        """Forget what was kept for this name, if anything was.

        Raises:
            PacsError: The file of secrets cannot be read.
            SaveError: It cannot be written.
        """
        ask_keyring(lambda ring: _out_of_keyring(ring, name))
        held = dict(self._in_file())
        if held.pop(name, None) is not None:
            self._write(held)

    def _in_file(self) -> Mapping[str, _Kept]:
        try:
            return WEB_SECRETS.read(self._path).secrets
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise PacsError(f"{self._path} cannot be read; check who may read it.") from error
        except DocumentFault as fault:
            if fault.newer:
                raise PacsError(f"{self._path} is of a newer program; update this one.") from None
            raise self._damaged(str(fault)) from None

    def _damaged(self, why: str) -> PacsError:
        return PacsError(
            f"{self._path} is damaged ({why.rstrip('.')}); remove it, and add the services again."
        )

    def _write(self, secrets: Mapping[str, _Kept]) -> None:
        try:
            make_private_folder(self._path.parent)
        except OSError as error:
            raise save_error(self._path.parent, error) from error
        write_atomically(self._path, _text(secrets).encode(), private=True)


def _wrong_with(token: str, user: str, password: str) -> str:
    """Why these cannot be used, a sentence in English; or ""."""
    if token and (user or password):
        return N_("A DICOMweb service is given a token or a user and a password, not both.")
    if password and not user:
        return N_("A password for a DICOMweb service needs the user whose it is.")
    if any(not "!" <= each <= "~" for each in token):
        return N_("The token for the DICOMweb service is none: one word of printable characters.")
    if ":" in user or not (user + password).isprintable():
        return N_("A user of a DICOMweb service has no colon, and no line break, in the name.")
    if max(len(token), len(user), len(password)) > _LONGEST:
        return N_("A token or password has 16384 characters at most.")
    return ""


def secret_in(file: Path) -> str:
    """The token or the password that a file holds, and nothing else.

    Raises:
        UsageError: The file cannot be read, is empty, or holds something else.
    """
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(_LONGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            _("The file of the token or the password cannot be read; give one that holds that alone.")
        ) from error
    secret = text.rstrip("\r\n")
    if not secret or len(text) > _LONGEST:
        raise UsageError(_("The file of the token or the password holds nothing, or more than one."))
    return secret


def kept_secret(data: Path, server: Server) -> WebSecret:
    """What is kept in the folder `data` for a server; none for one that is no DICOMweb service.

    Raises:
        PacsError: The file of secrets cannot be read.
    """
    return WebSecrets(data).get(server) if isinstance(server, WebDestination) else WebSecret()


def _text(secrets: Mapping[str, _Kept]) -> str:
    plain = {name: asdict(each) for name, each in sorted(secrets.items())}
    return json.dumps({"format": _FORMAT, "version": _VERSION, "secrets": plain}, indent=2)


def _account(name: str) -> str:
    return f"DICOMweb service {name}"


def _from_keyring(ring: KeyringBackend, name: str) -> _Kept | None:
    text = ring.get_password(SERVICE, _account(name))
    return None if text is None else WEB_SECRETS.parse(text.encode()).secrets.get(name)


def _into_keyring(ring: KeyringBackend, name: str, kept: _Kept) -> bool:
    ring.set_password(SERVICE, _account(name), _text({name: kept}))
    return _from_keyring(ring, name) == kept


def _out_of_keyring(ring: KeyringBackend, name: str) -> None:
    from keyring.errors import PasswordDeleteError

    with suppress(PasswordDeleteError):  # there was none
        ring.delete_password(SERVICE, _account(name))
