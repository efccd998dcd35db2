"""What holds of reading any document: a log keeps its bytes, and the program starts without pydantic."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semc_core.io.documents import STRICT, Document, DocumentFault, field_name
from semc_core.io.rules import one_of, within
from semc_core.measure.gestation import ORIGINS
from semc_core.measure.shapes import KINDS, STRUCTURES
from semc_core.session.audit_log import canonical
from semc_core.session.fetuses import LETTERS
from semc_core.session.records import MAKERS, SCALES
from semc_core.session.state import PAYLOAD, TABLES
from tests.documents.test_bad_documents import BOUNDED, JSON_VALUES

CELLS = {
    "INTEGER": st.integers(0, 1),
    "REAL": st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False),
    "TEXT": st.text(st.characters(exclude_categories=["Cs"])),
}
VALUES = {
    "kind": KINDS,
    "structure": ("", *STRUCTURES),
    "scale": SCALES,
    "made_by": MAKERS,
    "points": ("[[0.5,1.0],[2.0,3.25]]",),
    "width": (1, 640),
    "height": (1, 480),
}
"""Where only some values can stand."""


@BOUNDED
@given(data=st.data(), more=st.dictionaries(st.text(), JSON_VALUES, max_size=3))
def test_what_a_log_says_has_the_same_bytes_when_it_was_read(
    data: st.DataObject, more: dict[str, Any]
) -> None:
    """The hashes of a session depend on them: 1 stays 1, and 1.0 stays 1.0."""
    name = data.draw(st.sampled_from(sorted(TABLES)))
    table = TABLES[name]
    row = {column: data.draw(CELLS[kind]) for column, kind in table.columns.items()}
    if name in ("session", "ages"):
        row["id"] = 1
    if name in ("turns", "fetuses"):
        row["fetus"] = data.draw(st.sampled_from(LETTERS))
    if name == "ages":
        row |= {"days": data.draw(st.integers(28, 308)), "origin": data.draw(st.sampled_from(ORIGINS))}
    if name in ("measurements", "scales"):
        row |= {column: data.draw(st.sampled_from(v)) for column, v in VALUES.items() if column in row}
    edits = [{"table": name, "id": row[table.key], "before": None, "after": row}]
    payload = {**more, "text": "words", "edits": edits}
    text = canonical(payload)
    assert canonical(PAYLOAD.parse(text)) == text == canonical(json.loads(text))


@pytest.mark.parametrize(
    "started",
    ["import main; main.main(['model', '--help'])", "import app.main_window", "import training.cli.train"],
)
def test_the_program_starts_without_what_checks_documents(started: str) -> None:
    ask = f"import sys\ntry:\n {started}\nexcept SystemExit:\n pass\n"
    ask += "print('pydantic' in sys.modules, 'pydantic_core' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert told.splitlines()[-1] == "False False"


def test_documents_that_are_first_read_by_many_threads_are_read() -> None:
    kinds: list[Document[Any]] = [
        Document(dict[str, tuple[Annotated[int, within(0, number)], ...]], config=STRICT)
        for number in range(30)
    ]
    found: list[object] = []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [
            threading.Thread(target=lambda kind=kind: found.append(kind.parse('{"a": [0]}')))
            for kind in kinds * 2
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert found == [{"a": (0,)}] * 60


def test_true_is_not_one_and_a_name_of_a_stranger_breaks_no_line() -> None:
    one: Document[Any] = Document(dict[str, Annotated[int, one_of(1, 2)]], config=STRICT)
    assert one.parse('{"a": 2}') == {"a": 2}
    with pytest.raises(DocumentFault, match=r"its field 'a' must be a valid integer"):
        one.parse('{"a": true}')
    with pytest.raises(DocumentFault, match=r"its field 'a\\nb' must be 1 or 2"):
        one.parse('{"a\\nb": 3}')
    assert field_name(("x" * 50, 3, "y")) == f"'{'x' * 40}...[3].y'"
