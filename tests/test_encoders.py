"""Nothing of ours encodes by x264 or x265: PyAV's wheel carries them, and they are under the GPL."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import pytest

from semc_core.io.video_encoder import VideoWriter
from semc_core.io.video_quality import Quality
from semc_core.phantom.render import render
from semc_core.phantom.scan import SimulatedScan
from tests.session.pictures import speckle

ROOT: Final = Path(__file__).resolve().parents[1]
OURS: Final = ("app", "semc_core", "training", "docs")
ENCODERS: Final = {"ffv1", "libvpx-vp9", "mjpeg", "mpeg4"}
NAMES_OF_GPL: Final = ("x264", "x265")


def sources() -> list[Path]:
    return [ROOT / "main.py", *(path for each in OURS for path in sorted((ROOT / each).rglob("*.py")))]


def called(call: ast.Call) -> str:
    """The last word of what is called; of OpenCV with its module, for ours has a `VideoWriter` too.

    By the name "h264" PyAV takes x264; OpenCV has an FFmpeg of its own, which chooses."""
    of = call.func
    if isinstance(of, ast.Attribute):
        return f"cv2.{of.attr}" if ast.unparse(of.value) == "cv2" else of.attr
    return of.id if isinstance(of, ast.Name) else ""


def constants_of(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """The module's names of texts and numbers."""
    for each in tree.body:
        if isinstance(each, ast.Assign | ast.AnnAssign):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            if isinstance(each.value, ast.Constant):
                yield from ((ast.unparse(target), each.value.value) for target in targets)


def encoders_in(tree: ast.Module) -> Iterator[str]:
    """What the module's calls of PyAV and OpenCV encode by; a name stands for the constant it is."""
    constants = dict(constants_of(tree))
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not (call.args or call.keywords):
            continue
        name = called(call)
        writes = any(isinstance(each, ast.Constant) and each.value == "w" for each in call.args[1:])
        if name in ("add_stream", "add_mux_stream") or (name in ("create", "Codec") and writes):
            (first, *_) = [*call.args, *(each.value for each in call.keywords)]
            text = ast.unparse(first)
            yield str(first.value if isinstance(first, ast.Constant) else constants.get(text, text))
        elif name == "cv2.VideoWriter":
            yield name


def gpl_names_in(tree: ast.Module) -> Iterator[str]:
    for each in ast.walk(tree):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield from (name for name in NAMES_OF_GPL if name in each.value.lower())


@pytest.mark.long
def test_our_sources_encode_by_what_is_free_alone() -> None:
    found: dict[str, set[str]] = {}
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not list(gpl_names_in(tree)), f"{path.name} names x264 or x265."
        if encoders := set(encoders_in(tree)):
            found[path.relative_to(ROOT).as_posix()] = encoders
    assert {name for encoders in found.values() for name in encoders} == ENCODERS
    assert set(found) == {
        "semc_core/export/clips.py", "semc_core/io/video_encoder.py", "semc_core/phantom/render.py",
            "training/fetal/demonstration.py",
    }, "a new place that encodes video"  # fmt: skip


@pytest.mark.parametrize(
    ("source", "encoder"),
    [
        ('out.add_stream("h264", rate=30)', "h264"),
        ('out.add_stream(codec_name="libx264")', "libx264"),
        ('_CODEC: Final = "libx265"\nout.add_stream(_CODEC)', "libx265"),
        ("out.add_stream(chosen())", "chosen()"),
        ('av.CodecContext.create("hevc", "w")', "hevc"),
        ('cv2.VideoWriter("a.mp4", code, 30, size)', "cv2.VideoWriter"),
    ],
)
def test_an_encoder_is_seen_however_it_is_named(source: str, encoder: str) -> None:
    assert list(encoders_in(ast.parse(source))) == [encoder]
    assert encoder not in ENCODERS


def test_reading_is_not_taken_for_writing() -> None:
    source = 'av.CodecContext.create("h264", "r")\ncv2.VideoWriter.fourcc(*"MJPG")\nPart.create()'
    assert not list(encoders_in(ast.parse(source)))


@pytest.mark.parametrize(("quality", "codec"), [(Quality.COMPACT, "mjpeg"), (Quality.LOSSLESS, "ffv1")])
@pytest.mark.parametrize("colour", [False, True])
def test_a_recording_is_jpeg_or_ffv1_and_every_frame_stands_for_itself(
    tmp_path: Path, quality: Quality, codec: str, colour: bool
) -> None:
    path = tmp_path / "a.mkv"
    with VideoWriter(path, 128, 96, gray=not colour, quality=quality) as writer:
        for number in range(4):
            writer.write(speckle(number, 96, 128, colour=colour), 33 * number)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert (stream.codec_context.name, len(packets)) == (codec, 4)
        assert all(packet.is_keyframe for packet in packets)


def test_a_compact_recording_refuses_a_frame_of_another_form(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mkv", 128, 96, gray=True, quality=Quality.COMPACT) as writer:
        writer.write(speckle(0, 96, 128), 0)
        for wrong in (speckle(0, 96, 126), speckle(0, 96, 128, colour=True)):
            with pytest.raises(ValueError, match="announced"):
                writer.write(wrong, 33)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
def test_a_simulated_scan_is_mpeg_4(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    render(SimulatedScan(1, 0.2, 160, 120), path)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
