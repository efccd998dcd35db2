"""Writes the JSON Schema of every document that the program reads into `docs/schemas`.

    python -m docs.write_schemas

A test holds the files against the program.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from app.site import SITE
from app.train.presenter import PROGRESS_LINE
from app.train.process import RUN_FACTS
from semc_core.cli.results import RESULTS
from semc_core.export.kept_readings import KEPT
from semc_core.export.manifest import MANIFEST, WHOLE
from semc_core.export.masks import MASKS
from semc_core.export.options import REMEMBERED
from semc_core.io.documents import Document
from semc_core.io.foreign_fields import FIELDS
from semc_core.model.comparison import COMPARISON
from semc_core.model.file import HEADER
from semc_core.model.outline import SPEC
from semc_core.model.registry import INDEX
from semc_core.model.spec import DESCRIPTION
from semc_core.pacs.destinations import DESTINATIONS
from semc_core.pacs.performed import STEP
from semc_core.pacs.queue_store import ITEM, JOB
from semc_core.pacs.web_secret import WEB_SECRETS
from semc_core.protocols.loader import PROTOCOL_FILE
from semc_core.review.labels.files import COCO
from semc_core.serve.inbox import RECEIVED
from semc_core.serve.settings import SETTINGS
from semc_core.session.annotations import ANNOTATIONS
from semc_core.session.audit_log import FOUND_PLANE, ORIGIN
from semc_core.session.database import AUDIT_ROW
from semc_core.session.erasing.forget import BESIDE
from semc_core.session.examination import EXAMINATION, WORKLIST
from semc_core.session.files import STORED_PLANE
from semc_core.session.poses import FRAME_POSES
from semc_core.session.recording.proof import DELETED_RECORDING, ENDED, HASHED_FILES
from semc_core.session.same_examination import SAME
from semc_core.session.signing import SIGNED_HEAD
from semc_core.session.state import DETAIL, PAYLOAD, POINTS, TABLES
from semc_core.sources.devices.script import SCRIPT
from semc_core.sources.devices.true_delay import DELAYS
from semc_core.sources.raw.records import CODING, NOTE
from semc_core.sources.raw.records import ORIGIN as TAPPED
from training.ablation.runs import RUN_RESULT
from training.benchmark import BENCHMARK
from training.compare.plan import PLAN as COMPARE_PLAN
from training.compare.plan import RUN_RESULT as COMPARE_RUN
from training.config_file import CONFIG
from training.data.hub.zenodo import RECORD
from training.data.images import WITH_CROP
from training.data.loading import FACTS
from training.held_out.apart import DEAL
from training.initialization import FACTS as ENCODER
from training.region.evaluate import OUTLINES

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FOLDER: Final = Path(__file__).parent / "schemas"

DOCUMENTS: Final[dict[str, tuple[str, Document[Any]]]] = {
    "model": ("what a model file says of itself, under `semc` in its metadata", DESCRIPTION),
    "model-header": ("the header of a model file, as of any safetensors file", HEADER),
    "outline": ("what an outline network's file says of itself, under `semc_outline` in its metadata", SPEC),
    "encoder": ("what an encoder file says of itself, under `semc_encoder` in its metadata", ENCODER),
    "library": ("library.json: the models of a user", INDEX),
    "comparison": ("comparison.json: a new model held against the one in use", COMPARISON),
    "protocol": ("a protocol in TOML", PROTOCOL_FILE),
    "plane": ("what is read of the JSON beside a saved picture", STORED_PLANE),
    "plane-crop": ("what a training reads of the JSON beside a picture", WITH_CROP),
    "outlines": ("outlines of real pictures that the region finder is held against", OUTLINES),
    "results": ("what is read of planes.json in results of `semc analyse`", RESULTS),
    "session-json": ("what stands as JSON in a session's folder, of which a source's name is erased", BESIDE),
    "log-entry": ("a row of the table `audit` of a session; `payload` is JSON", AUDIT_ROW),
    "log-payload": ("what every entry of a session's log may say", PAYLOAD),
    "log-created": ("what the first entry of a log says", ORIGIN),
    "log-plane": ("what an entry of the kind `plane` says", FOUND_PLANE),
    "log-recording": ("what an entry of the kind `recording` says", ENDED),
    "log-recording-deleted": (
        "what an entry of the kind `recording deleted` says",
        DELETED_RECORDING,
    ),
    "log-recording-hashed": ("what an entry of the kind `recording hashed` says", HASHED_FILES),
    "log-poses": ("what an entry of the kind `poses` says", FRAME_POSES),
    "signed-head": (
        "a signed head: in the table `local` of a session, in heads.jsonl and in a manifest",
        SIGNED_HEAD,
    ),
    "log-export": ("what the row of an export says under `detail`", DETAIL),
    "measurement-points": ("what a measurement says of its points, each x and y in pixels", POINTS),
    **{
        f"state-{name}": (f"a row of the table `{name}` of a session", t.document)
        for name, t in TABLES.items()
    },
    "annotations": ("what a person wrote and drew on frames of a session", ANNOTATIONS),
    "examination": ("the examination of a worklist that a session belongs to", EXAMINATION),
    "worklist": ("what is read of the list that `semc pacs worklist --json` prints", WORKLIST),
    "performed-step": ("a scan of an examination that a server is to be told of", STEP),
    "foreign-fields": ("a list that is changed, whose fields of a newer program are kept", FIELDS),
    "export-choices": ("what the settings remember of the last export", REMEMBERED),
    "same-examination": ("the log's entry that says which scan another goes on with", SAME),
    "manifest": ("what is read of manifest.json in an export", MANIFEST),
    "manifest-whole": ("all that a manifest says, which is what is signed", WHOLE),
    "coco-labels": ("what is read of a COCO file of labels", COCO),
    "masks": ("masks.json: what is blanked, by device", MASKS),
    "readings": (
        "readings/*.json: where text was found in a session's pictures, and what was said of it",
        KEPT,
    ),
    "destinations": ("destinations.json: servers", DESTINATIONS),
    "web-secrets": ("web_secrets.json: what proves to DICOMweb services who asks", WEB_SECRETS),
    "queue-job": ("a job of the sending queue", JOB),
    "queue-item": ("an object in the sending queue", ITEM),
    "site": ("site.json: what an administrator sets for all windows on a computer", SITE),
    "serve": ("serve.toml: settings of `semc serve`", SETTINGS),
    "serve-received": ("an object in the inbox of `semc serve`", RECEIVED),
    "training-run": ("run.json: a training that the window started", RUN_FACTS),
    "training-progress": ("a line of progress.jsonl", PROGRESS_LINE),
    "training-pictures": ("the JSON beside pictures that a training keeps", FACTS),
    "training-deal": ("deal.json: the split of each group of a run, by its keyed hash", DEAL),
    "simulated-devices": ("the script of simulated capture devices in TOML", SCRIPT),
    "true-delays": ("true_delays.json: what `semc bench glass` measured, by device", DELAYS),
    "tap-origin": ("the record O of a raw tap: where the data come from", TAPPED),
    "tap-coding": ("a record C of a raw tap: how the data after it are coded", CODING),
    "tap-note": ("a record N of a raw tap: what happened", NOTE),
    "training-config": ("the choices of a training in TOML; each may be left out", CONFIG),
    "benchmark": ("the definition of a benchmark in TOML", BENCHMARK),
    "ablation-run": ("what must be in the result of one training of an ablation", RUN_RESULT),
    "compare-plan": ("plan.json of semc compare: what is the same for all of its trainings", COMPARE_PLAN),
    "compare-run": ("the result of one training of semc compare", COMPARE_RUN),
    "zenodo-record": ("what is read of a record of Zenodo", RECORD),
}
"""By the name of the schema's file: what the document is, and what it is held against."""


def schema_of(name: str) -> str:
    """The text of a schema's file."""
    about, document = DOCUMENTS[name]
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": about,
        **document.schema(),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all of them, and remove those of documents that are gone."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.stem not in DOCUMENTS:
            path.unlink()
    for name in DOCUMENTS:
        (FOLDER / f"{name}.json").write_text(schema_of(name), encoding="utf-8")


if __name__ == "__main__":
    main()
