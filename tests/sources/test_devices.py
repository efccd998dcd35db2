"""Which capture devices there are: trees of files as Linux has them, and lists as other systems give them."""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import pytest

from semc_core.errors import SourceError
from semc_core.sources.devices.base import Trouble, Way
from semc_core.sources.devices.find import find_device, sentence
from semc_core.sources.devices.linux import LinuxDevices
from semc_core.sources.devices.named import NamedDevices
from tests.sources.device_trees import Card, plug_in, plug_in_pci, plug_in_virtual, told_by_udev

HDMI = "USB Capture HDMI"
LEFT, RIGHT = Card(HDMI, "2", serial="20210623"), Card(HDMI, "3.1", serial="20210623")
WEBCAM = Card("Webcam", "4", vendor="046d", product="0825", serial="A1B2")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two cards of one make and serial number, a webcam, and what is none."""
    plug_in(tmp_path, LEFT, 0)
    plug_in(tmp_path, RIGHT, 2)
    plug_in(tmp_path, WEBCAM, 10)
    (tmp_path / "sys/class/video4linux/v4l-touch0").mkdir()
    return tmp_path


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Every file that this process opens from here on, by name."""
    names: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and isinstance(arguments[0], str | os.PathLike):
            names.append(os.fspath(arguments[0]))

    sys.addaudithook(watch)
    yield names
    watching = False


def test_devices_are_listed_without_their_metadata_nodes_and_without_being_opened(
    root: Path, opened: list[str]
) -> None:
    found = LinuxDevices(root).devices()
    assert [(device.index, device.name) for device in found] == [(0, HDMI), (2, HDMI), (10, "Webcam")]
    assert any("video4linux" in name for name in opened), "what is opened is seen"
    assert not [name for name in opened if name.startswith(str(root / "dev"))]
    assert LinuxDevices(root / "none").devices() == []


def test_two_cards_of_one_name_and_serial_number_are_told_apart_by_their_place(root: Path) -> None:
    left, right, webcam = LinuxDevices(root).devices()
    assert left.identity == "usb-534d:2109-20210623@0000:00:14.0-usb2-2-1.0"
    assert right.identity == "usb-534d:2109-20210623@0000:00:14.0-usb2-3.1-1.0"
    assert (left.place, right.place) == ("USB port 1-2", "USB port 1-3.1")
    assert webcam.bus_mbps == 480
    with pytest.raises(SourceError, match=rf"use one of camera:{left.identity}, camera:{right.identity}"):
        find_device(HDMI, LinuxDevices(root))
    assert find_device("webcam", LinuxDevices(root)) == webcam


def test_the_number_of_the_bus_says_nothing(tmp_path: Path) -> None:
    plug_in(tmp_path / "a", WEBCAM, 0, bus=1)
    plug_in(tmp_path / "b", WEBCAM, 5, bus=3)
    (before,), (after,) = LinuxDevices(tmp_path / "a").devices(), LinuxDevices(tmp_path / "b").devices()
    assert before.identity == after.identity
    assert before.index != after.index


def test_every_input_of_a_card_in_the_machine_is_a_device(tmp_path: Path) -> None:
    plug_in_pci(tmp_path, "Quad HDMI", "0000:03:00.0", [0, 1, 2])
    told_by_udev(tmp_path, 2, ":video_output:")
    plug_in_virtual(tmp_path, "OBS Virtual Camera", 9)
    first, second, virtual = LinuxDevices(tmp_path).devices()
    assert first.identity == "Quad_HDMI@pci-0000:03:00.0"
    assert second.identity == "Quad_HDMI@pci-0000:03:00.0.1"
    assert second.place == "PCI 0000:03:00.0, input 2"
    assert virtual.identity == "OBS_Virtual_Camera@virtual"


def test_no_other_device_is_opened_when_numbers_change_a_hundred_times(tmp_path: Path) -> None:
    chance = random.Random(16)
    cards = [
        LEFT,
        RIGHT,
        Card(HDMI, "3.2", serial="20210623"),
        WEBCAM,
        Card("No serial", "1"),
        Card("No serial", "5"),
    ]
    identities: dict[Card, str] = {}
    missing = found_ones = 0
    for turn in range(100):
        root = tmp_path / str(turn)
        there = cards if turn == 0 else chance.sample(cards, chance.randint(1, len(cards)))
        numbers = chance.sample(range(0, 40, 2), len(there))
        bus = chance.randint(1, 4)
        for card, number in zip(there, numbers, strict=True):
            plug_in(root, card, number, bus)
        system = LinuxDevices(root)
        if turn == 0:
            by_number = {device.index: device.identity for device in system.devices()}
            identities = {card: by_number[number] for card, number in zip(there, numbers, strict=True)}
            assert len(set(identities.values())) == len(cards)
        for card, identity in identities.items():
            if card in there:
                expected = numbers[there.index(card)]
                assert find_device(identity, system).ways == (Way(cv2.CAP_V4L2, expected),)
                found_ones += 1
            else:
                with pytest.raises(SourceError, match="is not plugged in where it was"):
                    find_device(identity, system)
                missing += 1
        shutil.rmtree(root)
    assert missing > 100
    assert found_ones > 100


