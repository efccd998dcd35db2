"""The queue without a server: what waits, what is tried when, and what a kill or a damaged file leaves."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from semc_core.errors import PacsError, UsageError
from semc_core.pacs.destinations import BOOK_NAME, Destination, DestinationBook, Tls
from semc_core.pacs.outbox import LONGEST_WAIT_S, OBJECT_ATTEMPTS, Outbox, SentElsewhere, wait_after
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import QUEUE_NAME, QueueStore
from semc_core.pacs.service import Sender
from tests.pacs.servers import SECRET, destination, free_port, objects, put

CONTENTS = objects(3)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[QueueStore]:
    """An open queue."""
    opened = QueueStore(tmp_path / "pacs")
    yield opened
    opened.close()


class Clock:
    """A time of day that the test sets."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def copies(file: QueueStore) -> int:
    return len(list(file.objects.glob("*/*.dcm")))


@pytest.mark.requirement("H4")
def test_an_object_is_queued_once_for_a_destination_and_sent_once(file: QueueStore) -> None:
    queue, outbox = SendQueue(file), Outbox(file)
    first = put(queue, "a", CONTENTS)
    assert (first.queued, first.known) == (3, 0)
    assert put(queue, "a", CONTENTS).queued == 0
    assert put(queue, "b", CONTENTS).queued == 3
    for item in outbox.due(2):
        assert item.destination == "a"
        assert outbox.begin(item)
        outbox.sent(item)
    assert copies(file) == 4
    again = put(queue, "a", CONTENTS)
    assert (again.job_id, again.known) == (None, 3)
    assert put(queue, "a", CONTENTS, again=True).queued == 2
    outbox.close()


def test_a_queue_of_one_process_is_not_sent_by_two(file: QueueStore) -> None:
    outbox = Outbox(file)
    with pytest.raises(SentElsewhere, match="already"):
        Outbox(file)
    outbox.close()
    Outbox(file).close()


def test_what_was_under_way_at_a_kill_is_unclear_at_the_next_start(file: QueueStore) -> None:
    put(SendQueue(file), "a", CONTENTS)
    killed = Outbox(file)
    item = killed.due(9)[0]
    killed.begin(item)
    killed.close()  # As a kill lets go of it.
    outbox = Outbox(file)
    assert [each.unclear for each in outbox.due(9)] == [True, False, False]
    outbox.close()


def test_waits_grow_and_end(file: QueueStore) -> None:
    clock = Clock()
    queue, outbox = SendQueue(file), Outbox(file, now=clock)
    job = put(queue, "a", CONTENTS).job_id
    waits = []
    for _ in range(9):
        outbox.link_failed("a", "It does not answer.", 10, permanent=False)
        waits.append(outbox.next_due_s())
        assert not outbox.due(9)
        clock.now_s += waits[-1] or 0
        assert outbox.due(9)
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, LONGEST_WAIT_S]
    assert waits[-1] == wait_after(1000)
    outbox.link_failed("a", "It does not answer.", 10, permanent=False)
    assert queue.jobs()[0].counts == {"failed": 3}
    assert queue.jobs()[0].message == "It does not answer."
    assert outbox.next_due_s() is None
    assert queue.retry(job) == 3
    assert len(outbox.due(9)) == 3
    outbox.close()


def test_a_clock_that_is_set_back_holds_nothing_up(file: QueueStore) -> None:
    clock = Clock()
    outbox = Outbox(file, now=clock)
    put(SendQueue(file), "a", CONTENTS)
    outbox.link_failed("a", "", 10, permanent=False)
    clock.now_s -= 100 * LONGEST_WAIT_S
    assert len(outbox.due(9)) == 3
    outbox.close()


def test_an_object_that_fails_every_time_comes_last_and_is_given_up(file: QueueStore) -> None:
    clock = Clock()
    queue, outbox = SendQueue(file), Outbox(file, now=clock)
    put(queue, "a", CONTENTS)
    bad = outbox.due(9)[0].what
    for _ in range(OBJECT_ATTEMPTS):
        clock.now_s += LONGEST_WAIT_S
        (item,) = [each for each in outbox.due(9) if each.what == bad]
        outbox.begin(item)
        outbox.put_off(item, "It has no room.")
        assert outbox.due(9)[0].what != bad
    assert queue.jobs()[0].counts == {"waiting": 2, "failed": 1}
    outbox.close()


def test_cancelled_objects_are_gone_and_can_be_queued_anew(file: QueueStore) -> None:
    queue, outbox = SendQueue(file), Outbox(file)
    job = put(queue, "a", CONTENTS).job_id
    assert job is not None
    item = outbox.due(1)[0]
    assert queue.cancel(job) == 3
    assert copies(file) == 0
    assert not outbox.begin(item)
    assert queue.jobs()[0].finished
    assert put(queue, "a", CONTENTS).queued == 3
    with pytest.raises(PacsError, match="no job 99"):
        queue.cancel(99)
    outbox.close()


