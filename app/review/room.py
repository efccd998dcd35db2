"""How the review page shares its height: pure arithmetic. No Qt here."""

from __future__ import annotations

from typing import Final

_MANY_LANES: Final = 10
_SHARE: Final = 0.26
_SHARE_OF_MANY: Final = 0.36


def timeline_height(page: int, lanes: int, least: int, preferred: int, most: int) -> int:
    """How high the time line is: a share of the page, as large as it needs, and the picture keeps its own.

    Args:
        page: Height of the page, pixels; as all below.
        lanes: How many it has.
        least: At which its names can be read.
        preferred: More than this it has no use for.
        most: What the picture, in its smallest, and the other parts leave.
    """
    share = round((_SHARE if lanes < _MANY_LANES else _SHARE_OF_MANY) * page)
    return max(1, min(max(share, least), preferred, most))
