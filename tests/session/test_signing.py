"""What this machine signs it can prove; what another key signed it names; what was changed it finds."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keyring
import pytest
from keyring.backends.null import Keyring as NoKeyring

from semc_core import paths
from semc_core.io import system_keyring
from semc_core.session import signing
from semc_core.session.audit_log import canonical, entry_hash
from semc_core.session.correcting.changes import Relabel, SetNote
from semc_core.session.database import SIGNED, local_value
from semc_core.session.records import Proof, Verification
from semc_core.session.session import Session
from semc_core.session.signing import SIGNED_HEAD, HeadBook, Signer, fingerprint, machine_signer
from tests.session.sessions import filled_session, new_session


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's data folder, of its own."""
    monkeypatch.setattr(paths, "data_folder", lambda: tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def session(data: Path, tmp_path: Path) -> Path:
    """A closed session with a correction."""
    with filled_session(tmp_path / "scan") as opened:
        opened.apply(Relabel(1, "B"))
    return tmp_path / "scan"


def verified(folder: Path) -> Verification:
    with Session.open(folder, read_only=True) as opened:
        return opened.verify()


def stored(folder: Path) -> signing.SignedHead:
    with closing(sqlite3.connect(folder / "session.sqlite")) as connection:
        return SIGNED_HEAD.parse(local_value(connection, SIGNED) or "")


def recompute(folder: Path, change: str, signer: Signer | None = None) -> None:
    """Change the log and the state as an editor would who knows all but the key, guards put back."""
    with closing(sqlite3.connect(folder / "session.sqlite", isolation_level=None)) as connection:
        guards = [
            row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
        ]
        for name in ("audit_is_never_changed", "audit_is_never_shortened"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.executescript(change)
        with Session.open(folder, read_only=True) as opened:
            entries = list(opened.audit())
        previous = "0" * 64
        for entry in entries:
            entry = replace(entry, previous=previous)
            previous = entry_hash(entry)
            connection.execute(
                "UPDATE audit SET previous = ?, hash = ?, payload = ? WHERE seq = ?",
                (entry.previous, previous, canonical(entry.payload), entry.seq),
            )
        head = f"{len(entries)} {previous}"
        connection.execute("UPDATE local SET value = ? WHERE key = 'head'", (head,))
        if signer is not None:
            first = entry_hash(entries[0])
            text = signer.sign_head(first, len(entries), previous).to_text()
            connection.execute("UPDATE local SET value = ? WHERE key = 'signed'", (text,))
        for guard in guards:
            connection.execute(guard)


RELABEL = """
UPDATE audit SET payload = replace(payload, '"plane":"B"', '"plane":"A"') WHERE kind = 'relabel';
UPDATE planes SET plane = 'A' WHERE plane_id = 1;
"""


def test_a_session_is_proven_by_the_machine_that_wrote_it(session: Path, data: Path) -> None:
    assert verified(session) == Verification(Proof.PROVEN, 6)
    for name in ("signing.key", "signing.pub", "heads.jsonl"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
    last = HeadBook().of_session(stored(session).session)[-1]
    assert (last.entries, last.hash) == (6, stored(session).hash)
    assert str(session).encode() not in (data / "heads.jsonl").read_bytes()


def test_two_sessions_that_begin_at_one_moment_are_two(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.session.audit_log.utc_now", lambda: "2026-11-30T00:00:00.000+00:00")
    with new_session(tmp_path / "one") as one, new_session(tmp_path / "other") as other:
        assert one.id != other.id
        one.log("program", "told", {})
    assert (verified(tmp_path / "one").proof, verified(tmp_path / "other").proof) == (
        Proof.PROVEN,
        Proof.PROVEN,
    )


def test_a_session_of_another_machine_is_consistent_and_its_key_is_named(session: Path, data: Path) -> None:
    key = stored(session).key
    shutil.rmtree(data)
    found = verified(session)
    assert (found.proof, found.problems) == (Proof.CONSISTENT, ())
    assert found.why == f"signed by another key, fingerprint {fingerprint(key)}"
    with Session.open(session) as opened:
        assert opened.undo() is not None
        assert opened.verify().why == found.why, "what came before is still the other's"


@pytest.mark.parametrize("signs", ["nobody", "another", "nobody, elsewhere"])
def test_a_log_that_was_edited_with_all_its_hashes_is_found(session: Path, signs: str) -> None:
    recompute(session, RELABEL, Signer(bytes(32)) if signs == "another" else None)
    if signs.endswith("elsewhere"):
        session = session.rename(session.with_name("moved"))
    assert "is of another log" in str(verified(session)) or "not by the key" in str(verified(session))
    assert verified(session).proof is Proof.CHANGED


def test_a_log_that_claims_to_be_older_is_found_where_it_was_written(session: Path) -> None:
    recompute(
        session,
        "UPDATE audit SET payload = json_remove(payload, '$.signer') WHERE seq = 1;"
        f"DELETE FROM local WHERE key = 'signed'; {RELABEL}",
    )
    assert "This machine wrote another session in this folder: it was replaced." in verified(session).problems


def plain_place(folder: Path) -> str:
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()


def test_the_book_names_a_folder_by_a_hash_that_nobody_can_try_paths_against(
    session: Path, data: Path
) -> None:
    book = (data / "heads.jsonl").read_text(encoding="utf-8")
    assert '"place"' in book
    assert plain_place(session) not in book
    assert stat.S_IMODE((data / "places.key").stat().st_mode) == 0o600


def test_what_an_older_program_wrote_of_a_folder_is_still_read(
    session: Path, data: Path, tmp_path: Path
) -> None:
    head = stored(session)
    (data / "heads.jsonl").unlink()
    (data / "places.key").unlink()
    old = machine_signer().sign_head(head.session, head.entries, head.hash, place=plain_place(session))
    HeadBook().add(old)
    assert verified(session).proof is Proof.PROVEN
    assert not (data / "places.key").exists(), "to verify, no key is made"
    session.rename(tmp_path / "away")
    with new_session(session):
        pass
    (data / "heads.jsonl").write_text(old.to_text() + "\n", encoding="utf-8")
    assert "This machine wrote another session in this folder: it was replaced." in verified(session).problems


def test_an_old_copy_in_place_of_the_session_is_found(session: Path, tmp_path: Path) -> None:
    shutil.copytree(session, tmp_path / "kept")
    with Session.open(session) as opened:
        opened.apply(Relabel(2, "A"))
    shutil.rmtree(session)
    (tmp_path / "kept").rename(session)
    assert "the end was cut off" in verified(session).problems[-1]
    with Session.open(session) as opened:
        assert opened.verify().proof is Proof.CHANGED, "to open it does not mend it"


def test_a_copy_of_the_copy_that_was_gone_on_with_last_is_proven_and_an_older_one_is_not(
    session: Path, tmp_path: Path
) -> None:
    other, whole, old, moved = (tmp_path / name for name in ("other", "whole", "old", "moved"))
    shutil.copytree(session, other)
    shutil.copytree(session, old)
    for folder, note in ((other, "one"), (session, "two"), (session, "three")):
        with Session.open(folder) as opened:
            opened.apply(SetNote(None, note))
    shutil.copytree(session, whole)
    assert verified(session).proof is Proof.PROVEN
    assert verified(whole).proof is Proof.PROVEN, verified(whole).problems
    # Nor where the session itself was moved on, so that its old place knows of nothing that is missing.
    session.rename(moved)
    with Session.open(moved) as opened:
        opened.apply(SetNote(None, "four"))
    assert verified(old).proof is Proof.CHANGED
    assert verified(whole).proof is Proof.CHANGED


def test_a_byte_that_means_nothing_to_sqlite_is_found(session: Path) -> None:
    path = session / "session.sqlite"
    content = bytearray(path.read_bytes())
    content[72:92] = b"?" * 20  # the part of the header that is kept for later
    path.write_bytes(content)
    assert verified(session).problems == (
        "session.sqlite is not the file that was closed: bytes in it were changed.",
    )


@pytest.mark.parametrize(
    "name", ["holiday.png", "009_A_f000055.png", "notes.txt", "clips/009.mkv", "set-aside/x"]
)
def test_a_file_that_was_added_is_named(session: Path, name: str) -> None:
    (session / name).parent.mkdir(exist_ok=True)
    (session / name).write_bytes(b"new")
    (problem,) = verified(session).problems
    assert problem.startswith(f"{name} is unknown")


def test_the_json_beside_a_picture_is_proven_too(session: Path) -> None:
    path = session / "002_B_f000040.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"plane": "B"', '"plane": "A"'), encoding="utf-8"
    )
    assert verified(session).problems == ("The file 002_B_f000040.json was changed.",)
    path.unlink()
    assert verified(session).problems == ("The file 002_B_f000040.json is missing.",)


def test_opening_for_writing_tells_first_what_is_wrong(session: Path) -> None:
    recompute(session, "UPDATE planes SET plane = 'A' WHERE plane_id = 2;")
    for _ in range(2):
        with Session.open(session) as opened:
            kinds = [entry.kind for entry in opened.audit()]
        assert kinds[6:].count("mismatch") == 1
        assert kinds[6] == "mismatch"
    assert any(
        problem.startswith("When it was opened at") and "Row 2 of planes" in problem
        for problem in verified(session).problems
    )


def test_a_scan_is_written_where_no_key_can_be_kept(data: Path, tmp_path: Path) -> None:
    data.write_text("a file in place of the folder", encoding="utf-8")
    filled_session(tmp_path / "scan").close()
    assert verified(tmp_path / "scan").why.startswith("signed by another key")


class SomeKeyring(NoKeyring):
    """A keyring in memory, which counts as the system's."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: Any, username: Any, password: Any = None) -> Any:
        return self.kept.get((service, username))

    def set_password(self, service: Any, username: Any, password: Any = None) -> None:
        self.kept[service, username] = password


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A desktop on which any keyring is one of the system."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setattr(system_keyring, "_KEYRINGS", (__name__,))
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("desktop")
def test_the_key_lies_in_the_keyring_where_one_works(data: Path) -> None:
    kept = SomeKeyring()
    keyring.set_keyring(kept)
    key = machine_signer().key
    signing._signer_in.cache_clear()
    assert machine_signer().key == key
    assert len(kept.kept) == 1
    assert not (data / "signing.key").exists()
    assert signing.machine_keys() == {key}


@pytest.mark.usefixtures("desktop")
@pytest.mark.parametrize("fault", ["never answers", "raises"])
def test_a_keyring_that_does_not_answer_holds_nobody_up(
    data: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    go_on = threading.Event()

    def get_password(*_: object) -> None:
        if fault == "raises":
            raise RuntimeError("locked")
        go_on.wait(60)

    monkeypatch.setattr(system_keyring, "_WAIT_S", 0.05)
    keyring.set_keyring(SomeKeyring())
    monkeypatch.setattr(SomeKeyring, "get_password", get_password)
    assert machine_signer().key in signing.machine_keys()
    assert (data / "signing.key").exists()
    go_on.set()


@pytest.mark.parametrize("without", ["DISPLAY", "DBUS_SESSION_BUS_ADDRESS", ""])
@pytest.mark.usefixtures("desktop")
def test_no_keyring_is_asked_without_a_desktop(
    data: Path, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if without:
        monkeypatch.delenv(without)
    else:
        monkeypatch.setenv("CI", "1")
    monkeypatch.setattr(system_keyring, "sys", SimpleNamespace(platform="linux"))
    asked = SomeKeyring()
    keyring.set_keyring(asked)
    machine_signer()
    assert (asked.kept, (data / "signing.key").exists()) == ({}, True)


def test_a_line_that_a_power_cut_tore_does_not_tear_the_next(session: Path, data: Path) -> None:
    book, head = data / "heads.jsonl", stored(session)
    before = len(HeadBook().of_session(head.session))
    with book.open("ab") as file:
        file.write(b'{"session": "' + head.session.encode())
    HeadBook().add(machine_signer().sign_head(head.session, head.entries, head.hash))
    assert len(HeadBook().of_session(head.session)) == before + 1


def test_a_session_that_is_being_written_to_is_not_said_to_be_cut_off(session: Path) -> None:
    with Session.open(session) as writing, Session.open(session, read_only=True) as reading:
        found: list[Verification] = []

        def write() -> None:
            while len(found) < 12:
                writing.apply(SetNote(None, f"note {len(found)}, {time.monotonic()}"))

        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        while len(found) < 12 and thread.is_alive():
            found.append(reading.verify())
        thread.join()
        written = reading.verify().entries
    assert written > 12
    assert {problem for each in found for problem in each.problems} == set()
