"""Poses by OpenIGTLink: they arrive with the picture that they are of, and a wrong one never does."""

from __future__ import annotations

import logging
import math
import struct
from contextlib import closing
from typing import Any

import numpy as np
import pyigtl
import pytest
from numpy.typing import NDArray

from semc_core.picture_options import PictureOptions
from semc_core.pose import Pose
from semc_core.sources.live.igtl_messages import HEAD_BYTES, read_head, read_picture
from semc_core.sources.live.igtl_poses import MOST_AGE_S, MOST_NAMES, Poses, as_shown
from semc_core.types import FramePacket
from tests.pacs.servers import free_port
from tests.sources.capture_clips import number_of, numbered
from tests.sources.igtl_sender import DEVICE, RATE, TRANSFORM, placed, turned
from tests.sources.test_igtl import Sender, opened, sending, taken

ROWS = np.arange(48, dtype=np.uint8).reshape(6, 8)


def matrix_of(pose: Pose) -> NDArray[np.float64]:
    return np.array(pose.rows)


def image(
    place: NDArray[np.float64] | None, stamp_s: float = 0.0, voxels: NDArray[Any] = ROWS[None], **more: Any
) -> bytes:
    message = pyigtl.ImageMessage(voxels, place, "ras", timestamp=stamp_s, device_name=DEVICE)
    message.header_version = more.get("version", 1)
    return bytes(message.pack())


def transform(
    matrix: NDArray[np.float64], stamp_s: float = 0.0, name: str = TRANSFORM, version: int = 1
) -> bytes:
    message = pyigtl.TransformMessage(matrix, timestamp=stamp_s, device_name=name)
    message.header_version = version
    return bytes(message.pack())


def message(kind: str, content: bytes, stamp_s: float = 0.0, name: str = "Tool") -> bytes:
    """One of version 1 without a checksum, of whatever kind."""
    seconds, fraction = int(stamp_s), int(stamp_s % 1 * (1 << 32))
    head = (1, kind.encode(), name.encode(), seconds, fraction, len(content), 0)
    return struct.pack("> H 12s 20s I I Q Q", *head) + content


def got(sent: bytes, count: int = 1, url: str = "", **more: Any) -> list[FramePacket]:
    with Sender(sent, stays=True) as sender, closing(opened(sender.url + url, **more)) as source:
        packets = taken(source, count)
        source.interrupt()
    return packets


def test_poses_of_another_program_come_with_their_pictures() -> None:
    port = free_port()
    with sending(port), closing(opened(f"igtl://127.0.0.1:{port}")) as source:
        packets = taken(source, 5)
        source.interrupt()
    for packet in packets:
        number = number_of(packet.pixels)
        own, tracked = packet.poses
        assert (own.name, own.of, own.coordinates, own.age_s) == ("", "picture", "RAS", 0)
        assert (tracked.name, tracked.of, tracked.coordinates) == (TRANSFORM, "transform", "")
        assert tracked.age_s == pytest.approx(0, abs=1e-6)
        # Another each time: a pose of the picture before would not fit.
        assert matrix_of(own) == pytest.approx(placed(number), abs=1e-4)
        assert matrix_of(tracked) == pytest.approx(turned(number, 1, 2, 3), abs=1e-6)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("voxels", [ROWS[None], ROWS, ROWS[:, :, None, None][..., 0]])
def test_the_matrix_is_that_which_pyigtl_reads_back(voxels: NDArray[Any], version: int) -> None:
    """Also where the single slice is the first of the axes, as pyigtl sends a picture of two dimensions."""
    place = turned(30, 4, 5, 6) @ np.diag([0.5, 0.25, 2.0, 1.0])
    sent = image(place, 5.0, voxels, version=version)
    (packet,) = got(sent)
    (own,) = packet.poses
    back = pyigtl.ImageMessage()
    back.unpack(back.parse_header(sent[:HEAD_BYTES]), sent[HEAD_BYTES:])
    sides = read_picture(read_head(sent[:HEAD_BYTES]), bytearray(sent[HEAD_BYTES:])).sides
    order = sorted(range(3), key=lambda axis: sides[axis] == 1)
    expected = back.ijk_to_world_matrix[:, [*order, 3]]
    assert matrix_of(own) == pytest.approx(expected, abs=1e-5)
    assert own.stamp_s == pytest.approx(5)


