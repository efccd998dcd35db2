"""What somebody does to the folder of a session: at random, and on purpose."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from semc_core.session.audit_log import canonical, entry_hash
from semc_core.session.records import AuditEntry, file_sha256
from semc_core.session.session import Session
from semc_core.session.signing import Signer

Change = Callable[[Path, random.Random], None]
_GUARDS: Final = ("audit_is_never_changed", "audit_is_never_shortened")


def files_of(folder: Path) -> list[Path]:
    """All files, in an order of their own."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


# At random.


def flip_bytes(folder: Path, chance: random.Random) -> None:
    """One to eight bits of a file."""
    path = chance.choice(files_of(folder))
    content = bytearray(path.read_bytes())
    for place in chance.sample(range(len(content)), min(len(content), chance.randint(1, 8))):
        content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def truncate(folder: Path, chance: random.Random) -> None:
    """The end of a file is lost."""
    path = chance.choice(files_of(folder))
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def edit_row(folder: Path, chance: random.Random) -> None:
    """A value in a row of any table, guards put back."""
    with closing(sqlite3.connect(folder / "session.sqlite", isolation_level=None)) as connection:
        put_back = _without_guards(connection)
        tables = ["audit", "frames", "planes", "session", "exports", "local"]
        table = chance.choice([name for name in tables if _rows(connection, name)])
        row = chance.choice(_rows(connection, table))
        column = chance.choice([each[1] for each in connection.execute(f"PRAGMA table_info({table})")])
        (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (row,)).fetchone()
        try:
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (_other(value, chance), row)
            )
        except sqlite3.IntegrityError:
            connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
        put_back()


def remove_row(folder: Path, chance: random.Random) -> None:
    """A row of any table, guards put back."""
    with closing(sqlite3.connect(folder / "session.sqlite", isolation_level=None)) as connection:
        put_back = _without_guards(connection)
        table = chance.choice(["audit", "frames", "planes", "session", "exports", "local"])
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (chance.choice(_rows(connection, table)),))
        put_back()


def edit_log_line(folder: Path, chance: random.Random) -> None:
    """A character of an entry's payload."""
    with closing(sqlite3.connect(folder / "session.sqlite", isolation_level=None)) as connection:
        put_back = _without_guards(connection)
        row = chance.choice(_rows(connection, "audit"))
        (text,) = connection.execute("SELECT payload FROM audit WHERE seq = ?", (row,)).fetchone()
        place = chance.randrange(len(text))
        new = chance.choice([letter for letter in '0123abcd{}[]",:\x00é' if letter != text[place]])
        changed = text[:place] + new + text[place + 1 :]
        connection.execute("UPDATE audit SET payload = ? WHERE seq = ?", (changed, row))
        put_back()


def swap_files(folder: Path, chance: random.Random) -> None:
    """Two files change their names."""
    first, second = chance.sample(files_of(folder), 2)
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other), second.write_bytes(one)


def add_file(folder: Path, chance: random.Random) -> None:
    """A file that was not there."""
    names = (
        "004_A_f000050.png",
        "004_A_f000050.json",
        "clips/004_A.mkv",
        "recording-2.mkv",
        "x.csv",
        "é.txt",
    )
    path = folder / chance.choice(names)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(chance.randbytes(chance.randint(0, 200)))


def remove_file(folder: Path, chance: random.Random) -> None:
    """A file is gone."""
    chance.choice(files_of(folder)).unlink()


def _rows(connection: sqlite3.Connection, table: str) -> list[int]:
    return [row[0] for row in connection.execute(f"SELECT rowid FROM {table} ORDER BY rowid")]


def _other(value: object, chance: random.Random) -> object:
    if isinstance(value, int):
        return value + chance.choice((-1, 1))
    if isinstance(value, float):
        return value + 0.25
    if isinstance(value, bytes):
        return bytes(value[:-1]) + bytes([value[-1] ^ 1])
    return f"{value or ''}x"


def _without_guards(connection: sqlite3.Connection) -> Callable[[], None]:
    """Drop the log's guards; what is returned puts them back."""
    connection.execute("PRAGMA foreign_keys = OFF")
    found = connection.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
    guards = [row[0] for row in found]
    for name in _GUARDS:
        connection.execute(f"DROP TRIGGER {name}")

    def put_back() -> None:
        for guard in guards:
            connection.execute(guard)

    return put_back


# On purpose.

_STATE: Final = "UPDATE planes SET plane = 'A'"


def _relabelled(entry: AuditEntry) -> AuditEntry:
    return _replaced(entry, '"plane":"B"', '"plane":"A"')


def relabel(folder: Path, chance: random.Random) -> None:
    """Another name for a plane, with all hashes computed anew."""
    recompute(
        folder, lambda entry: _replaced(entry, '"plane":"B"', '"plane":"A"'), "UPDATE planes SET plane = 'A'"
    )


