"""Whatever a sending queue says, it is read, or refused in one sentence that names the folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from semc_core.errors import PacsError
from semc_core.io.documents import MOST_BYTES
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import QUEUE_NAME, QueueStore
from tests.documents.test_bad_documents import DEEP, DEEP_OBJECT, check_sentence
from tests.pacs.servers import objects, put
from tests.pacs.test_queue import COLUMNS

PLACES: Final = [(table, column) for table in COLUMNS for column in COLUMNS[table]]
NUMBERS: Final = ("item_id", "job_id", "size", "attempts")
ODD: Final = (
    # As SQL: text that is no UTF-8, half a surrogate pair, numbers that are not finite.
    "CAST(x'ff' AS TEXT)", "CAST(x'eda080' AS TEXT)", "x'00ff'", "9e999", "-9e999", "NULL", "''", "-1",
    "9223372036854775807", "1.5", "'nan'", "'two' || char(10) || 'lines'", "char(0)", "char(27) || '[31m'",
    f"'{DEEP}'", f"'{DEEP_OBJECT}'", f"'{'9' * 5000}'",
)  # fmt: skip


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    """The folder of a queue whose tables take whatever they are given."""
    folder = tmp_path / "pacs"
    with closing(QueueStore(folder)) as file:
        put(SendQueue(file), "a", objects(1))
    with closing(sqlite3.connect(folder / QUEUE_NAME, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for table in COLUMNS:
            connection.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
            connection.execute(f"DROP TABLE {table}")
            connection.execute(f"ALTER TABLE loose RENAME TO {table}")
    return folder


def said_of(folder: Path, table: str, column: str, value: str) -> str:
    """What is said of the queue with this value; "" where it is read. Then it is as it was."""
    with closing(sqlite3.connect(folder / QUEUE_NAME, isolation_level=None)) as connection:
        connection.execute(f"CREATE TABLE kept AS SELECT * FROM {table}")
        connection.execute(f"UPDATE {table} SET {column} = {value}")
    said = next(_faults(folder), "")
    with closing(sqlite3.connect(folder / QUEUE_NAME, isolation_level=None)) as connection:
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"ALTER TABLE kept RENAME TO {table}")
    return said


def _faults(folder: Path) -> Iterator[str]:
    try:
        with closing(QueueStore(folder)) as file:
            queue = SendQueue(file)
            for job in queue.jobs():
                queue.items(job.job_id)
            file.items("1", ())
    except PacsError as error:
        check_sentence(str(error), str(folder))
        yield str(error)


@pytest.mark.parametrize(("table", "column"), PLACES)
def test_an_odd_value_in_any_column_is_read_or_refused(table: str, column: str, loose: Path) -> None:
    assert said_of(loose, table, column, column) == ""
    said = {value: said_of(loose, table, column, value) for value in ODD}
    assert "is damaged" in said["x'00ff'"]
    # A column of text makes text of a number, which some take.
    assert "is damaged" in said["9e999"] or column not in NUMBERS
    assert "is damaged" in said["CAST(x'ff' AS TEXT)"]
    assert said_of(loose, table, column, column) == ""


def test_a_value_that_is_too_long_is_not_parsed(loose: Path) -> None:
    said = said_of(loose, "jobs", "uid", f"hex(zeroblob({MOST_BYTES // 2}))")
    assert "it is longer than 64 MB" in said
