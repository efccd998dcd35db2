"""THIRD_PARTY.md, made of what is installed: `python -m tests.licences_page` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.licences import EXTRAS, ROOT, Part, parts, pinned

PAGE: Final = ROOT / "THIRD_PARTY.md"

AV_LIBRARIES: Final = {
    "FFmpeg": ("LGPL-3.0-or-later by itself; beside x264 and x265 the GPL holds for the whole", (
        "avcodec", "avdevice", "avfilter", "avformat", "avutil", "swresample", "swscale")),
    "**x264**": ("**GPL-2.0-or-later**", ("x264",)),
    "**x265**": ("**GPL-2.0-or-later**", ("x265",)),
    "SVT-AV1": ("BSD-3-Clause-Clear", ("SvtAv1Enc",)),
    "dav1d": ("BSD-2-Clause", ("dav1d",)),
    "libvpx": ("BSD-3-Clause", ("vpx",)),
    "libwebp": ("BSD-3-Clause", ("webp", "webpmux", "sharpyuv")),
    "LAME": ("LGPL-2.0-or-later", ("mp3lame",)),
    "Opus": ("BSD-3-Clause", ("opus",)),
    "OpenCORE AMR": ("Apache-2.0", ("opencore-amrnb", "opencore-amrwb")),
    "GnuTLS": ("LGPL-2.1-or-later", ("gnutls",)),
    "Nettle": ("LGPL-3.0-or-later OR GPL-2.0-or-later", ("nettle", "hogweed")),
    "GMP": ("LGPL-3.0-or-later OR GPL-2.0-or-later", ("gmp",)),
    "libunistring": ("LGPL-3.0-or-later OR GPL-2.0-or-later", ("unistring",)),
    "oneVPL": ("MIT", ("vpl",)),
    "ALSA": ("LGPL-2.1-or-later", ("asound",)),
    "libdrm": ("MIT", ("drm",)),
    "XCB, Xau": ("MIT", ("xcb", "xcb-shape", "xcb-shm", "xcb-xfixes", "Xau")),
}  # fmt: skip
"""What PyAV's wheel for Linux holds: the licence of each, and its files as `lib` and this name."""

OTHER_SYSTEMS: Final = (
    "cv2-enumerate-cameras", "pyobjc-core", "pyobjc-framework-avfoundation", "pyobjc-framework-cocoa",
    "pyobjc-framework-coreaudio", "pyobjc-framework-coremedia", "pyobjc-framework-quartz",
)  # fmt: skip
"""Pinned for macOS and Windows, and under the MIT licence."""