def relabel_and_sign(folder: Path, chance: random.Random) -> None:
    """The same, signed with a key of the attacker's, which the log is made to name."""
    signer = Signer(bytes(range(32)))

    def change(entry: AuditEntry) -> AuditEntry:
        entry = _relabelled(entry)
        return replace(entry, payload={**entry.payload, "signer": signer.key}) if entry.seq == 1 else entry

    recompute(folder, change, _STATE, signer)


def relabel_as_older(folder: Path, chance: random.Random) -> None:
    """The same, made to look like the work of an older program, which signed nothing."""

    def change(entry: AuditEntry) -> AuditEntry:
        entry = _relabelled(entry)
        return replace(
            entry, payload={name: entry.payload[name] for name in entry.payload if name != "signer"}
        )

    recompute(folder, change, f"{_STATE}; DELETE FROM local WHERE key = 'signed'")


def swap_picture(folder: Path, chance: random.Random) -> None:
    """Another picture, and its hash wherever the old one stood."""
    png, other = sorted(folder.glob("*.png"))[:2]
    old = file_sha256(png)
    shutil.copy(other, png)
    new = file_sha256(png)
    beside = png.with_suffix(".json")
    before = file_sha256(beside)
    beside.write_text(beside.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    after = file_sha256(beside)
    recompute(
        folder,
        lambda entry: _replaced(_replaced(entry, old, new), before, after),
        f"UPDATE planes SET png_sha256 = '{new}' WHERE png_sha256 = '{old}'",
    )


def cut_tail(folder: Path, chance: random.Random) -> None:
    """The last entry is taken out, and the head is set back."""
    with Session.open(folder, read_only=True) as session:
        entries = list(session.audit())
    last, before = entries[-1], entries[-2]
    with closing(sqlite3.connect(folder / "session.sqlite", isolation_level=None)) as connection:
        put_back = _without_guards(connection)
        connection.execute("DELETE FROM audit WHERE seq = ?", (last.seq,))
        connection.execute("UPDATE local SET value = ? WHERE key = 'head'", (f"{before.seq} {before.hash}",))
        put_back()


def plant_plane(folder: Path, chance: random.Random) -> None:
    """A picture and a JSON that belong together, beside a session made to look as if it was never closed."""
    cut_tail(folder, chance)
    png = min(folder.glob("*.png"))
    planted = folder / "009_A_f000050.png"
    shutil.copy(png, planted)
    told = json.loads(png.with_suffix(".json").read_text(encoding="utf-8"))
    told |= {"hold_id": 9, "plane": "A", "frame_index": 50, "png": planted.name, "confidence": 0.99}
    planted.with_suffix(".json").write_text(json.dumps(told), encoding="utf-8")


def drop_triggers(folder: Path, chance: random.Random) -> None:
    """The guards of the log."""
    with closing(sqlite3.connect(folder / "session.sqlite", isolation_level=None)) as connection:
        _without_guards(connection)


def recompute(
    folder: Path, change: Callable[[AuditEntry], AuditEntry], state: str, signer: Signer | None = None
) -> None:
    """Change entries and the state, and compute all hashes anew; with `signer`, sign the head."""
    with Session.open(folder, read_only=True) as session:
        entries = [change(entry) for entry in session.audit()]
    previous = "0" * 64
    with closing(sqlite3.connect(folder / "session.sqlite", isolation_level=None)) as connection:
        put_back = _without_guards(connection)
        connection.executescript(state)
        first = ""
        for entry in entries:
            linked = replace(entry, previous=previous)
            previous = entry_hash(linked)
            first = first or previous
            connection.execute(
                "UPDATE audit SET previous = ?, hash = ?, payload = ? WHERE seq = ?",
                (linked.previous, previous, canonical(linked.payload), linked.seq),
            )
        head = f"{len(entries)} {previous}"
        connection.execute("UPDATE local SET value = ? WHERE key = 'head'", (head,))
        if signer is not None:
            signed = signer.sign_head(first, len(entries), previous).to_text()
            connection.execute("UPDATE local SET value = ? WHERE key = 'signed'", (signed,))
        put_back()


def _replaced(entry: AuditEntry, old: str, new: str) -> AuditEntry:
    return replace(entry, payload=json.loads(canonical(entry.payload).replace(old, new)))


AT_RANDOM: Final[dict[str, Change]] = {
    each.__name__.replace("_", " "): each
    for each in (
        flip_bytes, truncate, edit_row, remove_row, edit_log_line, swap_files, add_file, remove_file,
    )
}  # fmt: skip
NAMED: Final[dict[str, Change]] = {
    each.__name__.replace("_", " "): each
    for each in (
        relabel, relabel_and_sign, relabel_as_older, swap_picture, cut_tail, plant_plane, drop_triggers,
    )
}  # fmt: skip
