"""The key of this machine, what it signs, and the book of heads that is kept outside of the sessions.

Ed25519. The secret key lies in the system's keyring where one answers at once and asks nobody, else in a file
of its owner alone. To verify, no secret is needed: the public keys of this machine stand in a file beside.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from semc_core import paths
from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.io.private import keep_private_file, make_private_folder
from semc_core.io.rules import matching, within
from semc_core.io.secret_file import read_or_make_secret
from semc_core.io.system_keyring import SERVICE, ask_keyring
from semc_core.text import utc_now

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

KEY_NAME: Final = "signing.key"
PUBLIC_NAME: Final = "signing.pub"
BOOK_NAME: Final = "heads.jsonl"
PLACE_KEY_NAME: Final = "places.key"
_KEY_BYTES: Final = 32
_ACCOUNT: Final = "signing key of sessions"
_HEAD_TITLE: Final = "semc-live head 1"

_log = logging.getLogger(__name__)

Hash = Annotated[str, matching("[0-9a-f]{64}")]
PublicKey = Annotated[str, matching("[0-9a-f]{64}")]
SignatureText = Annotated[str, matching("[0-9a-f]{128}")]


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class SignedHead:
    """Where a log ended, signed.

    Attributes:
        session: Hash of the log's first entry, which names the session.
        entries: How many the log had.
        hash: Of the last of them.
        time_utc: When this was signed.
        key: The public key, hexadecimal.
        signature: Over all the others, hexadecimal.
        database: SHA-256 of the database's file when the session was closed, or "". Only in the book.
        place: What names the session's folder, see `place_of`, or "". Only in the book.
    """

    session: Hash
    entries: Annotated[int, within(least=1)]
    hash: Hash
    time_utc: Annotated[str, matching("[0-9TZ:.+-]{10,40}")]
    key: PublicKey
    signature: SignatureText
    database: Annotated[str, matching("([0-9a-f]{64})?")] = ""
    place: Annotated[str, matching("([0-9a-f]{64})?")] = ""

    @property
    def valid(self) -> bool:
        """Whether the signature is by the key that is named."""
        return is_signed_by(self.key, self.signature, self._message())

    def to_text(self) -> str:
        """As one line of JSON."""
        return json.dumps({name: value for name, value in asdict(self).items() if value != ""})

    def _message(self) -> bytes:
        facts = (self.session, self.entries, self.hash, self.time_utc, self.key, self.database, self.place)
        return "\n".join((_HEAD_TITLE, *map(str, facts))).encode()


SIGNED_HEAD: Final = Document(SignedHead, most_bytes=10_000)


class Signer:
    """Signs with one secret key."""

    def __init__(self, secret: bytes) -> None:
        """Use `machine_signer`; `secret` is 32 bytes."""
        # A tenth of a second, which a program that signs nothing need not wait.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._secret = Ed25519PrivateKey.from_private_bytes(secret)
        self.key = self._secret.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """The signature, hexadecimal."""
        return self._secret.sign(message).hex()

    def sign_head(
        self, session: str, entries: int, digest: str, *, database: str = "", place: str = ""
    ) -> SignedHead:
        """A signed head; see there."""
        head = SignedHead(session, entries, digest, utc_now(), self.key, "", database, place)
        return replace(head, signature=self.sign(head._message()))


def is_signed_by(key: str, signature: str, message: bytes) -> bool:
    """Whether `signature` is of `message`, by the public key `key`; both hexadecimal."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(key: str) -> str:
    """What names a public key to people: 32 hexadecimal digits in groups of four."""
    digest = hashlib.sha256(bytes.fromhex(key)).hexdigest()[:32]
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


# The keys of this machine.


def machine_signer() -> Signer:
    """What signs on this machine; a key is made when there is none.

    Where no key can be kept, one is used that ends with the program: what it signs counts as another's.
    """
    return _signer_in(paths.data_folder())


def machine_keys() -> frozenset[str]:
    """The public keys that this machine signs and signed with, hexadecimal. Asks no keyring."""
    try:
        text = (paths.data_folder() / PUBLIC_NAME).read_text(encoding="ascii", errors="replace")
    except OSError:
        return frozenset()
    return frozenset(text.split())


