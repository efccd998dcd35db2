"""Poses that a sender of OpenIGTLink sends: of its pictures, and of what is tracked beside them.

The matrix of an IMAGE holds the directions of its axes, as long as a pixel is in millimetres, and the place
of the picture's middle. TRANSFORM holds a 4 x 4 matrix column by column, TDATA many of them with names of
their own; POSITION and QTDATA hold places and quaternions.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.picture_options import Flip
from semc_core.pose import Matrix, Pose
from semc_core.sources.live.igtl_messages import DamagedMessage, Head, RawPicture, checked_content

_LOG = logging.getLogger(__name__)

TRANSFORM: Final = "TRANSFORM"
KINDS: Final = (TRANSFORM, "POSITION", "TDATA", "QTDATA")
MOST_BYTES: Final = 1 << 16
"""Of a message with poses: hundreds of them have fewer."""
MOST_NAMES: Final = 16
"""Transforms that are known at a time."""
MOST_AGE_S: Final = 0.5
"""Between a transform and a picture that it goes along with."""
_LONGEST_NAME: Final = 64
_MATRIX: Final = struct.Struct("> 12f")
_POSITION: Final = struct.Struct("> 3f 4f")
_TDATA: Final = struct.Struct("> 20s B x 12f")
_QTDATA: Final = struct.Struct("> 20s B x 3f 4f")
_LEAST_LENGTH, _MOST_LENGTH = 1e-4, 1e4
"""Of an axis."""
_FARTHEST_MM: Final = 1e5
_MOST_ASLANT: Final = 0.05
"""Cosine between two axes, or how far the length of a quaternion is from 1."""


class NoPose(Exception):
    """What came is none; its text says why, to go on after "A pose was left out: "."""


@dataclass(frozen=True, slots=True)
class _Came:
    matrix: Matrix
    stamp_s: float
    at_s: float


class Poses:
    """The newest transforms of one connection. Used by one thread. Nothing that comes is an error."""

    def __init__(self) -> None:
        self._newest: dict[str, _Came] = {}
        self._told = False

    def take(self, head: Head, body: bytearray, now_s: float) -> None:
        """A message of one of `KINDS` that came then, `time.monotonic()`."""
        try:
            for name, matrix in _transforms(head, body):
                self._keep(name, _Came(matrix, head.stamp_s, now_s))
        except DamagedMessage:
            self.left_out("its message is damaged")
        except NoPose as why:
            self.left_out(str(why))

    def left_out(self, why: str) -> None:
        """Log the first pose that is not kept; a sender may go on so for hours."""
        if not self._told:
            self._told = True
            _LOG.warning("A pose was left out: %s. Others of this connection may be, too", why)

    def with_picture(self, picture: RawPicture, head: Head, now_s: float) -> tuple[Pose, ...]:
        """Those that go along with a picture: its own as it was sent first, then transforms by name.

        Args:
            picture: See `read_picture`.
            head: Of its message.
            now_s: When it came, `time.monotonic()`.
        """
        poses = []
        try:
            matrix = _picture_matrix(picture)
            if matrix is not None:
                poses.append(Pose("", matrix, picture.coordinates, head.stamp_s))
        except NoPose as why:
            self.left_out(str(why))
        for name, came in sorted(self._newest.items()):
            waited_s = now_s - came.at_s
            age_s = head.stamp_s - came.stamp_s if head.stamp_s and came.stamp_s else waited_s
            if max(waited_s, abs(age_s)) <= MOST_AGE_S:
                poses.append(Pose(name, came.matrix, "", came.stamp_s, age_s))
            else:
                self.left_out("it is of another time than the picture")
        return tuple(poses)

    def _keep(self, name: str, came: _Came) -> None:
        if name not in self._newest and len(self._newest) >= MOST_NAMES:
            self._newest = {
                known: each for known, each in self._newest.items() if came.at_s - each.at_s <= MOST_AGE_S
            }
            if len(self._newest) >= MOST_NAMES:
                raise NoPose(f"more than {MOST_NAMES} transforms come at a time")
        self._newest[name] = came


def _transforms(head: Head, body: bytearray) -> Iterator[tuple[str, Matrix]]:
    """Names and matrices of a message. Raises DamagedMessage or NoPose."""
    content = bytes(checked_content(head, body))
    if head.kind in ("TDATA", "QTDATA"):
        element = _TDATA if head.kind == "TDATA" else _QTDATA
        if len(content) % element.size:
            raise DamagedMessage
        for name, _, *numbers in element.iter_unpack(content):
            yield _cleaned(name.partition(b"\0")[0].decode("utf-8", "replace")), _matrix(numbers)
        return
    form = _MATRIX if head.kind == TRANSFORM else _POSITION
    if len(content) != form.size:
        raise DamagedMessage
    yield _cleaned(head.device), _matrix(form.unpack(content))


def _cleaned(name: str) -> str:
    """A name without what cannot be shown; that of nobody is "transform"."""
    shown = "".join(each if each.isprintable() else "?" for each in name.partition("\0")[0])
    return shown[:_LONGEST_NAME].strip() or "transform"


def _matrix(numbers: Sequence[float]) -> Matrix:
    """A matrix of 12 numbers, column by column, or of a place and a quaternion. Raises NoPose."""
    if len(numbers) == 12:
        return _sane(np.array(numbers, np.float64).reshape(4, 3).T)
    place, (x, y, z, w) = numbers[:3], numbers[3:]
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if not abs(length - 1) <= _MOST_ASLANT:
        raise NoPose("it is no rotation")
    x, y, z, w = x / length, y / length, z / length, w / length
    return _sane(
        np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), place[0]],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), place[1]],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), place[2]],
            ]
        )
    )


def _picture_matrix(picture: RawPicture) -> Matrix | None:
    """From its pixels to millimetres; None where the sender says nothing. Raises NoPose."""
    axes = np.array(picture.geometry, np.float64).reshape(4, 3).T
    halves = [(side - 1) / 2 for side in picture.sides]
    if np.array_equal(axes[:, :3], np.eye(3)) and (not axes[:, 3].any() or np.allclose(axes[:, 3], halves)):
        # What the protocol's libraries send where nobody says anything.
        return None
    _sane(axes)
    # Along rows, along columns, and out of the picture: some senders put the single slice first.
    order = sorted(range(3), key=lambda axis: picture.sides[axis] == 1)
    first = axes[:, 3] - axes[:, :3] @ halves
    return _sane(np.column_stack([axes[:, order], first]))


def as_shown(
    poses: tuple[Pose, ...], sent: tuple[int, int], shown: tuple[int, int], flip: Flip
) -> tuple[Pose, ...]:
    """The poses of a picture that is shown stretched or mirrored: its own leads from the pixels shown.

    Args:
        poses: As `Poses.with_picture` gave them.
        sent: Width and height of the picture as it was sent.
        shown: The same as it is shown.
        flip: How it is shown mirrored; see `PictureOptions`.
    """
    if not poses or poses[0].name or (sent == shown and flip == "none"):
        return poses
    rows = np.array(poses[0].matrix).reshape(3, 4)
    for axis, mirrored in enumerate((flip in ("horizontal", "180"), flip in ("vertical", "180"))):
        step = sent[axis] / shown[axis]
        # The middle of the first pixel shown, in pixels as they were sent.
        place = (shown[axis] - 0.5 if mirrored else 0.5) * step - 0.5
        rows[:, 3] += rows[:, axis] * place
        rows[:, axis] *= -step if mirrored else step
    return (replace(poses[0], matrix=_rounded(rows)), *poses[1:])


def _sane(rows: NDArray[np.float64]) -> Matrix:
    """Three rows of four as a matrix.

    Raises:
        NoPose: They cannot be one.
    """
    if not np.isfinite(rows).all():
        raise NoPose("a number of it is not finite")
    if np.abs(rows[:, 3]).max() > _FARTHEST_MM:
        raise NoPose("it is farther away than 100 m")
    lengths = np.linalg.norm(rows[:, :3], axis=0)
    if not (lengths.min() >= _LEAST_LENGTH and lengths.max() <= _MOST_LENGTH):
        raise NoPose("an axis of it has no length, or far too much")
    axes = rows[:, :3] / lengths
    if np.abs(axes.T @ axes - np.eye(3)).max() > _MOST_ASLANT:
        raise NoPose("its axes stand at no right angles")
    return _rounded(rows)


def _rounded(rows: NDArray[np.float64]) -> Matrix:
    """With so many digits that numbers of 32 bits stay what they were."""
    return tuple(float(f"{number:.9g}") for number in rows.ravel().tolist())  # type: ignore[return-value]
