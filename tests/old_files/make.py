"""Made the old files, with the program as it was then. Kept to say where they come from; no test runs it.

`python -m tests.old_files.make FOLDER` works in FOLDER, which must be new, and replaces what is kept.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import main
from tests.old_files.places import ARCHIVES, KEPT, pack
from tests.old_files.small import PRESET, add_preset

ROOT: Final = Path(__file__).resolve().parents[2]
PROTOCOL: Final = """\
format = 1
id = "short-liver"
title = "Liver, short"
about = "Two planes for a quick look."

[[source]]
title = "House rules"
year = 2025
by = "Our department"

[[item]]
id = "left-portal-vein"
title = "Left portal vein"
planes = ["LPV-S"]

[[item]]
id = "right-lobe"
title = "Right lobe"
planes = ["RLP"]
optional = true
"""


def semc(*words: str | Path) -> None:
    """Run a command of the program in this process."""
    code = main.main([str(word) for word in words])
    assert code == 0, words


def make_session(work: Path) -> Path:
    """A live scan, recorded, with a clip; then what a person did in review. Returns its folder."""
    video = work / "scan.mp4"
    semc("phantom", "render", "--seed", "7", "--seconds", "7", "--rate", "4",
         "--width", "144", "--height", "120", "--out", video)  # fmt: skip
    # In a process of its own: the window ends it.
    command = [sys.executable, "-m", "main", "live", str(video), "--record", "--offscreen", "--device", "cpu",
               "--out", str(work / "live")]  # fmt: skip
    subprocess.run(command, check=True, cwd=ROOT)
    (made,) = (work / "live").glob("*/session.sqlite")
    folder = work / "sessions" / "scan"
    shutil.copytree(made.parent, folder)
    _correct(folder)
    return folder


def _correct(folder: Path) -> None:
    from semc_core.review.inspect import look
    from semc_core.session.correcting.changes import (
        AddPlane,
        ChooseFrame,
        MarkRegion,
        Reject,
        Relabel,
        SetItem,
        SetNote,
    )
    from semc_core.session.recording.parts import RecordedSource
    from semc_core.session.session import Session

    source = RecordedSource(folder)
    packets = [packet for _ in range(28) if (packet := source.read()) is not None]
    source.close()
    with Session.open(folder) as session:
        frames, model = session.frames(), session.model
        session.apply(ChooseFrame(1, look(packets[22], frames, model, None)))
        session.apply(Relabel(1, "LPV-S"))
        session.apply(SetNote(1, "clear view of the left portal vein"))
        session.apply(AddPlane("RLP", look(packets[12], frames, model, None)))
        session.apply(AddPlane("HRP", look(packets[2], frames, model, None)))
        session.apply(Reject(1002, "gas"))
        session.apply(MarkRegion(0.5, 1.5, "cough", "patient moved"))
        session.apply(SetItem("lp2025-liver", "llp", "not possible", "ribs", "Left lobe"))
        session.apply(SetNote(None, "to be taken back"))
        session.apply(Relabel(1001, "FHP1"))
        session.undo()
        session.undo()


def make_export(work: Path, session: Path) -> Path:
    """A ZIP file with DICOM objects. Returns it."""
    target = work / "export.zip"
    semc("export", session, "--out", target, "--dicom", "--no-clips", "--notes", "--text", "keep",
         "--mask", "0,0,40,10", "--remember", "--protocol", "lp2025-liver")  # fmt: skip
    return target


def make_data(export: Path, model: Path) -> None:
    """What the program keeps for its user, beside the key and the masks, which the export made."""
    data = Path(os.environ["XDG_DATA_HOME"]) / "semc-live"
    (data / "protocols").mkdir(parents=True, exist_ok=True)
    (data / "protocols" / "short-liver.toml").write_text(PROTOCOL, encoding="utf-8")
    semc("pacs", "add", "archive", "pacs.example.org", "11112", "ARCHIVE", "--attempts", "3")
    semc("pacs", "add", "research", "192.0.2.7", "104", "RESEARCH", "--own-title", "US_ROOM_2", "--connect-s",
         "5", "--answer-s", "60", "--uncompressed", "--tls")  # fmt: skip
    semc("pacs", "send", export, "--to", "archive", "--later")
    semc("pacs", "send", export, "--to", "research", "--later")
    semc("pacs", "cancel", "2")
    semc("model", "use", model, "--force")


def make_settings(path: Path) -> None:
    """Every setting of the window, none at its first value."""
    from PySide6.QtCore import QByteArray, QSettings

    from app.settings import Settings
    from semc_core.export.options import ExportOptions
    from semc_core.imaging.heatmap import HeatStyle
    from semc_core.io.video_quality import Quality
    from semc_core.types import Crop

    settings = Settings(QSettings(str(path), QSettings.Format.IniFormat))
    settings.geometry = QByteArray(b"\x01\xd9\xd0\xcb\x00\x03\x00\x00")
    settings.heat_style = HeatStyle.TINT
    settings.device = "cpu"
    settings.quality = Quality.LOSSLESS
    settings.clips = False
    settings.export_options = ExportOptions(packed=True, clips=False, dicom=True, jpeg=True, frames=False)
    settings.export_folder = Path("/")
    settings.protocol = "fasp-20-week"
    settings.checklist_folded = True
    settings.output_folder = Path("/scans/standard planes")
    for source in ("simulated:7", "rtsp://probe.local/scan", "/scans/Müller, loop.mp4"):
        settings.remember_source(source)
    settings.remember_crop("camera", 640, 480, Crop(10, 20, 300, 200))
    settings.write()


def make_training(work: Path) -> Path:
    """A training by the window, with its checkpoint; a SEMC model; an encoder. Returns the SEMC model."""
    from app.train import process
    from app.train.plan import TrainPlan
    from app.train.process import TrainingProcess
    from tests.training.toy_folder import write_toy_folder

    (work / "models").mkdir()
    toys = write_toy_folder(work / "toys", 60, 20)
    vars(process)["own_command"] = lambda: [sys.executable, "-m", "tests.old_files.make", "semc"]
    training = TrainingProcess(work / "trainings")
    training.start(TrainPlan((str(toys),), PRESET, rounds=2.0, threads=1))
    while training.alive:
        time.sleep(0.5)
    assert training.folder is not None
    shutil.rmtree(training.folder / "model.run" / "tensorboard")
    semc("train", "--data", toys, "--preset", PRESET, "--method", "semc", "--steps", "10", "--threads", "1",
         "--out", work / "models" / "semc.safetensors")  # fmt: skip
    shutil.rmtree(work / "models" / "semc.run")
    semc("pretrain", "--data", toys, "--preset", PRESET, "--steps", "4", "--validations", "2", "--batch", "8",
         "--threads", "1", "--out", work / "models" / "encoder.safetensors")  # fmt: skip
    shutil.rmtree(work / "models" / "encoder.run")
    return work / "models" / "semc.safetensors"


def begin_projections_empty() -> None:
    """They are most of the smallest network, and nothing here learns by them: zeros take no room."""
    from torch import nn

    from semc_core.model.network import SemcNetwork

    begin = SemcNetwork.__init__

    def begin_empty(network: SemcNetwork, *given: Any) -> None:
        begin(network, *given)
        for parameter in network.projection.parameters():
            nn.init.zeros_(parameter)

    SemcNetwork.__init__ = begin_empty  # type: ignore[method-assign, assignment]


def make_all(work: Path) -> None:
    """Everything, in `work`; then what is kept."""
    work.mkdir()
    os.environ["PYTHONPATH"] = str(ROOT)
    for name in ("DATA", "STATE", "CACHE"):
        os.environ[f"XDG_{name}_HOME"] = str(work / name.lower())
    session = make_session(work)
    export = make_export(work, session)
    model = make_training(work)
    make_data(export, model)
    KEPT.mkdir(exist_ok=True)
    make_settings(KEPT / "settings.ini")
    shutil.copy(export, KEPT)
    shutil.rmtree(work / "cache")
    for number in (work / "data" / "semc-live" / "models").glob("*.safetensors"):
        number.unlink()  # the same file as in models
    for name in ARCHIVES:
        pack(work, name)


if __name__ == "__main__":
    add_preset()
    begin_projections_empty()
    if sys.argv[1] == "semc":
        sys.exit(main.main(sys.argv[2:]))
    make_all(Path(sys.argv[1]).resolve())
