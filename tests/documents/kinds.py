"""Every kind of document that the program reads: a good one, and how the program reads it."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import safetensors.numpy

from app.site import SITE, read_site
from app.train.presenter import PROGRESS_LINE, RunEvents
from app.train.process import RUN_FACTS, TrainingProcess
from semc_core.cli.results import RESULTS, result_names
from semc_core.errors import (
    ExportError,
    ModelFileError,
    PacsError,
    ProtocolError,
    SaveError,
    SemcError,
    SourceError,
    UsageError,
)
from semc_core.export.kept_readings import FOLDER, KEPT, KeptReadings
from semc_core.export.manifest import MANIFEST, check_bundle
from semc_core.export.masks import MASKS, Device, MaskBook
from semc_core.export.ocr import READER
from semc_core.export.options import AT_FIRST, REMEMBERED, ExportOptions
from semc_core.imaging.preprocess import Preprocessing
from semc_core.io.documents import Document
from semc_core.labels import LIVER_CLASSES
from semc_core.model import outline
from semc_core.model.architecture import new_spec
from semc_core.model.comparison import COMPARISON, read_comparison
from semc_core.model.file import HEADER, METADATA_KEY, read_spec
from semc_core.model.outline import OutlineSpec, read_outline, tensor_shapes
from semc_core.model.registry import INDEX, ModelRegistry
from semc_core.model.spec import DESCRIPTION, spec_to_json
from semc_core.pacs.destinations import DESTINATIONS, Destination, DestinationBook, WebDestination
from semc_core.pacs.web_secret import WEB_SECRETS, WebSecrets
from semc_core.protocols.loader import PROTOCOL_FILE, read_protocol
from semc_core.serve.settings import SETTINGS, load_settings
from semc_core.session.files import STORED_PLANE
from semc_core.session.proof.evidence import stored_plane
from semc_core.sources.devices.script import SCRIPT, read_script
from tests.session.killed_writer import origin
from training import benchmark
from training.ablation import runs, variants
from training.compare import plan
from training.config_file import CONFIG, read_config
from training.data import images, loading
from training.data.hub import zenodo
from training.data.index import Sample
from training.initialization import FACTS, KEY, read_encoder

LEFT_OUT: Final = object()
"""What a reader gives where a document that is not right counts as if it were not there."""

SHA: Final = "ab" * 32


@dataclass(frozen=True)
class Kind:
    """One kind.

    Attributes:
        name: Of it.
        document: What it is held against.
        good: One that is read; plain JSON values.
        read: Writes bytes where the program looks for them (in an empty folder) and has them read.
        error: What it raises where it is wrong; None where it is left out.
        file: What the sentence must name.
        free: Names of fields in which anything may be.
        toml: It is TOML, not JSON.
        embedded: It is a text inside another document, so it is UTF-8 whatever it says.
    """

    name: str
    document: Document[Any]
    good: Any
    read: Callable[[Path, bytes], object]
    error: type[SemcError] | None
    file: str = ""
    free: tuple[str, ...] = ()
    toml: bool = False
    embedded: bool = False


def _written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _safetensors(header: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + bytes(4)


def _model(folder: Path, content: bytes) -> object:
    """The description is a text inside the header, so it is UTF-8 whatever it says."""
    text = content.decode("utf-8", "replace")
    tensor = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = json.dumps({"__metadata__": {METADATA_KEY: text}, "w": tensor}).encode()
    return read_spec(_written(folder, "model.safetensors", _safetensors(header)))


def _outline(folder: Path, content: bytes) -> object:
    shapes = tensor_shapes(OutlineSpec(4, 4, (1, 1)))
    arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    made = safetensors.numpy.save(arrays, {outline.METADATA_KEY: content.decode("utf-8", "replace")})
    return read_outline(_written(folder, "head.safetensors", made))


def _header(folder: Path, content: bytes) -> object:
    return read_spec(_written(folder, "model.safetensors", _safetensors(content)))


def _library(folder: Path, content: bytes) -> object:
    _written(folder, "library.json", content)
    return ModelRegistry(folder).versions()


def _bundle(folder: Path, content: bytes) -> object:
    return check_bundle(_written(folder / "bundle", "manifest.json", content).parent)


def _masks(folder: Path, content: bytes) -> object:
    _written(folder, "masks.json", content)
    return MaskBook(folder).masks(Device("video", 640, 480))


def _readings(folder: Path, content: bytes) -> object:
    _written(folder / FOLDER, "ab12.json", content)
    kept = KeptReadings(folder, "ab12")
    return (kept._known, kept._answers) if kept._answers else LEFT_OUT


def _destinations(folder: Path, content: bytes) -> object:
    _written(folder, "destinations.json", content)
    return DestinationBook(folder).every()


_TLS = {"ca": "ca.pem", "certificate": "own.pem", "key": "key.pem"}


def _web_secrets(folder: Path, content: bytes) -> object:
    _written(folder, "web_secrets.json", content)
    return WebSecrets(folder).get(WebDestination("cloud", "https://host/dicom-web")) or LEFT_OUT


def _plane(folder: Path, content: bytes) -> object:
    png = _written(folder, "003_A_f000012.png", b"pixels")
    _written(folder, "003_A_f000012.json", content)
    return stored_plane(png, _MODEL_ENTRY) or LEFT_OUT


def _results(folder: Path, content: bytes) -> object:
    _written(folder, "planes.json", content)
    return result_names(folder) or LEFT_OUT


def _run_facts(folder: Path, content: bytes) -> object:
    _written(folder, "20260101-000000/run.json", content)
    process = TrainingProcess(folder)
    return LEFT_OUT if process.folder is None else process.alive


def _progress(folder: Path, content: bytes) -> object:
    events = RunEvents()
    events.add(content.decode("utf-8", "replace"))
    return events.state(alive=True, stop_wanted=False) if events.changes else LEFT_OUT


def _run_result(folder: Path, content: bytes) -> object:
    run = runs.Run(variants.VARIANTS["plain"], 1)
    _written(folder, "runs/plain_seed1.json", content)
    return runs.read_result(run, BENCHMARK, folder)


def _compare_run(folder: Path, content: bytes) -> object:
    _written(folder, "runs/semc_seed1.json", content)
    return plan.read_result(plan.Run("semc", 1), "p", folder)


def _encoder(folder: Path, content: bytes) -> object:
    arrays = {"w": np.zeros(1, np.float32)}
    text = content.decode("utf-8", "replace")
    made = safetensors.numpy.save(arrays, metadata={KEY: text})
    return read_encoder(_written(folder, "encoder.safetensors", made))


def _record(folder: Path, content: bytes) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zenodo, "fetch_text", lambda url: content.decode("utf-8", "replace"))
        return zenodo.offer("123")


def _kept_pictures(folder: Path, content: bytes) -> object:
    samples = [Sample(_written(folder, "a.png", b"a"), "A", "g"), Sample(folder / "a.png", "A", "g")]
    spec = Preprocessing(8, 8)
    name = loading._key(samples, spec)
    np.save(folder / f"{name}.npy", np.zeros((2, 8, 8), np.uint8))
    _written(folder, f"{name}.json", content)
    return loading._mapped(samples, spec, iter(()), folder)


def _crop(folder: Path, content: bytes) -> object:
    _written(folder, "a.json", content)
    return images._stored_crop(folder / "a.png", np.zeros((100, 100), np.uint8)) or LEFT_OUT


def _choices(folder: Path, content: bytes) -> object:
    found = ExportOptions.from_settings(content.decode("utf-8", "replace"))
    return LEFT_OUT if found == AT_FIRST else found


BENCHMARK: Final = benchmark.read_benchmark("simulated_small")
_SPEC: Final = replace(new_spec("semc_tiny", LIVER_CLASSES), provenance={"data": ["a"], "seed": 1})
_DESCRIPTION: Final = json.loads(spec_to_json(_SPEC))
_MEASURED: Final = {"sha256": SHA, "accuracy": 0.9, "f1": 0.8, "calibration_error": 0.1}
_COMPARED: Final = {
    "candidate": _MEASURED, "current": _MEASURED, "current_sha256": SHA, "difference": 0.1, "low": 0.05,
    "high": 0.2, "split": "test", "frames": 10, "groups": 2, "note": "n",
}  # fmt: skip
_MODEL_ENTRY: Final = origin().entries()[1]

_BOX: Final = {"left": 0, "top": 0, "width": 9, "height": 9}

KINDS: Final = (
    Kind("model", DESCRIPTION, _DESCRIPTION, _model, ModelFileError, "model.safetensors",
         free=("provenance", "metrics"), embedded=True),
    Kind("header", HEADER,
         {"__metadata__": {METADATA_KEY: spec_to_json(_SPEC)},
          "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
         _header, ModelFileError, "model.safetensors"),
    Kind("library", INDEX,
         {"schema": 1, "used": [0, 1], "versions": [
             {"number": 1, "file": "a.safetensors", "sha256": SHA, "added_utc": "2026-01-31T12:00:00+00:00",
              "note": "n", "compared": _COMPARED, "forced": False, "name": "mine"}]},
         _library, ModelFileError, "library.json"),
    Kind("comparison", COMPARISON,
         _COMPARED,
         lambda folder, content: read_comparison(_written(folder, "comparison.json", content)),
         UsageError, "comparison.json"),
    Kind("manifest", MANIFEST,
         {"format": "semc-live-export", "format_version": 1, "deidentified": True,
          "files": {"a.png": {"sha256": SHA, "bytes": 3}}, "audit": {"head": SHA}},
         _bundle, ExportError, "manifest.json"),
    Kind("masks", MASKS, {"video 640x480": [{"left": 0, "top": 0, "width": 9, "height": 9}]},
         _masks, SaveError, "masks.json"),
    Kind("readings", KEPT,
         {"reader": READER,
          "readings": {SHA: [{"masks": [_BOX], "found": [{"box": _BOX, "score": 0.5}]}]},
          "answers": {SHA: [{"box": _BOX, "answer": "keep"}]}},
         _readings, None),
    Kind("destinations", DESTINATIONS,
         {"format": "semc-live-destinations", "version": 1, "destinations": [
             asdict(Destination("archive", "host", 104, "PACS", commitment=True, commitment_port=11113))
             | {"tls": _TLS}],
          "web": [asdict(WebDestination("cloud", "https://host/dicom-web")) | {"tls": _TLS}]},
         _destinations, PacsError, "destinations.json"),
    Kind("web secrets", WEB_SECRETS,
         {"format": "semc-live-web-secrets", "version": 1, "secrets": {
             "cloud": {"origin": "https://host:443", "token": "t", "user": "", "password": ""}}},
         _web_secrets, PacsError, "web_secrets.json"),
    Kind("plane", STORED_PLANE,
         {"plane": "A", "confidence": 0.9, "frame_index": 12, "time_s": 1.5, "hold_id": 3,
          "hold_start_s": 1.0, "hold_end_s": 2.0, "final": True, "by_hand": False, "chosen_by": "model",
          "width": 640, "height": 480, "crop": {"left": 0, "top": 0, "width": 9, "height": 9},
          "model_sha256": _MODEL_ENTRY.sha256,
          "png": "003_A_f000012.png", "png_sha256": hashlib.sha256(b"pixels").hexdigest()},
         _plane, None),
    Kind("results", RESULTS, {"versions": {"semc": "0.1"}, "planes": [{"png": "001_A_f000001.png"}]},
         _results, None),
    Kind("run", RUN_FACTS, {"arguments": ["--data", "a"], "pid": 1, "created_s": 5.5}, _run_facts, None),
    Kind("progress", PROGRESS_LINE,
         {"event": "step", "step": 3.0, "progress": 0.5, "loss": 1.5, "f1": 0.5, "accuracy": 0.5,
          "eta_s": 60.0,
          "message": "m"},
         _progress, None, embedded=True),
    Kind("protocol", PROTOCOL_FILE,
         {"format": 1, "id": "short-liver", "title": "Liver", "about": "Short.",
          "source": [{"title": "A", "year": 2024, "by": "B"}],
          "item": [{"id": "left-lobe", "title": "Left lobe", "planes": ["LLP"], "optional": True}]},
         lambda folder, content: read_protocol(_written(folder, "own.toml", content)),
         ProtocolError, "own.toml", toml=True),
    Kind("serve", SETTINGS,
         {"format": "semc-live-serve", "version": 1, "folder": "/data/serve", "title": "SEMC_LIVE",
          "senders": [{"title": "SCANNER", "addresses": ["10.1.2.0/24"]}], "host": "127.0.0.1",
          "port": 11112, "model": "in-use", "destination": "archive", "identified": False,
          "rules": [{"model": "fetal", "station": "*", "body_part": "FETUS", "study": "*", "protocol": "*"}],
          "limits": {"associations": 8, "object_mb": 9, "objects_per_minute": 60, "least_free_mb": 9,
                     "idle_s": 9.5, "longest_s": 9.5, "analysis_s": 9.5},
          "tls": {"certificate": "a.pem", "key": "b.pem", "ca": "c.pem"}},
         lambda folder, content: load_settings(_written(folder, "serve.toml", content)),
         UsageError, "serve.toml", toml=True),
    Kind("site", SITE,
         {"format": "semc-live-site", "version": 1, "device": "cpu", "protocol": "auto", "quality": "compact",
          "clips": True, "output_folder": "/srv/scans", "keep_days": 90, "keep_bytes": 5, "heat_map": "true",
          "theme": "light", "language": "de", "text_percent": 125,
          "keys": [{"command": "freeze", "keys": ["F13"]}]},
         lambda folder, content: read_site(_written(folder, "site.json", content)), UsageError, "site.json"),
    Kind("simulated-devices", SCRIPT,
         {"version": 1, "device": [{"name": "Card", "modes": ["640x480@30,yuyv"], "trouble": "busy",
                                    "events": [{"at_frame": 3, "what": "unplug", "seconds": 0.5}]}]},
         lambda folder, content: read_script(_written(folder, "card.toml", content)),
         SourceError, "card.toml", toml=True),
    Kind("training-config", CONFIG,
         {"batch": 8, "optimiser": "sgd", "ultrasound": ["gain"], "losses": {"temperature": 0.1}},
         lambda folder, content: read_config(_written(folder, "config.toml", content)),
         UsageError, "config.toml", toml=True),
    Kind("benchmark", benchmark.BENCHMARK,
         {"name": "own", "patients": {"train": "0:5", "validation": "1000:1005", "test": "2000:2005"},
          "pictures": {"frames": 10, "size": 64},
          "training": {"preset": "semc_tiny", "steps": 4, "batch": 12, "rate": 0.002, "seeds": [1, 2]}},
         lambda folder, content: benchmark.read_benchmark(str(_written(folder, "own.toml", content))),
         UsageError, "own.toml", toml=True),
    Kind("ablation-run", runs.RUN_RESULT,
         {"benchmark_digest": BENCHMARK.digest(), "alpha_mean": [0.5, 0.4],
          "test": {"accuracy": 0.9, "precision": 0.9, "recall": 0.9, "f1": 0.9, "auroc": 0.9,
                   "average_precision": 0.9, "f1_at_thresholds": 0.9}, "predictions": {}},
         _run_result, UsageError, "plain_seed1.json"),
    Kind("compare-run", plan.RUN_RESULT,
         {"plan": "p", "method": "semc", "seed": 1, "steps": 4, "seconds": 2.5, "validation_f1": 0.5,
          "thresholds": [0.4, 0.5], "parameters": 9, "milliseconds": 2.5, "ran_on": "CPU", "model_sha256": "",
          "truth": [0, 1], "group_of": [0, 1], "probabilities": [[0.5, 0.5], [0.25, 0.75]]},
         _compare_run, UsageError, "semc_seed1.json"),
    Kind("outline", outline.SPEC,
         {"height": 4, "width": 4, "channels": [1, 1], "presence": 0.9, "agreement": 0.9, "error": 0.05,
          "notice": "n"},
         _outline, ModelFileError, "head.safetensors", embedded=True),
    Kind("encoder", FACTS, {"network": "resnet", "steps": 4}, _encoder, UsageError, "encoder.safetensors",
         free=("network", "steps"), embedded=True),
    Kind("zenodo-record", zenodo.RECORD,
         {"metadata": {"title": "T", "license": {"id": "cc-by-4.0"}},
          "files": [{"key": "a.zip", "size": 3, "checksum": "md5:00"}]},
         _record, SourceError, "record 123", embedded=True),
    Kind("kept-pictures", loading.FACTS, [["scan", 0.5, 3], ["", 1.5, -1]], _kept_pictures, UsageError,
         ".json"),
    Kind("crop", images.WITH_CROP, {"crop": {"left": 0, "top": 0, "width": 9, "height": 9}}, _crop, None),
    Kind("export-choices", REMEMBERED, {"clips": False, "report": False}, _choices, None,
         free=("clips", "report"), embedded=True),
)  # fmt: skip