def test_the_place_in_the_header_is_the_middle_of_the_picture_by_the_protocol() -> None:
    """Written by hand: the directions of columns, rows and depth, as long as a pixel, then the middle."""
    geometry = (0, 0.5, 0, 0, 0, 0.25, 1, 0, 0, 100, 200, 300)
    header = struct.pack("> H B B B B 3H 12f 6H", 1, 1, 3, 2, 2, 8, 6, 1, *geometry, 0, 0, 0, 8, 6, 1)
    (packet,) = got(message("IMAGE", header + ROWS.tobytes()))
    (own,) = packet.poses
    assert own.coordinates == "LPS"
    assert matrix_of(own) @ [3.5, 2.5, 0, 1] == pytest.approx([100, 200, 300, 1])
    assert matrix_of(own) @ [4.5, 2.5, 0, 1] == pytest.approx([100, 200.5, 300, 1]), "one column on"
    assert matrix_of(own) @ [3.5, 3.5, 0, 1] == pytest.approx([100, 200, 300.25, 1]), "one row on"


@pytest.mark.parametrize("flip", ["none", "horizontal", "vertical", "180"])
@pytest.mark.parametrize("aspect", ["auto", "4:3"])
def test_the_matrix_is_of_the_pixels_that_are_shown(flip: Any, aspect: Any) -> None:
    place = placed(7)
    options = PictureOptions(flip=flip, aspect=aspect)
    (packet,) = got(image(place, voxels=numbered(7)[None]), options=options)
    width, height = packet.picture.width, packet.picture.height
    assert ((width, height) == (128, 96)) or aspect != "auto"
    matrix = matrix_of(packet.poses[0])
    for across, down in ((0.0, 0.0), (1.0, 0.0), (0.3, 0.8)):
        # A place in the picture as it was sent, and the same place as it is shown.
        sent = np.array([across * 128 - 0.5, down * 96 - 0.5, 0, 1])
        across = 1 - across if flip in ("horizontal", "180") else across
        down = 1 - down if flip in ("vertical", "180") else down
        shown = np.array([across * width - 0.5, down * height - 0.5, 0, 1])
        assert matrix @ shown == pytest.approx(place @ sent, abs=1e-4)


def test_a_stretched_picture_keeps_its_corners() -> None:
    own = Pose("", tuple(placed(3)[:3].ravel().tolist()))  # type: ignore[arg-type]
    (stretched,) = as_shown((own,), (128, 96), (256, 96), "none")
    for place in (-0.5, 63.5, 127.5):
        twice = np.array([(place + 0.5) * 2 - 0.5, 10, 0, 1])
        assert matrix_of(stretched) @ twice == pytest.approx(placed(3) @ [place, 10, 0, 1])


def test_a_picture_without_combs_keeps_its_own_pose() -> None:
    """It comes out when the next one has come in."""
    sent = b"".join(
        transform(turned(number, 0, 0, 0), 10 + number / RATE)
        + image(placed(number), 10 + number / RATE, numbered(number)[None])
        for number in (3, 7, 15, 31)
    )
    packets = got(sent, 3, options=PictureOptions(deinterlace="on"))
    for packet, number in zip(packets, (3, 7, 15), strict=True):
        assert matrix_of(packet.poses[0]) == pytest.approx(placed(number), abs=1e-4)
        assert matrix_of(packet.poses[1]) == pytest.approx(turned(number, 0, 0, 0), abs=1e-6)


