"""The formats of data sets: each writes the samples of a `Dataset` as one family of programs reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from semc_core.errors import ExportError
from semc_core.export.dataset.names import NAMES
from semc_core.export.dataset.samples import TEST, TRAIN, VALIDATION, Dataset, Sample, facts
from semc_core.session.folder import safe_name
from semc_core.version import VERSION

Write = Callable[[str, bytes], object]
"""Takes the name of a file in the data set, with "/", and its content."""
Format = Callable[[Dataset, Write], None]
"""Writes all files of a data set but its manifest."""

_YOLO: Final = {TRAIN: "train", VALIDATION: "val", TEST: "test"}
NO_PICTURE: Final = "no_picture.txt"
"""Keeps the folder of a plane that a split has no picture of."""
_PLANE, _STRUCTURE = "plane", "structure"


def write_coco(dataset: Dataset, write: Write) -> None:
    """COCO: `annotations/instances_SPLIT.json`, pictures in a folder for each split.

    A picture has an annotation of its plane, whose box is the ultrasound picture, and one of each outline.
    """
    kinds = [(name, _PLANE) for name in dataset.classes] + [(n, _STRUCTURE) for n in dataset.structures]
    numbers = {kind: number for number, kind in enumerate(kinds, 1)}
    for split in dataset.splits:
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for number, sample in enumerate(dataset.of_split(split), 1):
            name = f"{sample.name}.png"
            write(f"{split}/{name}", sample.png())
            size = {"width": sample.width, "height": sample.height}
            images.append({"id": number, "file_name": name, **size, **facts(sample)})
            for each in _coco_annotations(sample, numbers):
                annotations.append({"id": len(annotations) + 1, "image_id": number, "iscrowd": 0, **each})
        document = {
            "info": {"description": " ".join(dataset.notices), "contributor": f"SEMC Live {VERSION}"},
            "images": images,
            "annotations": annotations,
            "categories": [
                {"id": number, "name": name, "supercategory": kind}
                for (name, kind), number in numbers.items()
            ],
        }
        write(f"annotations/instances_{split}.json", _json(document))


def _coco_annotations(sample: Sample, numbers: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    region = sample.region
    left, top = region.left, region.top
    right, bottom = left + region.width, top + region.height
    plane = {
        "category_id": numbers[sample.label, _PLANE],
        "bbox": [left, top, region.width, region.height],
        "area": region.width * region.height,
        # pycocotools makes no mask of an annotation that has none.
        "segmentation": [[left, top, right, top, right, bottom, left, bottom]],
    }
    outlines = [
        {
            "category_id": numbers[each.name, _STRUCTURE],
            "bbox": list(each.box),
            "area": each.area,
            "segmentation": [[value for place in each.polygon for value in place]],
        }
        for each in sample.outlines
    ]
    return [plane, *outlines]


def write_yolo(dataset: Dataset, write: Write) -> None:
    """YOLO, to classify: `train/PLANE/`, `val/PLANE/`, `test/PLANE/`.

    Its readers number the folders of each split by themselves, so that every split has one of every plane.
    """
    held = {(sample.split, safe_name(sample.label)) for sample in dataset.samples}
    for sample in dataset.samples:
        write(f"{_YOLO[sample.split]}/{safe_name(sample.label)}/{sample.name}.png", sample.png())
    for split in dataset.splits:
        for plane in sorted({plane for _, plane in held}):
            if (split, plane) not in held:
                write(f"{_YOLO[split]}/{plane}/{NO_PICTURE}", b"No picture of this split shows this plane.\n")


def write_yolo_detect(dataset: Dataset, write: Write) -> None:
    """YOLO, to detect: the pictures over which something was drawn, their boxes as text, and `data.yaml`.

    Raises:
        ExportError: Nothing was drawn over any.
    """
    names = dataset.structures
    drawn = [sample for sample in dataset.samples if sample.outlines]
    if not drawn:
        raise ExportError(
            "No plane of these sessions has an outline, so there is nothing to detect; measure some, or "
            "choose the format yolo."
        )
    for sample in drawn:
        place = f"{_YOLO[sample.split]}/{sample.name}"
        write(f"images/{place}.png", sample.png())
        lines = [_yolo_line(names.index(each.name), each.box, sample) for each in sample.outlines]
        write(f"labels/{place}.txt", "".join(lines).encode())
    there = [split for split in _YOLO if any(sample.split == split for sample in drawn)]
    # A training wants both of these.
    place_of = {split: f"images/{_YOLO[split if split in there else there[0]]}" for split in _YOLO}
    # Without a "path" these are beside the file; "." would be wherever the training is started.
    text = f"train: {place_of[TRAIN]}\nval: {place_of[VALIDATION]}\n"
    text += f"test: {place_of[TEST]}\n" if TEST in there else ""
    write("data.yaml", f"{text}names: {json.dumps(names)}\n".encode())


def _yolo_line(number: int, box: Sequence[float], sample: Sample) -> str:
    """Class, middle and size in parts of the picture."""
    left, top, width, height = box
    across, down = (left + width / 2) / sample.width, (top + height / 2) / sample.height
    return f"{number} {across:.6f} {down:.6f} {width / sample.width:.6f} {height / sample.height:.6f}\n"


def write_monai(dataset: Dataset, write: Write) -> None:
    """MONAI's data list (as of the Medical Segmentation Decathlon): `dataset.json`, pictures in `images`."""
    lists: dict[str, list[dict[str, Any]]] = {"training": [], "validation": [], "test": []}
    keys = {TRAIN: "training", VALIDATION: "validation", TEST: "test"}
    for sample in dataset.samples:
        name = f"images/{sample.name}.png"
        write(name, sample.png())
        # MONAI takes an empty text for the name of the data set's folder.
        told = {key: value for key, value in facts(sample).items() if value != ""}
        known = told | {"label": dataset.classes.index(sample.label), "plane": sample.label}
        lists[keys[sample.split]].append({"image": name, **known})
    document = {
        "name": "planes",
        "description": " ".join(dataset.notices),
        "reference": f"SEMC Live {VERSION}",
        "tensorImageSize": "2D",
        "modality": {"0": "US"},
        "labels": {str(number): name for number, name in enumerate(dataset.classes)},
        "numTraining": len(lists["training"]),
        "numValidation": len(lists["validation"]),
        "numTest": len(lists["test"]),
        **lists,
    }
    write("dataset.json", _json(document))


def write_imagefolder(dataset: Dataset, write: Write) -> None:
    """Hugging Face's imagefolder: `SPLIT/metadata.jsonl` beside the pictures, a line for each."""
    for split in dataset.splits:
        lines = []
        for sample in dataset.of_split(split):
            name = f"{sample.name}.png"
            write(f"{split}/{name}", sample.png())
            boxes = {
                "bbox": [list(each.box) for each in sample.outlines],
                "categories": [each.name for each in sample.outlines],
            }
            lines.append(json.dumps({"file_name": name, **facts(sample), "objects": boxes}, allow_nan=False))
        write(f"{split}/metadata.jsonl", "".join(f"{line}\n" for line in lines).encode())


def _json(document: object) -> bytes:
    return json.dumps(document, indent=1, allow_nan=False).encode()


FORMATS: Final[dict[str, Format]] = dict(
    zip(NAMES, (write_coco, write_yolo, write_yolo_detect, write_monai, write_imagefolder), strict=True)
)
"""By the name that is typed."""
