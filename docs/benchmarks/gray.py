"""What gray costs of a frame of video: from its luma, and from its RGB.

python docs/benchmarks/gray.py scan.mp4 [--frames 60] [--rounds 8]

Processor time on one core, medians over frames and rounds, in which both ways take turns on the same decoded
frames. A frame is prepared as for the network: is it live, where is the picture, crop and resize.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np

from semc_core.model.file import read_spec
from semc_core.paths import DEFAULT_MODEL
from semc_core.picture import Picture
from semc_core.pipeline.stages import PreparationStage
from semc_core.sources.frames.decoded import picture_of
from semc_core.types import FramePacket

RATE = 30


def from_rgb(frame: av.VideoFrame) -> Picture:
    """A picture that knows its RGB only."""
    return Picture(np.asarray(frame.to_ndarray(format="rgb24", threads=1), np.uint8))


WAYS: dict[str, Callable[[av.VideoFrame], Picture]] = {"luma": picture_of, "RGB": from_rgb}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=8)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    with av.open(str(args.file)) as container:
        frames = list(itertools.islice(container.decode(video=0), args.frames))
    taken: dict[str, list[float]] = defaultdict(list)
    preprocessing = read_spec(DEFAULT_MODEL).preprocessing
    for _ in range(args.rounds):
        stages = {name: PreparationStage(preprocessing) for name in WAYS}
        for index, frame in enumerate(frames):
            for name, way in WAYS.items():
                begun_s = time.process_time()
                picture = way(frame)
                kept_s = time.process_time()
                _ = picture.gray
                gray_s = time.process_time()
                stages[name].look(FramePacket("scan", index, index / RATE, 0.0, picture))
                end_s = time.process_time()
                parts = {"kept": kept_s - begun_s, "gray": gray_s - kept_s, "prepared": end_s - gray_s}
                for part, seconds in {**parts, "all": end_s - begun_s}.items():
                    taken[f"{name}: {part}"].append(1000 * seconds)
            begun_s = time.process_time()
            _ = picture_of(frame).pixels
            taken["RGB for the screen"].append(1000 * (time.process_time() - begun_s))
    for name, measured in taken.items():
        print(f"{name:20} {statistics.median(measured):.2f} ms")


if __name__ == "__main__":
    main()