def test_what_waits_for_a_destination_that_was_removed_is_refused(file: QueueStore, tmp_path: Path) -> None:
    queue, outbox = SendQueue(file), Outbox(file)
    put(queue, "archive", CONTENTS)
    Sender(outbox, DestinationBook(tmp_path)).send_batch()
    assert queue.jobs()[0].counts == {"refused": 3}
    outbox.close()


def test_only_the_owner_reads_the_queue_and_no_name_is_in_its_file(file: QueueStore) -> None:
    put(SendQueue(file), "a", CONTENTS)
    assert any(SECRET.encode() in path.read_bytes() for path in file.objects.glob("*/*.dcm"))
    for path in file.folder.glob(f"{QUEUE_NAME}*"):
        assert SECRET.encode() not in path.read_bytes()
    if sys.platform != "win32":
        assert stat.S_IMODE(file.folder.stat().st_mode) == 0o700
        for path in file.objects.glob("*/*.dcm"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_queue_says_so(tmp_path: Path) -> None:
    (tmp_path / QUEUE_NAME).write_bytes(b"no database, but long enough to be looked at as one" * 40)
    with pytest.raises(PacsError, match="damaged"):
        QueueStore(tmp_path)


def test_a_field_that_a_newer_program_wrote_into_the_destinations_is_kept(tmp_path: Path) -> None:
    book = DestinationBook(tmp_path)
    book.put(Destination("ONE", "127.0.0.1", 104, "ANY"))
    path = tmp_path / BOOK_NAME
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"groups": ["night"]}), encoding="utf-8"
    )
    book.put(Destination("TWO", "127.0.0.1", 104, "ANY"))
    assert json.loads(path.read_text(encoding="utf-8"))["groups"] == ["night"]
    assert [each.name for each in book.all()] == ["ONE", "TWO"]


def test_destinations_are_kept_and_checked(tmp_path: Path) -> None:
    book = DestinationBook(tmp_path)
    assert book.all() == ()
    secured = Destination("b", "pacs.example", 104, "PACS ONE", tls=Tls("/ca.pem"), answer_s=5)
    book.put(destination(free_port()))
    book.put(secured)
    assert DestinationBook(tmp_path).get("b") == secured
    book.remove("archive")
    assert book.all() == (secured,)
    with pytest.raises(PacsError, match="no destination"):
        book.remove("archive")
    (tmp_path / BOOK_NAME).write_text('{"format": "semc-live-destinations", "version": 1}', encoding="utf-8")
    with pytest.raises(PacsError, match="damaged"):
        book.all()


@pytest.mark.parametrize(
    "wrong",
    [{"title": "A TITLE THAT IS TOO LONG"}, {"title": "BACK\\SLASH"}, {"title": " "}, {"port": 0},
     {"host": "two words"}, {"name": ""}, {"answer_s": 0.0}, {"connect_s": 1e9}, {"attempts": 0}],
)  # fmt: skip
def test_a_destination_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    values: dict[str, object] = {"name": "a", "host": "pacs", "port": 104, "title": "PACS"} | wrong
    with pytest.raises(UsageError):
        Destination(**values)  # type: ignore[arg-type]


COLUMNS = {
    "items": (
        "item_id", "job_id", "destination", "sop_class", "sop_instance", "study", "series", "syntax",
        "sha256", "size", "file", "state", "attempts", "message",
    ),
    "jobs": ("job_id", "uid", "created_utc", "destination", "session", "manifest"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "column"), [(table, each) for table in COLUMNS for each in COLUMNS[table]])
def test_a_queue_with_a_value_of_another_type_is_said_to_be_damaged(
    table: str, column: str, tmp_path: Path
) -> None:
    """As a fault of the disk leaves it: the tables take no such values by themselves."""
    first = QueueStore(tmp_path / "pacs")
    put(SendQueue(first), "a", CONTENTS)
    first.close()
    for value in (None, "text", b"\xff\x00", 1.5, 7, float("inf")):
        folder = shutil.copytree(tmp_path / "pacs", tmp_path / "damaged", dirs_exist_ok=True)
        connection = sqlite3.connect(folder / "queue.sqlite", isolation_level=None)
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"ALTER TABLE loose RENAME TO {table}")
        (kind,) = connection.execute(f"SELECT typeof({column}) FROM {table}").fetchone()
        connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
        (now,) = connection.execute(f"SELECT typeof({column}) FROM {table}").fetchone()
        connection.close()
        opened = QueueStore(folder)
        queue = SendQueue(opened)
        try:
            fits = now == kind and column != "created_utc"
            if not fits and (column, now) not in {("session", "text"), ("session", "null")}:
                with pytest.raises(PacsError, match=r"is damaged \(.*\); move that folder away\.$"):
                    _ = queue.jobs(), opened.items("1", ())
            else:
                _ = queue.jobs()
        finally:
            opened.close()
            shutil.rmtree(folder)
