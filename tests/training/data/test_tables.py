"""Tables of pictures as people write them: every separator, other names, lines that contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from semc_core.errors import UsageError
from tests.training.data.data_sets import picture
from training.data.readers import open_data

ROWS = (("a/1.png", "A", "p1"), ("b/1.png", "B", "p2"), ("b/2.png", "B", "p2"))


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    """A folder with three pictures, two of one name, and the table."""
    for seed, (name, _, _) in enumerate(ROWS):
        picture(folder / name, seed)
    (folder / "index.csv").write_text(text, encoding=encoding)
    return folder


def written(separator: str, *names: str) -> str:
    """The rows under a head."""
    return "\n".join(separator.join(row) for row in (names, *ROWS)) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_whatever_separates_its_columns(
    separator: str, encoding: str, tmp_path: Path
) -> None:
    index = open_data(table(tmp_path, written(separator, "file", "label", "group"), encoding))
    found = [(sample.path, sample.label, sample.group) for sample in index.samples]
    assert found == [(tmp_path / name, label, group) for name, label, group in ROWS]
    assert index.notes == ()


@pytest.mark.parametrize(
    "names",
    [("Image_Path", "Class", "Patient ID"), ("Dateiname", "Klasse", "patient"), (" file", "Label ", "case")],
)
def test_columns_of_other_names_are_used_and_said_to_be(names: tuple[str, ...], tmp_path: Path) -> None:
    text = "sep=;\n" + written(";", *names).replace("/", "\\") + ";;\n\n"
    index = open_data(table(tmp_path, text))
    assert [(sample.label, sample.group) for sample in index.samples] == [row[1:] for row in ROWS]
    assert f"The column {names[2]} of index.csv is used as group." in index.notes
    assert len(index.notes) == sum(
        name.strip() != own for name, own in zip(names, ("file", "label", "group"), strict=True)
    )


def test_columns_that_nobody_understands_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"it has x, y, z, and none of them is the file or the label"):
        open_data(table(tmp_path, written(";", "x", "y", "z")))
    with pytest.raises(UsageError, match=r"it has file, y, z, and none of them is the label"):
        open_data(table(tmp_path, written(",", "file", "y", "z")))
    with pytest.raises(UsageError, match=r"the columns image, path, and each may be the file"):
        open_data(table(tmp_path, written(",", "image", "path", "label")))


def test_a_picture_with_two_labels_is_refused_and_named_with_its_folder(tmp_path: Path) -> None:
    text = written(",", "file", "label", "group")
    with pytest.raises(UsageError, match=r"different things of 1 picture: b/1\.png is B and A\. Leave one"):
        open_data(table(tmp_path, text + "b/1.png,A,p2\n"))
    with pytest.raises(UsageError, match=r"different things of 1 picture: b/1\.png is p2 and p1"):
        open_data(table(tmp_path, text + "b/1.png,B,p1\n"))
    index = open_data(table(tmp_path, text + "b/1.png,B,p2\n./b/1.png,B,p2\n"))
    assert len(index.samples) == len(ROWS)
    assert index.notes == ("index.csv lists 2 pictures again; each is used once.",)


def test_a_line_without_a_label_is_named(tmp_path: Path) -> None:
    text = written(",", "file", "label", "group")
    for line, lacking in (("b/1.png, ,p2", "label"), (",A,p2", "file"), ("b/1.png", "label")):
        with pytest.raises(UsageError, match=rf"Line 5 of index\.csv names no {lacking}; every line needs"):
            open_data(table(tmp_path, text + line + "\n"))
