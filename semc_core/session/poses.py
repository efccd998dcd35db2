"""Where a session's frames were in space, if a sender says so: entries of its log, written with the frames.

Names of transforms are hidden, as all is that may name a patient (`vault`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final

from typing_extensions import TypedDict

from semc_core.io.documents import STRICT, Document, configured
from semc_core.io.rules import one_of
from semc_core.pose import FramePoses, Matrix, Pose
from semc_core.session.audit_log import AuditEvent
from semc_core.session.frame_table import FrameRow
from semc_core.session.records import MODEL

POSES: Final = "poses"
"""Kind of the entries."""
_FRAMES_AT_ONCE: Final = 200
"""In one entry: a second or two of a scan, or what waited for the disk in parts."""


@configured(STRICT)
class PosesPayload(TypedDict):
    """What an entry says.

    Attributes:
        names: Of transforms, hidden; "" is a picture.
        poses: Each by the index of its frame, the place of its name in `names`, its coordinates, its stamp
            and its age in seconds, and the three upper rows of its matrix.
    """

    names: list[str]
    poses: list[tuple[int, int, Annotated[str, one_of("", "RAS", "LPS")], float, float, Matrix]]


FRAME_POSES: Final = Document(PosesPayload)


def poses_notes(rows: Sequence[FrameRow], hide: Callable[[str], str]) -> Iterator[AuditEvent]:
    """The entries for frames that are written together; none where no frame has a pose."""
    posed = [row for row in rows if row.poses]
    for first in range(0, len(posed), _FRAMES_AT_ONCE):
        part = posed[first : first + _FRAMES_AT_ONCE]
        names = sorted({pose.name for row in part for pose in row.poses})
        numbers = {name: number for number, name in enumerate(names)}
        poses = [
            [row.index, numbers[each.name], each.coordinates, each.stamp_s, each.age_s, list(each.matrix)]
            for row in part
            for each in row.poses
        ]
        yield AuditEvent(MODEL, POSES, {"names": [hide(name) for name in names], "poses": poses})


def frame_poses(payload: str, reveal: Callable[[str], str]) -> list[FramePoses]:
    """What an entry says, frame by frame.

    Raises:
        ValueError: It is not as this program writes it.
    """
    told = FRAME_POSES.parse(payload)
    names = [reveal(name) for name in told["names"]]
    found: dict[int, list[Pose]] = {}
    for index, number, coordinates, stamp_s, age_s, matrix in told["poses"]:
        if not 0 <= number < len(names):
            raise ValueError("a pose without a name")
        found.setdefault(index, []).append(Pose(names[number], matrix, coordinates, stamp_s, age_s))
    return [(index, tuple(poses)) for index, poses in found.items()]
