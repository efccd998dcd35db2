"""Decoding by the graphics card: taken where there is one that can, else said."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from semc_core.sources import accelerated
from semc_core.sources.accelerated import open_to_decode
from semc_core.sources.containers import open_container
from semc_core.sources.open import open_source
from semc_core.sources.video import VideoSource
from tests.sources.capture_clips import write_video

COUNT = 12


class Card:
    """A decoder's context that says it is one of a graphics card."""

    is_hwaccel = True


class Opened:
    """A container as `accelerated` looks at it."""

    def __init__(self, container: InputContainer, context: object) -> None:
        self.closed = False
        self._container = container
        self.streams = type("Streams", (), {"video": [type("Stream", (), {"codec_context": context})]})

    def close(self) -> None:
        self.closed = True
        self._container.close()


def gray_of(path: Path, **options: Any) -> list[np.ndarray[Any, Any]]:
    with closing(open_source(str(path), **options)) as source:
        found = []
        while (packet := source.read()) is not None:
            found.append(packet.gray)
        return found


def test_without_a_card_that_can_the_cpu_decodes_the_same_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", COUNT)

    def refused(path: Path, wanted: HWAccel | None = None) -> InputContainer:
        if wanted is not None:
            raise av.error.PermissionError(1, "Operation not permitted")
        return open_container(path)

    monkeypatch.setattr(accelerated, "open_container", refused)
    with closing(VideoSource(path, decode="gpu")) as source:
        assert "No graphics card that decodes h264 is there: the CPU decodes." in source.info.notice
    by_card, by_cpu = gray_of(path, decode="gpu"), gray_of(path)
    assert len(by_card) == COUNT
    assert all(np.array_equal(one, other) for one, other in zip(by_card, by_cpu, strict=True))


@pytest.mark.parametrize("decode", ["auto", "cpu"])
def test_the_cpu_decodes_unless_the_card_is_asked_for(
    decode: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", COUNT)
    monkeypatch.setattr(accelerated, "hwdevices_available", lambda: pytest.fail("looked for a card"))
    with closing(VideoSource(path, decode=decode)) as source:
        assert source.info.notice == ""


def test_of_several_ways_the_first_that_can_is_taken_and_the_others_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", COUNT)
    opened: list[Opened] = []

    def open_by(path: Path, wanted: HWAccel | None = None) -> Any:
        if wanted is None:
            return open_container(path)
        # The first device is there and does not know the coding; the second does.
        opened.append(
            Opened(open_container(path), Card() if opened else type("No", (), {"is_hwaccel": False}))
        )
        return opened[-1]

    monkeypatch.setattr(accelerated, "open_container", open_by)
    monkeypatch.setattr(accelerated, "hwdevices_available", lambda: ["qsv", "cuda", "drm"])
    container, said = open_to_decode(path, "gpu")
    assert (len(opened), opened[0].closed, opened[1].closed) == (2, True, False)
    assert id(container) == id(opened[1])
    assert "damaged frames are not found out" in said
    container.close()
