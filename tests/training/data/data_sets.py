"""Tiny data sets in the layouts of the published ones, made for tests."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import SimpleITK

from semc_core.io.atomic import write_atomically

PLANES_TABLE = "Image_name;Patient_num;Plane;Brain_plane;Operator;US_Machine;Train \n"


def picture(path: Path, seed: int, size: tuple[int, int] = (48, 64)) -> Path:
    """A picture of its own in a file; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8), dtype=np.uint8)
    shown = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    done, data = cv2.imencode(path.suffix, shown)
    assert done
    write_atomically(path, data.tobytes())
    return path


def volume(path: Path, frames: int, seed: int, spacing: tuple[float, float] = (1.0, 1.0)) -> None:
    """A loop, or a still, of 30 rows and 40 columns; its first row is white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 200, (frames, 30, 40), dtype=np.uint8)
    values[:, 0] = 255
    image = SimpleITK.GetImageFromArray(values if frames > 1 else values[0])
    image.SetSpacing((*spacing, 1.0)[: image.GetDimension()])
    SimpleITK.WriteImage(image, str(path))


def camus(folder: Path, suffix: str) -> None:
    """Two patients; the second has no loops."""
    for patient, loops in (("patient0001", True), ("patient0002", False)):
        for number, view in enumerate(("2CH", "4CH")):
            for what in ("ED", "ES", "ED_gt"):
                volume(folder / patient / f"{patient}_{view}_{what}{suffix}", 1, number)
            if loops:
                volume(folder / patient / f"{patient}_{view}_half_sequence{suffix}", 5, 9 + number)


def fpus23(folder: Path) -> None:
    """Two recordings with three annotated frames each; a frame of the second is not there."""
    for number, name in enumerate(("stream_hdvb_aroundabd_h", "stream_huvf_aroundhead_v")):
        images = []
        for frame, plane in enumerate(("Abd_plane", "Head_plane", "")):
            tag = f'<tag label="diagnostic_plane"><attribute name="plane">{plane}</attribute></tag>'
            box = '<box label="arm" xtl="1" ytl="1" xbr="3" ybr="3"/>'
            box += '<box label="abdomen" xtl="1" ytl="1" xbr="30" ybr="30"/>'
            images.append(f'<image name="frame_{frame:06d}.png">{box}{tag if plane else ""}</image>')
            if (number, frame) != (1, 1):
                picture(folder / "four_poses" / name / f"frame_{frame:06d}.png", 10 * number + frame)
        (folder / "annotation" / name).mkdir(parents=True)
        text = f"<annotations>{''.join(images)}</annotations>"
        (folder / "annotation" / name / "annotations.xml").write_text(text, encoding="utf-8")


def fetal_planes(folder: Path) -> None:
    """Five pictures of three patients; a sixth is only in the table."""
    rows = (
        ("Patient00001_Plane1_1_of_2", "1", "Fetal brain", "Trans-thalamic", "Voluson E6", "1 "),
        ("Patient00001_Plane1_2_of_2", "1", "Fetal brain", "Other", "Voluson E6", "1 "),
        ("Patient00002_Plane2_1_of_1", "2", "Other", "Not A Brain", "Aloka", "0 "),
        ("Patient00003_Plane3_1_of_2", "3", "Fetal femur", "Not A Brain", "Aloka", "1 "),
        ("Patient00003_Plane3_2_of_2", "3", "Maternal cervix", "Not A Brain", "Aloka", "1 "),
        ("Patient00004_Plane3_1_of_1", "4", "Maternal cervix", "Not A Brain", "Aloka", "1 "),
    )
    folder.mkdir(parents=True)
    lines = [";".join([*row[:4], "Op. 1", *row[4:]]) + "\n" for row in rows]
    (folder / "FETAL_PLANES_DB_data.csv").write_text(PLANES_TABLE + "".join(lines), encoding="utf-8-sig")
    for seed, row in enumerate(rows[:-1]):
        picture(folder / "Images" / f"{row[0]}.png", seed)