@functools.cache
def _signer_in(data: Path) -> Signer:
    try:
        signer = Signer(_kept_secret(data))
        if signer.key not in machine_keys():
            _append(data / PUBLIC_NAME, signer.key)
    except OSError as error:
        # A scan is worth more than its proof.
        _log.warning("No key for signatures could be kept: %s", type(error).__name__)
        return Signer(secrets.token_bytes(_KEY_BYTES))
    return signer


def _kept_secret(data: Path) -> bytes:
    """The secret key: the file's, else the keyring's, else a new one in a file. Raises OSError."""
    path = data / KEY_NAME
    secret = None if path.exists() else ask_keyring(_secret_of_keyring)
    if secret is None:
        secret = read_or_make_secret(path, _KEY_BYTES)
    if len(secret) != _KEY_BYTES:
        raise OSError("the file of the key holds something else")
    return secret


def _secret_of_keyring(backend: KeyringBackend) -> bytes | None:
    """The secret key in the keyring, made there when there is none."""
    text = backend.get_password(SERVICE, _ACCOUNT)
    if text is None:
        backend.set_password(SERVICE, _ACCOUNT, secrets.token_hex(_KEY_BYTES))
        # Of two programs that do so at once, the last one's stays.
        text = backend.get_password(SERVICE, _ACCOUNT)
    return None if text is None else bytes.fromhex(text)


# The book of heads.


class HeadBook:
    """Where each session's log ended, kept outside of it: a file that is only added to, one line a head."""

    def __init__(self) -> None:
        """The book of this machine as it is now; it need not be there. Heads that come later are not read."""
        self._path = paths.data_folder() / BOOK_NAME
        try:
            self._size = self._path.stat().st_size
        except OSError:
            self._size = 0

    def add(self, head: SignedHead) -> None:
        """Add a head. What cannot be written is only logged: the session is worth more than its proof."""
        try:
            _append(self._path, head.to_text())
        except OSError as error:
            _log.warning("The book of heads could not be written: %s", type(error).__name__)

    def of_session(self, session: str) -> list[SignedHead]:
        """What this machine signed of a session, in order. Lines that it did not sign are left out."""
        return list(self._signed(session))

    def sessions_at(self, places: Collection[str]) -> set[str]:
        """The sessions that this machine wrote in the folder of which these are the `places_of`."""
        return {head.session for head in self._signed(*places) if head.place in places}

    def _signed(self, *wanted: str) -> Iterator[SignedHead]:
        keys, marks = machine_keys(), [each.encode() for each in wanted]
        try:
            with self._path.open("rb") as lines:
                all_lines = lines.read(self._size).splitlines()
        except OSError:
            return
        for line in all_lines:
            if not any(mark in line for mark in marks):
                continue
            try:
                head = SIGNED_HEAD.parse(line)
            except DocumentFault:
                continue
            if head.key in keys and head.valid:
                yield head


def place_of(folder: Path) -> str:
    """What names a session's folder in the book: a hash of its path, which could name a patient.

    Keyed, so that whoever gets hold of the book alone cannot try paths. The key is made when there is none.
    "" where it cannot be kept.
    """
    try:
        return _keyed(read_or_make_secret(paths.data_folder() / PLACE_KEY_NAME, _KEY_BYTES), folder)
    except OSError as error:
        _log.warning("No key for the names of folders could be kept: %s", type(error).__name__)
        return ""


def places_of(folder: Path) -> frozenset[str]:
    """What may name this folder in the book: a keyed hash, and the plain one that older programs wrote."""
    plain = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()
    key = paths.data_folder() / PLACE_KEY_NAME
    # Who only verifies makes no key: without one, none was used.
    keyed = place_of(folder) if key.exists() else ""
    return frozenset(filter(None, (plain, keyed)))


def _keyed(key: bytes, folder: Path) -> str:
    return hmac.new(key, os.fsencode(folder.resolve()), hashlib.sha256).hexdigest()


def _append(path: Path, line: str) -> None:
    """Add a line to a file of its owner alone, whole or not at all. Raises OSError."""
    make_private_folder(path.parent)
    keep_private_file(path)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    try:
        size = os.fstat(descriptor).st_size
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
        # What a power cut tore does not tear what follows.
        torn = size and os.read(descriptor, 1) != b"\n"
        os.write(descriptor, f"{chr(10) if torn else ''}{line}\n".encode())
    finally:
        os.close(descriptor)
