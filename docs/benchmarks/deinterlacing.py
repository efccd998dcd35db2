"""What removing combs costs per frame of 1920x1080: `python -m docs.benchmarks.deinterlacing`."""

from __future__ import annotations

import time
from fractions import Fraction

import av
import numpy as np

from semc_core.picture_options import AS_IT_IS
from semc_core.sources.devices import contents
from semc_core.sources.frames.deinterlace import Deinterlacer, deinterlaced
from semc_core.sources.frames.watched import PictureWatch

_FRAMES = 40
_FORMS = ("yuv420p", "yuv422p", "gbrp")


def _woven(number: int, form: str) -> av.VideoFrame:
    picture = contents.sweep(number / 25, 1920, 1080)
    picture[1::2] = contents.sweep((number + 0.5) / 25, 1920, 1080)[1::2]
    frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=form)
    frame.pts, frame.time_base = number, Fraction(1, 25)
    return frame


def main() -> None:
    """Print milliseconds of processor time."""
    print("| form | in order, ms | one by itself, ms |\n|---|---|---|")
    for form in _FORMS:
        frames = [_woven(number, form) for number in range(4)]
        deinterlacer: Deinterlacer[int] = Deinterlacer("on")
        began = time.process_time()
        given = sum(1 for n in range(_FRAMES) for _ in deinterlacer.put(frames[n % 4], n))
        in_order = (time.process_time() - began) / given * 1000
        began = time.process_time()
        for _ in range(_FRAMES // 4):
            deinterlaced(*frames[:3])
        alone = (time.process_time() - began) / (_FRAMES // 4) * 1000
        print(f"| {form} | {in_order:.1f} | {alone:.1f} |")
    luma = [np.ascontiguousarray(_woven(n, "gray").to_ndarray()) for n in range(4)]
    watch = PictureWatch(AS_IT_IS)
    began = time.process_time()
    for number in range(320):
        watch.saw(luma[0 if number else 1], True, number / 25)
    print(f"Watching levels and combs: {(time.process_time() - began) / 320 * 1000:.2f} ms a frame.")


if __name__ == "__main__":
    main()
