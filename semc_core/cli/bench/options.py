"""What the measurements can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import click
from typer import Argument, Option

from semc_core.cli.shared.options import COUNT, NEW_FILE, AsJson, RuntimeOptions

_PRESETS: Final = ("semc_live", "semc_r18", "semc_r50", "semc_r50_paper")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """Which networks are measured, in what, and where it is written."""

    presets: Annotated[str, Option("--presets", metavar="A,B", help="networks")] = ",".join(_PRESETS)
    sizes: Annotated[
        str | None,
        Option("--sizes", metavar="HxW,...", help="input sizes, rows first", show_default="each preset's"),
    ] = None
    device: Annotated[
        str, Option("--device", click_type=click.Choice(("cpu", "cuda")), help="where they run")
    ] = "cpu"
    runtimes: Annotated[
        str | None,
        Option("--runtimes", metavar="A,B", help="pytorch, openvino, graph", show_default="all there are"),
    ] = None
    precisions: Annotated[
        str | None,
        Option("--precisions", metavar="A,B", help="float32, bfloat16, float16, int8", show_default="all"),
    ] = None
    rounds: Annotated[int, Option("--rounds", click_type=COUNT, help="turns of each candidate")] = 5
    frames: Annotated[
        int | None,
        Option(
            "--frames", click_type=COUNT, help="frames per candidate and turn", show_default="by its speed"
        ),
    ] = None
    threads: Annotated[
        int | None,
        Option(
            "--threads", click_type=COUNT, help="CPU threads of every candidate", show_default="all cores"
        ),
    ] = None
    json: AsJson = False
    out: Annotated[
        Path | None,
        Option("--out", click_type=NEW_FILE, metavar="FILE.md", help="also write the table as Markdown"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions(RuntimeOptions):
    """Which scan is measured, how long, and what runs the model."""

    seconds: Annotated[float, Option("--seconds", help="length")] = 60.0
    source: Annotated[str, Option("--source", help="simulated, or a file")] = "simulated"
    size: Annotated[str, Option("--size", metavar="WxH", help="of the simulated scan")] = "1280x720"
    rate: Annotated[float, Option("--rate", help="frames/s of the simulated scan")] = 30.0
    json: AsJson = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyseOptions(RuntimeOptions):
    """Which file is analysed, how often, and what runs the model."""

    file: Annotated[
        Path | None,
        Argument(
            click_type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="[FILE]",
            help="a video",
            show_default="a simulated scan, 1280x720, MPEG-4, 20 s",
        ),
    ] = None
    rounds: Annotated[int, Option("--rounds", click_type=COUNT, help="turns of each stage")] = 3
    batch: Annotated[int, Option("--batch", click_type=COUNT, help="frames per call of the model")] = 8
    json: AsJson = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassOptions(RuntimeOptions):
    """What films the screen, which screen, how long, and what runs the model."""

    source: Annotated[
        str,
        Argument(
            metavar="[SOURCE]",
            help="camera:0, camera:IDENTITY, camera:simulated:SCRIPT, or an address (rtsp://, udp://)",
        ),
    ] = "camera:0"
    seconds: Annotated[float, Option("--seconds", help="length, from the first overlay on")] = 20.0
    mode: Annotated[
        str | None, Option("--mode", metavar="1920x1080@60,mjpg", help="ask a camera for this")
    ] = None
    screen: Annotated[
        int | None,
        Option(
            "--screen", click_type=COUNT, help="where the clock is shown, from 1", show_default="the last"
        ),
    ] = None
    size: Annotated[
        str | None,
        Option("--size", metavar="WxH", help="of the clock's window", show_default="the whole screen"),
    ] = None
    json: AsJson = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOptions:
    """How often the window is started, and how long the loop is that it analyses."""

    runs: Annotated[
        int, Option("--runs", click_type=COUNT, help="starts of each window, in turns, after one to warm up")
    ] = 7
    seconds: Annotated[
        float, Option("--seconds", help="length of the simulated loop that is analysed in review")
    ] = 600.0
    json: AsJson = False