_BEGIN: Final = """\
# Parts of others

Written by `python -m tests.licences_page` from what is installed; a test holds it against that, and every
licence against an allow-list (`tests/licences.py`).

SEMC Live is under the Apache License 2.0 (`LICENSE`). pip installs the parts below beside it; nothing of
them is in this repository but what stands under "In the repository".

## The one exception: x264 and x265

The wheel of PyAV (`av`) holds FFmpeg and the libraries that FFmpeg uses, among them x264 and x265, encoders
under the GPL. FFmpeg is linked with them, so they are loaded wherever a video is read. SEMC Live encodes by
neither: recordings are FFV1 or JPEG, clips VP9, simulated scans MPEG-4 (`tests/test_encoders.py` reads every
call that chooses an encoder). Who passes on SEMC Live together with that wheel, in an installer say, passes
on parts under the GPL and must keep to it for them and for the FFmpeg that is linked with them; or builds
PyAV on an FFmpeg without the two: H.264 and HEVC are decoded by FFmpeg itself.

| in PyAV's wheel (Linux) | licence |
|---|---|
"""
_REPOSITORY: Final = """
Other wheels hold libraries of others, too, which their own licence files name. The FFmpeg in OpenCV's is
without x264 and x265.

## In the repository

| | | licence |
|---|---|---|
"""
_DATA: Final = "names the data sets (CC BY 4.0, CC BY 2.0, CC0) and their authors"
_ASSETS: Final = (
    ("`assets/fonts`", "Noto Sans, for the report as PDF", "SIL Open Font License 1.1"),
    (
        "`assets/models/semc_live.safetensors`",
        "weights, trained on simulated scans ([card](assets/models/semc_live.md))",
        "Apache-2.0",
    ),
    (
        "`assets/models/fetal.safetensors`",
        f"SonoNet-16 (Apache-2.0) with a last layer of its own; [its card](assets/models/fetal.md) {_DATA}",
        "Apache-2.0, with those credits",
    ),
    (
        "`assets/measure/head.safetensors`",
        f"weights; [its card](assets/measure/head.md) {_DATA}",
        "Apache-2.0, with those credits",
    ),
    (
        "`assets/region/picture.safetensors`",
        "weights, of drawn screens with [parts of pictures](docs/region.md) (CC BY 4.0, CC0)",
        "Apache-2.0, with those credits",
    ),
    (
        "`assets/demonstration`",
        "real fetal planes as a loop, of the data sets FETAL_PLANES_DB (Burgos-Artizzu et al.) and Maternal "
        "fetal US planes from low-resource settings (Sendra-Balcells et al.); [whose each is, and what was "
        "changed](assets/demonstration/LICENCE.md)",
        "CC BY 4.0",
    ),
    (
        "`assets/sound`",
        "a tone, made by `tests/app/saved_tone.py` of this program",
        "CC0 1.0",
    ),
    (
        "`assets/protocols`, the pictures `fetal-*.jpg`",
        "real fetal planes of the data set FETAL_PLANES_DB (Burgos-Artizzu et al.); [which each is, and what "
        "was changed](assets/protocols/LICENCE.md)",
        "CC BY 4.0",
    ),
    (
        "`assets/protocols` but for these, `assets/icons`, `assets/report`",
        "made for this program; each protocol names what it follows",
        "Apache-2.0",
    ),
)
_AFTER: Final = (
    "\nBut for the eleven pictures of the demonstration and six of the protocols the data sets are not in it."
    " `semc data get` shows a data set's licence before it downloads it.\n"
)
_TITLES: Final = {
    "": ("To run the program", "What `pip install -e .` installs."),
    "cuda": ("To use an NVIDIA GPU", "What the extra `cuda` adds; `train` needs it, too."),
    "train": ("To train", "What the extra `train` adds."),
    "ocr": ("To read text in pictures", "What the extra `ocr` adds; its models are part of RapidOCR."),
    "cluster": ("To run archives", "What the extra `cluster` adds."),
    "onnx": ("To write ONNX", "What the extra `onnx` adds."),
    "fhir": ("To write FHIR", "What the extra `fhir` adds."),
    "search": ("To search for the choices of a training", "What the extra `search` adds."),
    "http": ("To answer by HTTP", "What the extra `http` adds."),
    "web": ("For DICOMweb services", "What the extra `web` adds."),
    "dev": ("To test", "What the extra `dev` adds; not needed to use the program."),
    "docs": ("To build the site", "What the extra `docs` adds; not needed to use the program."),
}  # fmt: skip


def page() -> str:
    """The whole page."""
    return "\n".join(_lines(parts()))


def row_of(part: Part) -> str:
    """A part's line."""
    return f"| {part.name} | {part.version} | {part.licence.replace('LicenseRef-', '')} |"


def fixed() -> list[str]:
    """What does not depend on what is installed here: text, in the order of the page."""
    libraries = [f"| {name} | {licence} |" for name, (licence, _) in AV_LIBRARIES.items()]
    headings = [f"## {title}\n\n{about}\n" for title, about in _TITLES.values()]
    assets = [f"| {name} | {what} | {licence} |" for name, what, licence in _ASSETS]
    held = _REPOSITORY + "\n".join(assets) + "\n" + _AFTER
    return [_BEGIN + "\n".join(libraries), held, *headings, *_others()]


def _lines(found: dict[str, Part]) -> Iterator[str]:
    begin, repository, *rest = fixed()
    yield begin
    yield repository
    for group, heading in zip(("", *EXTRAS), rest, strict=False):
        yield f"{heading}\n| | version | licence |\n|---|---|---|"
        yield from (row_of(part) for part in found.values() if part.needed_by == group)
        if not group:
            yield from _others()
        yield ""


def _others() -> list[str]:
    """Lines of what is installed on other systems alone."""
    return [f"| {name} (macOS, Windows) | {pinned()[name]} | MIT |" for name in OTHER_SYSTEMS]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}.")
