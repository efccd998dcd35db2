"""Whatever a document says, it is read, left out, or refused in one sentence that names file and field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semc_core.errors import SemcError
from semc_core.io.documents import MOST_BYTES
from tests.documents.changing import Place, Raw, at, changed, field_of, places, without, written
from tests.documents.kinds import KINDS, LEFT_OUT, Kind

ALL = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)

DEEP = "[" * 1000 + "]" * 1000
DEEP_OBJECT = '{"a":' * 1000 + "1" + "}" * 1000
WRONG: dict[type, list[object]] = {
    str: [7, [], {}],
    bool: ["yes", 1, []],
    int: ["text", True, 2.5, []],
    float: ["text", True, []],
    list: ["text", 7, {"a": 1}],
    dict: ["text", 7, [1]],
}
ODD: list[object] = [
    None, -1, 0, "", "\x07\x1b[31m", "a\u0000b", "../../a", Raw("1" + "0" * 400), Raw("-1" + "0" * 400),
    Raw("9" * 5000), 2**63, "x" * 100_000,
]  # fmt: skip
NOT_FINITE = ("NaN", "Infinity", "-Infinity", "1e400", "-1e400")
NOT_FINITE_TOML = ("nan", "inf", "-inf", "1e400", "+inf")


def outcome(kind: Kind, folder: Path, content: bytes) -> str | None:
    """What is said of the document; "" where it is left out, None where it is read."""
    fault: SemcError | None = None
    try:
        found = kind.read(folder, content)
    except SemcError as error:
        fault = error
    if fault is None:
        return "" if found is LEFT_OUT else None
    assert kind.error is not None, f"{fault!r}"
    assert type(fault) is kind.error, f"{fault!r}"
    check_sentence(str(fault), kind.file)
    return str(fault)


def check_sentence(text: str, file: str) -> None:
    assert file in text
    assert text.isprintable()
    assert text.endswith((".", "lists them)"))
    assert len(text) < 1000
    assert not re.search(r"\. (?!\(\d+ more; )", text), text
    assert "set_int_max_str_digits" not in text


def refused(kind: Kind, folder: Path, content: bytes) -> str:
    said = outcome(kind, folder, content)
    assert said is not None, content[:200]
    assert said or kind.error is None
    return said


def typed_places(kind: Kind) -> list[Place]:
    return [place for place in places(kind.good) if not set(kind.free) & set(place)]


@ALL
def test_a_good_document_is_read(kind: Kind, tmp_path: Path) -> None:
    assert outcome(kind, tmp_path, written(kind.good, toml=kind.toml)) is None


@ALL
@pytest.mark.parametrize(
    "content",
    [
        b"", b" \n", b"null", b"true", b"7", b'"text"', b"[", b"{", b"{]", b'{"a": 1,}', b"{'a': 1}", b"\x00",
        b"\xff\xfe{\x00}\x00", b"\x89PNG\r\n\x1a\n", b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}',
        b'{"\\ud800": 1}', b'{"a": "\\udc00"}', b'{"a": "line\nbreak"}', b'{"a": "\x1b"}', bytes(range(256)),
        DEEP.encode(), DEEP_OBJECT.encode(), b"[" * 100_000, b'{"a":' * 100_000, b"a = " + b"[" * 1000,
        b".".join([b"a"] * 1000) + b" = 1", b".".join([b"a"] * 100_000) + b" = 1", b"a = {" * 1000,
        b"a = " + b"9" * 5000, b"9" * 5000, b"1e400", b"NaN",
    ],
)  # fmt: skip
def test_what_is_no_document_at_all_is_refused(kind: Kind, content: bytes, tmp_path: Path) -> None:
    if kind.embedded and "\ufffd" in content.decode("utf-8", "replace"):
        outcome(kind, tmp_path, content)
    else:
        refused(kind, tmp_path, content)


@ALL
def test_a_byte_order_mark_is_refused(kind: Kind, tmp_path: Path) -> None:
    content = written(kind.good, toml=kind.toml)
    said = refused(kind, tmp_path, b"\xef\xbb\xbf" + content)
    # A model file does not begin with its header, but with its length.
    assert (
        not said
        or kind.embedded
        or kind.name == "header"
        or "it begins with a byte-order mark, which must go" in said
    )
    if not kind.embedded:
        refused(kind, tmp_path, content.decode().encode("utf-16"))


@ALL
def test_a_document_that_is_cut_short_is_refused(kind: Kind, tmp_path: Path) -> None:
    content = written(kind.good)
    for end in range(1, len(content), 7):
        said = refused(kind, tmp_path, content[:end])
        assert "eOF" not in said


@ALL
def test_a_document_that_is_too_long_is_not_parsed(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = written(kind.good, toml=kind.toml)
    monkeypatch.setattr(kind.document, "most_bytes", len(content) - 1)
    said = refused(kind, tmp_path, content)
    assert not said or "is longer than" in said


def test_one_that_is_really_too_long_is_not_read_to_its_end(tmp_path: Path) -> None:
    (masks,) = (kind for kind in KINDS if kind.name == "masks")
    with (tmp_path / "long.json").open("wb") as file:
        file.truncate(MOST_BYTES * 4)
    with pytest.raises(ValueError, match="it is longer than 64 MB"):
        masks.document.read(tmp_path / "long.json")


@ALL
def test_a_value_of_another_type_is_refused_by_its_field(kind: Kind, tmp_path: Path) -> None:
    for place in typed_places(kind):
        for wrong in WRONG[type(at(kind.good, place))]:
            said = refused(kind, tmp_path, written(changed(kind.good, place, wrong), toml=kind.toml))
            names = [step for step in place if isinstance(step, str)] or [""]
            assert not said or any(name in said.casefold() for name in names), (place, wrong, said)


@ALL
def test_a_missing_field_is_refused_or_has_its_default(kind: Kind, tmp_path: Path) -> None:
    for place in typed_places(kind):
        said = outcome(kind, tmp_path, written(without(kind.good, place), toml=kind.toml))
        assert "is missing" not in (said or "") or field_of(place) in str(said).casefold(), (place, said)


@ALL
def test_numbers_that_are_not_finite_are_refused(kind: Kind, tmp_path: Path) -> None:
    for place in places(kind.good):
        for word in NOT_FINITE_TOML if kind.toml else NOT_FINITE:
            content = written(changed(kind.good, place, Raw(word)), toml=kind.toml)
            if kind.name == "kept-pictures" and place[1:] == (1,):
                assert outcome(kind, tmp_path, content) is None  # the distance to no plane
            else:
                refused(kind, tmp_path, content)


@ALL
def test_odd_values_are_read_or_refused(kind: Kind, tmp_path: Path) -> None:
    for place in places(kind.good):
        for odd in ODD:
            outcome(kind, tmp_path, written(changed(kind.good, place, odd), toml=kind.toml))
        deep: Raw = Raw(DEEP if kind.toml else DEEP_OBJECT)
        refused(kind, tmp_path, written(changed(kind.good, place, deep), toml=kind.toml))


@ALL
def test_fields_that_nobody_knows_are_read_over_or_refused(kind: Kind, tmp_path: Path) -> None:
    objects = [(), *places(kind.good)]
    for place in objects:
        if isinstance(there := at(kind.good, place), dict):
            for name in ("other", "", "a\nb", "\x1b[2J", "x" * 5000):
                more = changed(kind.good, place, {**there, name: 1})
                outcome(kind, tmp_path, written(more, toml=kind.toml))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=5,
)
BOUNDED = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@ALL
@BOUNDED
@given(data=st.data())
def test_any_value_at_any_place_is_read_or_refused(kind: Kind, tmp_path: Path, data: st.DataObject) -> None:
    document: Any = kind.good
    for _ in range(data.draw(st.integers(1, 3))):
        there = list(places(document))
        if not there:
            break
        place = data.draw(st.sampled_from(there))
        document = changed(document, place, data.draw(JSON_VALUES))
    outcome(kind, tmp_path, written(document, toml=kind.toml))


@ALL
@BOUNDED
@given(data=st.data())
def test_any_bytes_in_a_good_document_are_read_or_refused(
    kind: Kind, tmp_path: Path, data: st.DataObject
) -> None:
    content = written(kind.good, toml=kind.toml)
    start = data.draw(st.integers(0, len(content)))
    end = min(len(content), start + data.draw(st.integers(0, 8)))
    outcome(kind, tmp_path, content[:start] + data.draw(st.binary(max_size=6)) + content[end:])
