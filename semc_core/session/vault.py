"""Texts of a session that may name a patient: its log holds a keyed hash of each.

The texts and the key lie in a table of their own, which is no part of the log and can be erased: without the
key nobody can try names until one has the same hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from semc_core.session.audit_log import canonical
from semc_core.session.correcting.changes import Change, LabelRegion, MarkRegion, Reject, SetItem, SetNote
from semc_core.session.records import AuditEntry

FORGOTTEN: Final = "forgotten"
"""Kind of the entry that says that patient data was erased."""
ERASED: Final = "(forgotten)"
"""What is shown in place of a text that was erased."""
_KEY: Final = "key"
_PATH: Final = "source_path"
_TOKEN: Final = re.compile(r"private:[0-9a-f]{64}")


class Vault:
    """The table of one session. Who calls `hide` and `commit` holds the session's lock; `reveal` needs none.

    Attributes:
        path: Where the source's file lies, as `path_as_text` wrote it; None where it is not known.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read the table. In the database of an older program there is none: its log holds the texts."""
        self._connection = connection
        self._texts: dict[str, str] = {}
        self._key: bytes | None = None
        self._new: dict[str, str] = {}
        self._erasing = False
        self.path: str | None = None
        found = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'private'").fetchone()
        self._table = "local" if found is None else "private"
        self.load()

    def load(self) -> None:
        """Read the table again. Raises sqlite3.Error, or ValueError where the key is none."""
        column = {"local": "key, value", "private": "id, text"}[self._table]
        rows = dict(self._connection.execute(f"SELECT {column} FROM {self._table}").fetchall())
        key = rows.pop(_KEY, None)
        self._key = None if key is None else bytes.fromhex(key)
        self.path = rows.pop(_PATH, None)
        self._texts = rows if self._table == "private" else {}

    def hide(self, text: str) -> str:
        """What the log holds in place of `text`; empty texts stay.

        Raises:
            SessionError: It is no text that can be kept.
        """
        if self._table == "local" or not text.strip():
            return text
        canonical(text)  # What no log can keep is refused here.
        if self._key is None:
            self._key = secrets.token_bytes(32)
            self._new[_KEY] = self._key.hex()
        token = _token(self._key, text)
        if token not in self._texts:
            self._new[token] = text
            self._texts = {**self._texts, token: text}
        return token

    def hide_path(self, path: str) -> None:
        """Where the source's file lies; it is no part of the log."""
        self._new[_PATH] = self.path = path

    def reveal(self, text: str) -> str:
        """`text` with what was hidden in it, as far as that was not erased."""
        return _TOKEN.sub(lambda found: self._texts.get(found[0], ERASED), text)

    def write(self) -> None:
        """Write what is new, within the transaction of who calls. It waits until `written`."""
        if self._erasing:
            self._connection.execute("DELETE FROM private")
        self._connection.executemany(f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?)", self._new.items())

    def written(self) -> None:
        """The transaction came to its end."""
        if self._erasing:
            self._texts, self._key, self.path, self._erasing = {}, None, None, False
        self._new.clear()

    def erase(self) -> None:
        """Have the texts and the key taken out of the table by the next `write`."""
        self._new.clear()
        self._erasing = True

    def problems(self, entries: Iterable[AuditEntry]) -> list[str]:
        """What is not as the log says: texts that were changed, or removed without being forgotten."""
        if self._table == "local":
            return []
        wrong = [
            token for token, text in self._texts.items() if not self._key or token != _token(self._key, text)
        ]
        seen: set[str] = set()
        excused: set[str] = set()
        for entry in entries:
            if entry.kind == FORGOTTEN:
                excused |= seen
            elif entry.kind != "frames":
                seen.update(_TOKEN.findall(canonical(entry.payload)))
        problems = []
        if wrong:
            problems.append("A text beside the log is not the one that the log knows: it was changed.")
        if seen - excused - self._texts.keys():
            problems.append("A text beside the log is missing, and the log does not say that it was erased.")
        return problems


def hidden(change: Change, vault: Vault, names: Collection[str]) -> Change:
    """The change with what a person typed hidden; `names` of planes are none of it."""
    match change:
        case SetNote(text=text):
            return replace(change, text=vault.hide(text))
        case Reject(reason=reason) | SetItem(reason=reason):
            return replace(change, reason=vault.hide(reason))
        case MarkRegion(label=label, note=note):
            label = label if label in names else vault.hide(label)
            return replace(change, label=label, note=vault.hide(note))
        case LabelRegion(label=label) if label not in names:
            return replace(change, label=vault.hide(label))
    return change


def is_hidden(text: str) -> bool:
    """Whether this is what a log holds in place of a text."""
    return _TOKEN.fullmatch(text) is not None


def _token(key: bytes, text: str) -> str:
    return f"private:{hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}"
