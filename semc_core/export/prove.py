"""Step 4 of an export: prove it.

The manifest lists every file, the session's log names the manifest, and then the export appears.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any, Final

from semc_core.export.deidentified import DeidentifiedScan
from semc_core.export.manifest import MANIFEST_NAME, manifest_of
from semc_core.export.options import ExportOptions, ExportResult
from semc_core.export.staging import Staging
from semc_core.export.watch import Watch
from semc_core.session.records import PERSON, Verification
from semc_core.session.session import Session
from semc_core.session.signing import SignedHead, machine_signer
from semc_core.text import readable
from semc_core.version import VERSION

BEGUN: Final = "export begun"
"""Kind of the log's entry that is written before an export appears."""


def prove(
    session: Session,
    scan: DeidentifiedScan,
    found: Verification,
    options: ExportOptions,
    staging: Staging,
    watch: Watch,
) -> ExportResult:
    """List what was written, log it, and give it its name.

    Args:
        session: Whose log tells of the export.
        scan: What was written.
        found: How the session stood.
        options: The user's choices.
        staging: Where it was written.
        watch: Asked between files until the export has its name.

    Raises:
        ExportCancelled: The user has had enough.
        ExportError: Something of the target's name has come up meanwhile.
        SemcError: Something could not be written.
    """
    signer = machine_signer()
    head = signer.sign_head(session.id, scan.entries, scan.head)
    manifest = manifest_of(staging.folder, _about(scan, found, head), signer)
    staging.write(MANIFEST_NAME, manifest)
    files = [path for path in staging.folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    watch.progress("Writing", 0, 0)
    digest = hashlib.sha256(manifest).hexdigest()
    kind, name = staging.kind, readable(staging.target.name)
    # Before it appears: a kill in between leaves no export that the log does not know.
    session.log(PERSON, BEGUN, {"kind": kind, "sha256": digest})
    staging.publish(watch.check)
    session.record_export(kind, name, digest, _detail(scan, options, len(files)))
    return ExportResult(staging.target, len(files), size, digest, len(scan.planes), scan.notices)


def _about(scan: DeidentifiedScan, found: Verification, head: SignedHead) -> dict[str, Any]:
    model = scan.model
    return {
        "program": VERSION,
        "deidentified": scan.deidentified,
        "looked_for_text": scan.looked_for_text,
        "planes": len(scan.planes),
        "frames": len(scan.table),
        "notices": scan.notices,
        "model_sha256": model.sha256,
        "model_preset": model.preset,
        "model_notice": model.notice,
        "versions": model.versions,
        "audit": {
            "entries": scan.entries,
            "head": scan.head,
            "proof": found.proof.value,
            "findings": len(found.problems),
            "signed": asdict(head),
        },
    }


def _detail(scan: DeidentifiedScan, options: ExportOptions, files: int) -> dict[str, Any]:
    return {
        "planes": len(scan.planes),
        "files": files,
        "looked_for_text": scan.looked_for_text,
        "masks": scan.masks,
        "head": scan.head,
        **options.facts(),
    }