def test_a_card_at_another_place_is_offered_and_not_taken(root: Path) -> None:
    system = LinuxDevices(root)
    gone = find_device("2", system)
    for number in (2, 3):
        (root / f"sys/class/video4linux/video{number}").unlink()
    with pytest.raises(
        SourceError, match="if that is the one, choose camera:usb-534d:2109-20210623@0000"
    ) as told:
        find_device(gone.identity, system)
    assert find_device("0", system).identity in str(told.value)


def test_a_device_is_found_by_name_number_and_link(root: Path) -> None:
    system = LinuxDevices(root)
    assert find_device("", system).index == 0
    assert find_device("10", system).name == "Webcam"
    with pytest.raises(SourceError, match="No camera is called 'probe'"):
        find_device("probe", system)
    with pytest.raises(SourceError, match=r"Camera 5 is not plugged in; plug it in, then look for it again"):
        find_device("5", system)
    link = root / "by-id"
    link.symlink_to(root / "dev/video10")
    assert system.number_of(link) == 10
    with pytest.raises(SourceError, match="not plugged in"):
        find_device("/dev/v4l/by-id/no-such-card", system)


def test_two_that_cannot_be_told_apart_are_refused_by_identity(tmp_path: Path) -> None:
    plug_in_virtual(tmp_path, "Loop", 3)
    plug_in_virtual(tmp_path, "Loop", 4)
    with pytest.raises(SourceError, match="use one of camera:3, camera:4"):
        find_device("Loop@virtual", LinuxDevices(tmp_path))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the kernel")
def test_why_a_device_cannot_be_opened_is_told_apart(root: Path) -> None:
    system = LinuxDevices(root)
    first = find_device("0", system)
    assert system.trouble(first) is Trouble.UNKNOWN, "a plain file has no driver"
    assert system.modes(first) == ()
    (root / "dev/video0").unlink()
    assert system.trouble(first) is Trouble.MISSING
    assert system.modes(first) == ()


def test_the_four_troubles_are_four_sentences_that_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    told = {trouble: sentence(trouble, "Camera 3") for trouble in Trouble}
    assert len(set(told.values())) == 4
    assert "plug it in" in told[Trouble.MISSING]
    assert "close that one" in told[Trouble.BUSY]
    assert "group video" in told[Trouble.FORBIDDEN]
    assert "another port" in told[Trouble.UNKNOWN]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "System Settings" in sentence(Trouble.FORBIDDEN, "Camera 3")


@dataclass
class Listed:
    """What cv2-enumerate-cameras says of a device."""

    index: int
    name: str
    path: str | None


def _windows(back_end: int) -> list[Listed]:
    """Two cards of one name, in another order for each back end; a virtual one that only DirectShow has."""
    first, second = r"\\?\usb#vid_534d&pid_2109#5&1#{", r"\\?\usb#vid_534d&pid_2109#5&2#{"
    if back_end == cv2.CAP_DSHOW:
        names = [(HDMI, first + "65e8773d}"), (HDMI, second + "65e8773d}"), ("OBS Virtual Camera", None)]
    else:
        names = [(HDMI, second + "E5323777}"), (HDMI, first + "E5323777}")]
    return [Listed(index, name, path) for index, (name, path) in enumerate(names)]


def test_windows_names_its_devices_and_how_each_back_end_counts_them() -> None:
    first, second, virtual = NamedDevices(_windows, (cv2.CAP_DSHOW, cv2.CAP_MSMF)).devices()
    assert first.ways == (Way(cv2.CAP_DSHOW, 0), Way(cv2.CAP_MSMF, 1))
    assert second.ways == (Way(cv2.CAP_DSHOW, 1), Way(cv2.CAP_MSMF, 0))
    assert virtual.ways == (Way(cv2.CAP_DSHOW, 2),)
    assert first.name == second.name
    assert first.identity != second.identity


def test_where_nothing_lists_devices_a_number_can_still_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", None)
    system = NamedDevices(back_ends=(cv2.CAP_DSHOW, cv2.CAP_MSMF))
    assert system.devices() == []
    assert find_device("1", system).ways == (Way(cv2.CAP_DSHOW, 1), Way(cv2.CAP_MSMF, 1))