def test_a_sender_that_says_nothing_of_the_place_gets_no_pose(caplog: pytest.LogCaptureFixture) -> None:
    plain = struct.pack("> H B B B B 3H", 1, 1, 3, 2, 2, 8, 6, 1)
    nothing = (1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    header = plain + struct.pack("> 12f 6H", *nothing, 0, 0, 0, 8, 6, 1)
    packets = got(image(None) + message("IMAGE", header + ROWS.tobytes(), name=DEVICE), 2)
    assert [packet.poses for packet in packets] == [(), ()]
    assert not caplog.records, "nothing is wrong with that"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("POSITION", struct.pack("> 7f", 1, 2, 3, 0, 0, math.sin(0.3), math.cos(0.3))),
        ("QTDATA", struct.pack("> 20s B x 7f", b"Tool", 1, 1, 2, 3, 0, 0, math.sin(0.3), math.cos(0.3))),
        (
            "TDATA",
            struct.pack(
                "> 20s B x 12f", b"Tool\0rest", 1, math.cos(0.6), math.sin(0.6), 0, -math.sin(0.6),
                math.cos(0.6), 0, 0, 0, 1, 1, 2, 3,
            ),
        ),
    ],
)  # fmt: skip
def test_all_messages_with_poses_are_read(kind: str, content: bytes) -> None:
    (packet,) = got(message(kind, content) + image(None))
    (pose,) = packet.poses
    s, c = math.sin(0.6), math.cos(0.6)
    expected = [[c, -s, 0, 1], [s, c, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]
    assert pose.name == "Tool"
    assert matrix_of(pose) == pytest.approx(np.array(expected), abs=1e-6)


def test_several_transforms_are_known_by_name_and_their_names_are_cleaned() -> None:
    names = ["ReferenceToTracker", "ProbeToTracker", "=a\x1b[2J\u202eb", ""]
    sent = b"".join(transform(turned(i, i, 0, 0), name=name) for i, name in enumerate(names))
    (packet,) = got(sent + transform(turned(9, 9, 0, 0), name=names[0]) + image(None))
    assert [pose.name for pose in packet.poses] == [
        "=a?[2J?b", "ProbeToTracker", "ReferenceToTracker", "transform",
    ]  # fmt: skip
    assert packet.poses[2].matrix[3] == 9, "the newest counts"


def test_no_more_transforms_are_known_than_are_meant_to_be(caplog: pytest.LogCaptureFixture) -> None:
    sent = b"".join(transform(turned(i, 0, 0, 0), name=f"T{i:02d}") for i in range(MOST_NAMES + 5))
    (packet,) = got(sent + image(None))
    assert len(packet.poses) == MOST_NAMES
    assert [record.message for record in caplog.records] == [
        "A pose was left out: more than 16 transforms come at a time. Others of this connection may be, too"
    ]


def test_old_names_make_room() -> None:
    poses = Poses()
    for number in range(3 * MOST_NAMES):
        content = transform(turned(0, 0, 0, 0), name=f"T{number}")
        poses.take(read_head(content[:HEAD_BYTES]), bytearray(content[HEAD_BYTES:]), number * MOST_AGE_S)
    found = coming_with(poses, (3 * MOST_NAMES - 1) * MOST_AGE_S)
    assert [pose.name for pose in found] == ["T46", "T47"]


def coming_with(poses: Poses, now_s: float, stamp_s: float = 0.0) -> tuple[Pose, ...]:
    sent = image(None, stamp_s)
    head = read_head(sent[:HEAD_BYTES])
    return poses.with_picture(read_picture(head, bytearray(sent[HEAD_BYTES:])), head, now_s)


@pytest.mark.parametrize(
    ("stamp_s", "came_s", "picture_stamp_s", "now_s", "age_s"),
    [
        (100.0, 7.0, 100.04, 7.01, 0.04),  # by both stamps
        (100.04, 7.0, 100.0, 7.01, -0.04),  # measured after the picture
        (0.0, 7.0, 100.0, 7.2, 0.2),  # by arrival, where there are no two stamps
        (100.0, 7.0, 0.0, 7.2, 0.2),
        (100.0, 7.0, 100.0, 7.0 + 1.1 * MOST_AGE_S, None),  # the tracker fell silent
        (0.0, 7.0, 0.0, 7.0 + 1.1 * MOST_AGE_S, None),
        (100.0, 7.0, 100.0 + 1.1 * MOST_AGE_S, 7.0, None),  # it sends what it knew long ago
        (100.0, 7.0, 100.0 - 1.1 * MOST_AGE_S, 7.0, None),  # its clock is another
    ],
)
def test_a_pose_of_another_time_is_left_out(
    stamp_s: float, came_s: float, picture_stamp_s: float, now_s: float, age_s: float | None,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    poses = Poses()
    content = transform(turned(1, 1, 2, 3), stamp_s)
    poses.take(read_head(content[:HEAD_BYTES]), bytearray(content[HEAD_BYTES:]), came_s)
    found = coming_with(poses, now_s, picture_stamp_s)
    if age_s is None:
        assert found == ()
        assert "it is of another time than the picture" in caplog.text
    else:
        assert [pose.age_s for pose in found] == [pytest.approx(age_s, abs=1e-6)]
        assert not caplog.records


def test_poses_are_forgotten_with_their_connection() -> None:
    first = transform(turned(1, 1, 2, 3)) + image(None)
    with Sender(first, image(None), stays=False) as sender, closing(opened(sender.url)) as source:
        one, other = taken(source, 2)
        source.interrupt()
    assert [len(packet.poses) for packet in (one, other)] == [1, 0]


def spoilt(*changes: tuple[int, int, float]) -> NDArray[np.float64]:
    matrix = turned(5, 1, 2, 3)
    for row, column, value in changes:
        matrix[row, column] = value
    return matrix


GARBAGE = {
    "NaN": spoilt((0, 0, math.nan)),
    "nowhere": spoilt((1, 3, math.nan)),
    "infinite": spoilt((2, 3, math.inf)),
    "far away": spoilt((0, 3, 2e5)),
    "singular": np.zeros((4, 4)),
    "flat": turned(5, 1, 2, 3) @ np.diag([1, 1, 0, 1.0]),
    "huge": turned(5, 1, 2, 3) @ np.diag([1, 1e30, 1, 1.0]),
    "sheared": turned(5, 1, 2, 3) @ np.array([[1, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    "doubled": turned(5, 1, 2, 3)[:, [0, 0, 2, 3]],
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_no_pose_and_the_pictures_go_on(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with np.errstate(all="ignore"):
        sent = transform(GARBAGE[name]) + image(GARBAGE[name]) + image(placed(2))
    packets = got(sent * 2, 4)
    assert [len(packet.poses) for packet in packets] == [0, 1, 0, 1]
    assert all(np.array_equal(packet.pixels, ROWS) for packet in packets)
    assert len(caplog.records) == 1, "told once a connection"
    assert caplog.records[0].levelno == logging.WARNING
    assert caplog.records[0].message.startswith("A pose was left out: ")


@pytest.mark.parametrize(
    "sent",
    [
        message("TRANSFORM", b"\0" * 47),
        message("TRANSFORM", b""),
        message("TRANSFORM", b"\0" * 70_000),
        message("POSITION", b"\0" * 12),
        message("POSITION", struct.pack("> 7f", 1, 2, 3, 0, 0, 0, 0)),
        message("POSITION", struct.pack("> 7f", 1, 2, 3, math.nan, 0, 0, 1)),
        message("TDATA", b"\0" * 71),
        message("QTDATA", b"\xff" * 50),
        transform(turned(1, 1, 2, 3), version=2)[:HEAD_BYTES] + b"\xff" * 62,
    ],
)
def test_damaged_messages_are_no_poses_and_the_pictures_go_on(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    # More of them than a stream of damaged pictures may have.
    packets = got((sent * 60 + image(placed(2))) * 2, 2)
    assert [len(packet.poses) for packet in packets] == [1, 1]
    assert len(caplog.records) == 1


def test_whatever_bytes_come_poses_are_sane() -> None:
    rng = np.random.default_rng(4)
    kept = 0
    for _ in range(2000):
        kind = ("TRANSFORM", "POSITION", "TDATA", "QTDATA")[rng.integers(4)]
        size = {"TRANSFORM": 48, "POSITION": 28, "TDATA": 70, "QTDATA": 50}[kind]
        if kind == "TRANSFORM" and rng.random() < 0.7:
            content = bytearray(transform(turned(int(rng.integers(100)), 1, 2, 3))[HEAD_BYTES:])
            for place in rng.integers(0, size, rng.integers(0, 3)):
                content[place] = rng.integers(256)
        else:
            content = bytearray(rng.integers(0, 256, size + rng.integers(0, 2), np.uint8).tobytes())
        poses = Poses()
        whole = message(kind, bytes(content))
        poses.take(read_head(whole[:HEAD_BYTES]), content, 1.0)
        for pose in coming_with(poses, 1.0):
            axes = matrix_of(pose)[:3, :3]
            assert np.isfinite(matrix_of(pose)).all()
            assert abs(np.linalg.det(axes / np.linalg.norm(axes, axis=0))) > 0.8
            assert len(pose.name) <= 64
            assert pose.name.isprintable()
            kept += 1
    assert kept > 100
