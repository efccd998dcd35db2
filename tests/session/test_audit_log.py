"""The chain of the log by itself: what follows from what, which breaks are told, what an entry holds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semc_core.errors import SessionError
from semc_core.session.audit_log import (
    FIRST_PREVIOUS,
    AuditEvent,
    canonical,
    chain_problems,
    entry_hash,
    hold_of,
    hold_payload,
    logged_holds,
    next_entry,
)
from semc_core.session.records import AuditEntry
from tests.session.killed_writer import event
from tests.session.sessions import frame, new_session


def chain(length: int) -> list[AuditEntry]:
    made: list[AuditEntry] = []
    for number in range(length):
        last = (made[-1].seq, made[-1].hash) if made else (0, "")
        made.append(next_entry(last, f"2026-01-0{number + 1}", "person", "kind", {"number": number}))
    return made


def head(entries: list[AuditEntry]) -> tuple[int, str]:
    return entries[-1].seq, entries[-1].hash


def test_an_entry_is_hashed_with_all_it_says_and_the_one_before() -> None:
    first, second = chain(2)
    assert (first.seq, first.previous, FIRST_PREVIOUS) == (1, "0" * 64, "0" * 64)
    assert (second.seq, second.previous) == (2, first.hash)
    written = (
        '{"kind":"kind","payload":{"number":1},"previous":"' + first.hash + '","seq":2,'
        '"time_utc":"2026-01-02","who":"person"}'
    )
    assert second.hash == entry_hash(second) == hashlib.sha256(written.encode()).hexdigest()


def test_equal_values_are_equal_text_and_what_is_no_json_is_refused() -> None:
    assert (
        canonical({"b": [1, None], "a": "\u00e4"})
        == canonical({"a": "\u00e4", "b": (1, None)})
        == ('{"a":"\u00e4","b":[1,null]}')
    )
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for bad in (float("nan"), float("inf"), {1, 2}, "\ud800", deep):
        with pytest.raises(SessionError, match="cannot keep this"):
            canonical(bad)


def test_an_unbroken_chain_has_no_problems() -> None:
    for length in (1, 2, 5):
        entries = chain(length)
        assert chain_problems(entries, head(entries)) == []


def test_each_break_of_a_chain_is_told_with_the_entries_it_is_at() -> None:
    entries = chain(5)
    whole = head(entries)
    assert chain_problems([], None) == chain_problems([], whole) == ["The log is empty."]
    assert chain_problems(entries[2:], whole) == ["Entries 1 to 2 of the log are missing."]
    assert chain_problems(entries[:1] + entries[3:], whole) == ["Entries 2 to 3 of the log are missing."]
    assert chain_problems(entries[:3], whole) == ["Entries 4 to 5 of the log are missing."]
    unknown = ["The log has entries that its head does not know."]
    assert chain_problems(entries, None) == chain_problems(entries, head(entries[:4])) == unknown
    other = ["The last entry of the log is not the one that its head names."]
    assert chain_problems(entries, (5, "0" * 64)) == other
    twice = chain_problems([*entries[:2], *entries[1:]], whole)
    assert twice[0].startswith("Entries 3 to 1 of the log")


@pytest.mark.parametrize(
    "changed",
    [{"who": "model"}, {"kind": "other"}, {"time_utc": "2027"}, {"payload": {"number": 2.5}},
     {"payload": {"number": float("nan")}}],
    ids=str,
)  # fmt: skip
def test_an_entry_that_was_changed_is_told_and_the_others_are_not(changed: dict[str, object]) -> None:
    entries = chain(4)
    entries[1] = replace(entries[1], **changed)  # type: ignore[arg-type]
    assert chain_problems(entries, head(entries)) == ["Entry 2 of the log was changed."]


def test_an_entry_written_anew_does_not_fit_the_one_after_it() -> None:
    entries = chain(4)
    entries[1] = next_entry((1, entries[0].hash), "2027", "person", "kind", {})
    assert chain_problems(entries, head(entries)) == ["Entry 3 of the log does not follow entry 2."]
    entries = chain(2)
    entries[0] = next_entry((0, ""), "2027", "person", "kind", {})
    assert chain_problems(entries, head(entries)) == ["Entry 2 of the log does not follow entry 1."]


def test_an_event_says_nothing_that_it_was_not_told() -> None:
    event_of_nothing = AuditEvent("person", "kind", {})
    assert (event_of_nothing.edits, event_of_nothing.batch) == ((), None)
    assert (event_of_nothing.start_s, event_of_nothing.end_s) == (0.0, 0.0)


def test_frames_are_proven_by_their_numbers_times_and_bytes(tmp_path: Path) -> None:
    with new_session(tmp_path / "session") as session:
        session.add_frames([frame(index) for index in (7, 5, 6)])
        session.flush()
        (entry,) = (each for each in session.audit() if each.kind == "frames")
        told = entry.payload
        assert (told["first"], told["last"], told["count"], told["classes"], told["experts"]) == (
            5,
            7,
            3,
            3,
            2,
        )
        assert (told["start_s"], told["end_s"]) == (5 / 30, 7 / 30)
        assert entry.who == "model"


def test_a_hold_is_logged_as_it_was_announced() -> None:
    found = event(4, 12, plane="B", final=False)
    logged = hold_of(found)
    assert (logged.plane, logged.frame_index, logged.final) == ("B", 12, False)
    assert logged.time_s == found.best.packet.pts_s
    assert (logged.confidence, logged.start_s, logged.end_s) == (
        found.confidence, found.start_s, found.end_s,
    )  # fmt: skip
    payload = hold_payload(replace(found, confidence=float(np.float32(0.75))))
    assert payload["plane_id"] == 4
    assert payload["found"]["confidence"] == 0.75
    assert json.loads(canonical(payload)) == payload


def entry(number: int, who: str, kind: str, payload: dict[str, object]) -> AuditEntry:
    return next_entry((number, "x"), "2026", who, kind, payload)


def test_the_last_word_of_the_model_on_each_hold_counts_in_the_order_of_their_beginning() -> None:
    late = replace(event(1, 50), start_s=9.0, end_s=10.0)
    early = replace(event(2, 20), start_s=3.0, end_s=4.0)
    longer = replace(early, end_s=6.0)
    log = [
        entry(0, "model", "plane", hold_payload(late)),
        entry(1, "model", "plane", hold_payload(early)),
        entry(2, "model", "frames", {"first": 1}),
        entry(3, "person", "plane", hold_payload(replace(late, plane="B"))),
        entry(4, "model", "plane", hold_payload(longer)),
    ]
    assert logged_holds(log) == [hold_of(longer), hold_of(late)]
    same_time = replace(event(3, 10), start_s=9.0)
    log.append(entry(5, "model", "plane", hold_payload(same_time)))
    assert logged_holds(log) == [hold_of(longer), hold_of(same_time), hold_of(late)]


def test_a_hold_that_no_program_wrote_is_named_by_its_entry() -> None:
    with pytest.raises(SessionError, match="in its entry 7 "):
        logged_holds([entry(6, "model", "plane", {"plane_id": 1})])
