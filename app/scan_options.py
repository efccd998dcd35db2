"""What to scan and how: for one scan, for one capture card, and as the command line says it. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from semc_core.picture_options import AS_IT_IS, PictureOptions

if TYPE_CHECKING:
    from semc_core.io.video_quality import Quality
    from semc_core.session.examination import Examination
    from semc_core.sources.devices.true_delay import TrueDelay
    from semc_core.sources.open import Images
    from semc_core.sources.raw.tap import RawTap
    from semc_core.types import SourceInfo


def _no_tap() -> RawTap:
    from semc_core.sources.raw.tap import RawTap

    return RawTap(keeping=False)


@dataclass(frozen=True, slots=True)
class CardChoice:
    """What the user chose for one capture card, or one stream, which has no modes.

    Attributes:
        mode: As it is typed, "1920x1080@60,mjpg"; "" for the best that it has.
        options: How its pictures are read.
    """

    mode: str = ""
    options: PictureOptions = AS_IT_IS


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What to scan, and how.

    Attributes:
        source: What `semc_core.sources.open.open_source` understands.
        model: Model file.
        device: "auto", "cpu" or "cuda".
        output: Below it each scan gets a folder.
        record: Record the whole scan in this quality; None records when the user says so.
        clips: Whether a clip is saved with every plane.
        images: What a folder of images is; see `semc_core.sources.open.open_source`.
        mode: Asked of a camera; None leaves it to `cards`, or chooses the best.
        options: How its pictures are read; None leaves it to `cards`.
        cards: What was chosen for capture cards and streams, by `semc_core.sources.open.remembered_by`.
        delays: What was measured from glass to overlay, by `true_delay.device_key`.
        tap: Keeps what comes of a camera or a stream, undecoded, from when it is told to.
        model_name: What the model is called; "" for what its file is.
        protocol: Whose checklist goes with it: see `app.choices.Choices`.
        examination: That the scan belongs to, or None.
    """

    source: str
    model: Path
    device: str
    output: Path
    record: Quality | None = None
    clips: bool = True
    images: Images = "auto"
    mode: str | None = None
    options: PictureOptions | None = None
    cards: Mapping[str, CardChoice] = field(default_factory=dict)
    delays: Mapping[str, TrueDelay] = field(default_factory=dict)
    tap: RawTap = field(default_factory=_no_tap, compare=False)
    model_name: str = ""
    protocol: str = "auto"
    examination: Examination | None = None

    def for_source(self, key: str) -> CardChoice:
        """Mode and picture options for what is kept by this: what was said now, or was chosen before."""
        kept = self.cards.get(key, CardChoice())
        return CardChoice(self.mode or kept.mode, kept.options if self.options is None else self.options)

    def delay_of(self, info: SourceInfo | None) -> TrueDelay | None:
        """What was measured of this source from glass to overlay; None where nothing was."""
        from semc_core.sources.devices.true_delay import device_key

        return None if info is None else self.delays.get(device_key(info))


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says instead of the settings; None leaves it to them. Not remembered."""

    model: Path | None = None
    device: str | None = None
    output: Path | None = None
    record: Quality | None = None
    clips: bool = True
    protocol: str | None = None
    data: Path | None = None
    images: Images = "auto"
    mode: str | None = None
    options: PictureOptions | None = None
    tap: bool = False
