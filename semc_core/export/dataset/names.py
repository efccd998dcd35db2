"""The names of the formats that come with the program, as they are typed."""

from __future__ import annotations

from typing import Final

NAMES: Final = ("coco", "yolo", "yolo-detect", "monai", "imagefolder")
