"""Downloads from a hub on this machine: whole, broken, resumed, damaged, hostile."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from main import main
from semc_core.errors import SourceError, UsageError
from tests.training.data.hub_stand_in import COMMIT, Hub
from training.data.hub import hugging_face, zenodo
from training.data.hub.catalogue import KNOWN, find
from training.data.hub.download import download, unpack
from training.data.hub.hubs import SOURCE_FILE, get, look_up
from training.data.readers import open_data


def archive() -> bytes:
    """A ZIP file with a picture of each of two classes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for seed, name in enumerate(("A", "B")):
            pixels = np.random.default_rng(seed).integers(0, 256, (40, 40), dtype=np.uint8)
            packed.writestr(f"{name}/1.png", cv2.imencode(".png", pixels)[1].tobytes())
    return made.getvalue()


NOISE = np.random.default_rng(1).integers(0, 256, 200_000, dtype=np.uint8).tobytes()


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub({"planes.zip": archive(), "more.bin": NOISE}) as running:
        yield running


def fetch(hub: Hub, folder: Path) -> None:
    """The record 7, without pauses."""
    offered = zenodo.offer("7", hub.address)
    zenodo.fetch(offered, "7", folder, lambda done, total: None, hub.address, pause_s=0)


def test_a_record_is_offered_downloaded_and_unpacked(hub: Hub, tmp_path: Path) -> None:
    entry = find("zenodo:7")
    offered = look_up(entry, hub.address)
    assert (offered.title, offered.licence) == ("Planes", "cc-by-4.0")
    steps: list[tuple[int, int]] = []
    get(entry, offered, tmp_path / "set", lambda done, total: steps.append((done, total)), hub.address)
    assert steps[-1] == (offered.size, offered.size)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert open_data(tmp_path / "set" / "planes").classes == ("A", "B")
    assert (tmp_path / "set" / "more.bin").read_bytes() == NOISE
    assert not (tmp_path / "set" / "planes.zip").exists()
    said = json.loads((tmp_path / "set" / SOURCE_FILE).read_text(encoding="utf-8"))
    assert (said["licence"], said["name"]) == ("cc-by-4.0", "zenodo-7")


def test_a_transfer_that_breaks_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = [10**9, 50_000, 70_000]
    fetch(hub, tmp_path)
    assert (tmp_path / "more.bin").read_bytes() == NOISE
    assert hub.asked["more.bin"] == [0, 50_000, 120_000]


def test_a_download_goes_on_after_the_program_ended(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "more.bin.part").write_bytes(NOISE[:150_000])
    fetch(hub, tmp_path)
    assert hub.asked["more.bin"] == [150_000]
    assert (tmp_path / "more.bin").read_bytes() == NOISE
    hub.asked.clear()
    fetch(hub, tmp_path)
    assert not hub.asked, "what is there and right is not asked for again"


def test_a_hub_that_cannot_resume_sends_it_all_again(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "more.bin.part").write_bytes(b"x" * 1000)
    hub.ranges_ignored = True
    fetch(hub, tmp_path)
    assert (tmp_path / "more.bin").read_bytes() == NOISE


def test_a_busy_hub_is_asked_again(hub: Hub, tmp_path: Path) -> None:
    hub.statuses = [503, 429, 500]
    fetch(hub, tmp_path)
    hub.statuses = [503] * 50
    (tmp_path / "more.bin").unlink()
    with pytest.raises(SourceError, match="again and again"):
        fetch(hub, tmp_path)


@pytest.mark.parametrize("damage", ["checksum", "content"])
def test_what_arrives_damaged_is_removed(hub: Hub, tmp_path: Path, damage: str) -> None:
    if damage == "checksum":
        hub.checksums["more.bin"] = "md5:" + "0" * 32
    else:
        (tmp_path / "more.bin.part").write_bytes(b"x" * 1000)
    with pytest.raises(SourceError, match="arrived damaged"):
        fetch(hub, tmp_path)
    assert not list(tmp_path.glob("more.bin*"))
    hub.checksums.clear()
    fetch(hub, tmp_path)
    assert (tmp_path / "more.bin").read_bytes() == NOISE


def test_what_is_not_there_is_said(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such data set"):
        zenodo.offer("8", hub.address)
    hub.statuses = [403]
    with pytest.raises(SourceError, match="by hand"):
        download(f"{hub.address}/api/records/7/files/more.bin/content", tmp_path / "x", 9, "md5:0", pause_s=0)
    address = hub.address
    hub.__exit__(None, None, None)
    with pytest.raises(SourceError, match="cannot be reached"):
        zenodo.offer("7", address)
    hub.__enter__()


def test_a_record_cannot_write_outside_of_its_folder(hub: Hub, tmp_path: Path) -> None:
    hub.files = {"../evil": b"x"}
    with pytest.raises(SourceError, match="no plain name"):
        zenodo.offer("7", hub.address)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("../evil.png", b"x")
    with pytest.raises(SourceError, match="outside of its folder"):
        unpack(tmp_path / "a.zip", tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros", bytes(10_000_000))
    with pytest.raises(SourceError, match="far more"):
        unpack(tmp_path / "bomb.zip", tmp_path / "bomb")
    (tmp_path / "cut.zip").write_bytes(archive()[:300])
    with pytest.raises(SourceError, match="damaged"):
        unpack(tmp_path / "cut.zip", tmp_path / "cut")
    assert not [path for path in tmp_path.parent.iterdir() if path.name.startswith("evil")]


def test_a_repository_is_downloaded_by_the_hubs_client(hub: Hub, tmp_path: Path) -> None:
    entry = find("hf:someone/planes")
    offered = look_up(entry, hub.address)
    assert (offered.licence, offered.version) == ("cc-by-4.0", COMMIT)
    steps: list[int] = []

    def told(done: int, total: int) -> None:
        steps.append(done)

    get(entry, offered, tmp_path / "set", told, hub.address)
    assert steps[-1] == offered.size
    assert (tmp_path / "set" / "more.bin").read_bytes() == NOISE
    hub.checksums["more.bin"] = "0" * 64
    wrong = look_up(entry, hub.address)
    with pytest.raises(SourceError, match="arrived damaged"):
        hugging_face.fetch(wrong, "someone/planes", tmp_path / "set", told, hub.address)
    with pytest.raises(SourceError, match="no open data set"):
        hugging_face.offer("someone/else", "", hub.address)


def test_the_command_shows_the_licence_and_waits_for_a_yes(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(zenodo, "ADDRESS", hub.address)
    command = ["data", "get", "zenodo:7", "--out", str(tmp_path)]
    assert main(command) == 1
    told = capsys.readouterr().out
    assert "Licence: cc-by-4.0" in told
    assert "--yes" in told
    assert not any(tmp_path.iterdir())
    assert main([*command, "--yes"]) == 0
    assert (tmp_path / "zenodo-7" / "more.bin").is_file()
    hub.asked.clear()
    assert main([*command, "--yes"]) == 0
    assert "already" in capsys.readouterr().out
    assert not hub.asked


def test_known_names_say_where_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "get"]) == 0
    told = capsys.readouterr().out
    assert all(entry.name in told for entry in KNOWN)
    assert find("fetal-planes-db").record == "3904280"
    with pytest.raises(SourceError, match="creatis"):
        look_up(find("camus"))
    for name in ("nothing", "zenodo:x", "hf:planes", "../x"):
        with pytest.raises(UsageError, match="not known"):
            find(name)
