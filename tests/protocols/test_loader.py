"""Protocol files: those that come with the program, a user's own, and wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from main import main
from semc_core.errors import ProtocolError
from semc_core.labels import FETAL_CLASSES, LIVER_PLANES
from semc_core.protocols.loader import (
    SHIPPED,
    check_protocol,
    load_protocols,
    read_protocol,
    shipped_protocol,
)
from semc_core.protocols.protocol import unknown_sentence

GOOD = """
format = 1
id = "short-liver"
title = "Liver, short"

[[item]]
id = "left-lobe"
title = "Left lobe"
planes = ["LLP"]

[[item]]
id = "gall-bladder"
title = "Gall bladder"
planes = ["GB"]
optional = true
"""


def written(folder: Path, text: str, name: str = "own.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_program_brings_its_protocols_with_their_sources(tmp_path: Path) -> None:
    book = load_protocols(tmp_path / "none")
    counts = {one.id: len(one.items) for one in book.protocols}
    assert counts == {"lp2025-liver": 6, "fasp-20-week": 13, "isuog-mid-trimester": 21, "adult-echo": 15}
    assert not book.problems
    for one in book.protocols:
        assert not one.own
        assert one.about
        assert all(source.title and source.by and source.year > 2000 for source in one.sources)
        assert one.sources


def test_the_programs_own_protocols_are_what_a_users_must_be() -> None:
    paths = sorted(SHIPPED.glob("*.toml"))
    assert len(paths) == 4
    for path in paths:
        assert check_protocol(path) == (shipped_protocol(path), ())


@pytest.mark.parametrize("content", [b"", b"\xff", b"item = 1", b"id = 1\ntitle = 2\nitem = [3]"])
def test_a_damaged_protocol_of_the_programs_own_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "liver.toml").write_bytes(content)
    with pytest.raises(ProtocolError, match=r"^liver\.toml is damaged; install the program again\.$"):
        shipped_protocol(tmp_path / "liver.toml")


def test_the_models_that_are_known_fit_their_protocols(tmp_path: Path) -> None:
    book = load_protocols(tmp_path)
    liver, fasp = book.named("lp2025-liver"), book.named("fasp-20-week")
    assert not liver.unknown_items(LIVER_PLANES)
    assert unknown_sentence(liver, LIVER_PLANES) == ""
    assert [item.id for item in fasp.unknown_items(FETAL_CLASSES)] == ["three-vessels-trachea"]
    assert "does not know 1 of the 13 items" in unknown_sentence(fasp, FETAL_CLASSES)
    assert "knows no plane" in unknown_sentence(fasp, LIVER_PLANES)
    isuog = book.named("isuog-mid-trimester")
    assert "; and 4 more)" in unknown_sentence(isuog, FETAL_CLASSES)


def test_a_users_own_protocol_is_added_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    written(tmp_path, GOOD.replace("short-liver", "lp2025-liver"), "same.toml")
    written(tmp_path, "format = 1\nid = 3", "wrong.toml")
    (tmp_path / "folder.toml").mkdir()
    book = load_protocols(tmp_path)
    own = book.named("short-liver")
    assert own.own
    assert [item.optional for item in own.items] == [False, True]
    assert len(book.problems) == 2
    assert 'same.toml: there is a protocol with the id "lp2025-liver"' in book.problems[0]
    assert book.problems[1].startswith("wrong.toml: Id must be")
    assert "2 more" in book.problems[1]
    with pytest.raises(ProtocolError, match="choose one of: fasp-20-week"):
        book.named("liver")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("format = 1", "format = 2", "Format must be 1."),
        ("format = 1", "format = true", "Format must be 1."),
        ('id = "short-liver"', 'id = "Short Liver"', "Id must be 1 to 64 lower-case"),
        ('title = "Liver, short"', "", "Title is missing."),
        ('title = "Liver, short"', 'titel = "Liver"', "did you mean 'title'."),
        ('title = "Liver, short"', 'title = "two\\nlines"', "Title must be a line of text"),
        ('id = "gall-bladder"', 'id = "left-lobe"', 'Item 2 ("left-lobe"): an item before has the same id'),
        ('planes = ["GB"]', "planes = []", 'Item 2 ("gall-bladder"): planes must be a list'),
        ('planes = ["GB"]', 'planes = "GB"', "planes must be a list"),
        ('planes = ["GB"]', 'planes = ["NSP"]', "NSP means that there is no plane"),
        ('planes = ["GB"]', 'planes = ["GB", "GB"]', "planes names one plane twice"),
        ('planes = ["GB"]', 'planes = ["GB "]', "'GB ' is not the name of a plane"),
        ("optional = true", 'optional = "yes"', "optional must be true or false"),
        ("optional = true", "weight = 3", "nothing here is called 'weight'"),
        ("[[item]]", "[item]", "This is no protocol: it is not TOML (cannot"),
        ("format = 1", 'source = ["a book"]\nformat = 1', "Each source must begin with [[source]]"),
        ("[[item]]", '[[source]]\ntitle = "A"\nby = "B"\nyear = "2024"\n[[item]]', "Source 1: year must be"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    protocol, problems = check_protocol(written(tmp_path, GOOD.replace(old, new)))
    assert protocol is None
    assert any(words in problem for problem in problems), problems


def test_what_is_no_protocol_at_all_is_said(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"format = 1\n\xff\xfe")
    assert check_protocol(binary)[1] == ("This is no protocol: line 2 is not UTF-8 text; save it as UTF-8.",)
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * 1_000_001)
    assert "longer than 1 MB" in check_protocol(large)[1][0]
    with pytest.raises(ProtocolError, match="not there"):
        read_protocol(tmp_path / "none.toml")
    assert "1 to 200 items" in check_protocol(written(tmp_path, GOOD.split("[[item]]")[0]))[1][0]
    assert check_protocol(written(tmp_path, "\ufeff" + GOOD))[1] == (
        "This is no protocol: it begins with a byte-order mark, which must go; save it as UTF-8 without one.",
    )
    many = written(tmp_path, GOOD.replace("format = 1", f"format = {'9' * 5000}"))
    assert check_protocol(many)[1] == ("This is no protocol: it has a number of too many digits.",)
    deep = written(tmp_path, "a = " + "[" * 100_000)
    assert check_protocol(deep) == (None, ("This is no protocol: it is nested too deeply.",))


def test_the_command_lists_checks_and_warns(
    tmp_path: Path, tiny_model_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.protocols.loader.data_folder", lambda: tmp_path)
    assert main(["protocols", "--model", str(tiny_model_path)]) == 0
    listed = capsys.readouterr().out
    assert "fasp-20-week" in listed
    assert "0 of 13" in listed
    assert main(["protocols", "adult-echo", "--model", str(tiny_model_path)]) == 0
    assert "knows no plane of the protocol" in capsys.readouterr().out
    assert main(["protocols", "--check", str(written(tmp_path, GOOD))]) == 0
    assert "gall-bladder" in capsys.readouterr().out
    assert main(["protocols", "--check", str(written(tmp_path, GOOD.replace("LLP", "")))]) == 1
    assert capsys.readouterr().out.startswith('own.toml: Item 1 ("left-lobe")')
    for file, words in (("none.toml", "not there"), ("", "it is a folder")):
        assert main(["protocols", "--check", str(tmp_path / file)]) == 1
        said = " ".join(capsys.readouterr().out.split())
        assert said.startswith(f"{file or tmp_path.name}: ")
        assert words in said
    assert main(["protocols", "nothing"]) == 1
    assert main(["protocols", "--session", str(tmp_path)]) == 2
