"""Reference pictures of planes: those that come along, a user's own, and what must not be shown."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from main import main
from semc_core.errors import ProtocolError
from semc_core.labels import FETAL_CLASSES, LIVER_PLANES
from semc_core.paths import ASSETS
from semc_core.protocols import pictures
from semc_core.protocols.loader import SHIPPED, check_protocol, load_protocols, read_protocol
from semc_core.protocols.pictures import picture_notices, read_picture
from tests.protocols.reference_pictures import FETAL, LIVER, liver
from tests.protocols.test_loader import GOOD, written

NAMED = GOOD.replace('planes = ["LLP"]', 'planes = ["LLP"]\npicture = "lobe.png"\ncredit = "J. Doe, CC0"')


def image(kind: str = "PNG", size: tuple[int, int] = (8, 6), mode: str = "L") -> bytes:
    content = io.BytesIO()
    Image.new(mode, size, 77).save(content, kind)
    return content.getvalue()


def own(folder: Path, content: bytes | None, text: str = NAMED) -> tuple[str, ...]:
    """What is said of a protocol whose picture this is, when it is loaded."""
    written(folder, text)
    if content is not None:
        (folder / "lobe.png").write_bytes(content)
    book = load_protocols(folder)
    assert book.named("short-liver").own, "it works without"
    assert book.problems == ()
    return book.notices


# That come along.


def test_all_that_come_along_can_be_read_are_credited_and_are_small() -> None:
    sizes = {}
    for protocol in load_protocols(Path("none")).protocols:
        assert picture_notices(protocol, decode=True) == ()
        for item in protocol.items:
            if item.picture is not None:
                assert item.credit
                sizes[item.picture] = (SHIPPED / item.picture).stat().st_size
    assert set(sizes) == {*LIVER.values(), *FETAL} == {path.name for path in SHIPPED.glob("*.jpg")}
    assert max(sizes.values()) <= 40_000
    assert sum(sizes.values()) <= 400_000


def test_whose_each_is_stands_in_the_licence_and_on_screen() -> None:
    rows = dict(re.findall(r"^\| `(.+)` \| (.+) \|$", (SHIPPED / "LICENCE.md").read_text("utf-8"), re.M))
    assert set(rows) == {*LIVER.values(), *FETAL}
    for protocol in load_protocols(Path("none")).protocols:
        for item in protocol.items:
            if item.picture in FETAL:
                assert Path(FETAL[item.picture]).stem in rows[item.picture]
                assert item.credit == "Burgos-Artizzu et al., Zenodo 3904280, CC BY 4.0, changed"
            elif item.picture is not None:
                assert rows[item.picture].startswith("simulated")
                assert item.credit.startswith("Simulated")
    assert "Zenodo 3904280" in (SHIPPED / "LICENCE.md").read_text("utf-8")
    assert "fetal-*.jpg" in (ASSETS.parent / "THIRD_PARTY.md").read_text("utf-8")


@pytest.mark.parametrize("plane", LIVER)
def test_those_of_the_liver_are_the_simulated_patients_planes(plane: str) -> None:
    protocol = load_protocols(Path("none")).named("lp2025-liver")
    item = protocol.item_of(plane, LIVER_PLANES)
    assert item is not None
    assert item.planes == (plane,)
    shown = read_picture(protocol, item)
    assert shown is not None
    assert np.abs(shown.astype(int) - liver(plane)).mean() < 4


def test_the_fetal_models_planes_have_the_item_that_means_them() -> None:
    fasp = load_protocols(Path("none")).named("fasp-20-week")
    pictured = {
        plane: item.picture for plane in FETAL_CLASSES if (item := fasp.item_of(plane, FETAL_CLASSES))
    }
    assert pictured["4CH"] == "fetal-four-chambers.jpg"
    assert pictured["Femur"] == "fetal-femur.jpg"
    assert pictured["Lips"] is None
    assert fasp.item_of("LLP", FETAL_CLASSES) is None


# A user's own.


@pytest.mark.parametrize(("kind", "mode", "shape"), [("PNG", "L", (6, 8)), ("JPEG", "RGB", (6, 8, 3))])
def test_a_picture_beside_the_protocol_is_read(
    tmp_path: Path, kind: str, mode: str, shape: tuple[int, ...]
) -> None:
    assert own(tmp_path, image(kind, mode=mode)) == ()
    protocol = read_protocol(tmp_path / "own.toml")
    first, second = protocol.items
    assert (first.picture, first.credit, second.picture) == ("lobe.png", "J. Doe, CC0", None)
    shown = read_picture(protocol, first)
    assert shown is not None
    assert shown.shape == shape
    assert read_picture(protocol, second) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "Liver, short: the picture lobe.png is not there; put it beside the protocol's file."),
        (b"", "cannot be read as PNG or JPEG; save it anew."),
        (b"GIF89a" + bytes(50), "cannot be read as PNG or JPEG"),
        (image() + bytes(pictures.MOST_BYTES), "more than 1 MB or 16 million pixels; save a smaller one."),
    ],
)
def test_what_cannot_be_shown_is_said_when_the_protocol_is_loaded(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    (notice,) = own(tmp_path, content)
    assert words in notice
    protocol = read_protocol(tmp_path / "own.toml")
    with pytest.raises(ProtocolError, match=r"lobe\.png"):
        read_picture(protocol, protocol.items[0])


@pytest.mark.parametrize(
    ("content", "words"), [(image()[:40], "PNG or JPEG"), (image(size=(5000, 4000)), "16 million")]
)
def test_what_is_seen_only_inside_is_said_by_the_check_and_when_it_is_shown(
    tmp_path: Path, content: bytes, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert own(tmp_path, content) == ()
    protocol = read_protocol(tmp_path / "own.toml")
    with pytest.raises(ProtocolError, match=words):
        read_picture(protocol, protocol.items[0])
    assert main(["protocols", "--check", str(tmp_path / "own.toml")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert words in said
    assert "left-lobe" in said


@pytest.mark.skipif(sys.platform == "win32", reason="a user may make no links there")
def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (tmp_path / "elsewhere.png").write_bytes(image())
    (folder / "lobe.png").symlink_to(tmp_path / "elsewhere.png")
    (notice,) = own(folder, None)
    assert "is a link to another folder, so it is not shown" in notice
    (folder / "lobe.png").unlink()
    (folder / "lobe.png").symlink_to("lobe.png")
    (notice,) = own(folder, None)
    assert "cannot be read" in notice
    (folder / "lobe.png").unlink()
    (folder / "beside.png").write_bytes(image())
    (folder / "lobe.png").symlink_to("beside.png")
    assert own(folder, None) == ()


def test_a_folder_in_the_place_of_a_picture_is_none(tmp_path: Path) -> None:
    (tmp_path / "lobe.png").mkdir()
    (notice,) = own(tmp_path, None)
    assert "cannot be read" in notice


@pytest.mark.parametrize(
    "name",
    [
        "../lobe.png",
        "/tmp/lobe.png",
        "a/b.png",
        "a\\\\b.png",
        "C:b.png",
        "..",
        ".png",
        "lobe.gif",
        "lobe",
        "",
        "a\\nb.png",
    ],
)
def test_a_path_or_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    protocol, problems = check_protocol(written(tmp_path, NAMED.replace("lobe.png", name)))
    assert protocol is None
    assert problems == (
        'Item 1 ("left-lobe"): picture must be the name of a PNG or JPEG file in the same folder, like '
        '"left-lobe.png", without a path.',
    )


def test_the_list_tells_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.protocols.loader.data_folder", lambda: tmp_path)
    (tmp_path / "protocols").mkdir()
    written(tmp_path / "protocols", NAMED)
    assert main(["protocols"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Liver, short: the picture lobe.png is not there" in said
    assert "Left out" not in said


def test_the_one_with_a_picture_stands_for_items_that_a_plane_fulfils_alike(tmp_path: Path) -> None:
    text = GOOD.replace('planes = ["GB"]', 'planes = ["LLP"]\npicture = "lobe.png"')
    protocol = read_protocol(written(tmp_path, text))
    assert protocol.item_of("LLP", ("LLP",)) == protocol.items[1]
