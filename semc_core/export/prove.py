"""Step 4 of an export: prove it.

The manifest lists every file, the session's log names the manifest, and then the export appears.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from semc_core.export.deidentified import DeidentifiedScan
from semc_core.export.manifest import MANIFEST_NAME, manifest_of
from semc_core.export.options import ExportOptions, ExportResult
from semc_core.export.staging import Staging
from semc_core.export.watch import Watch
from semc_core.language import N_, english
from semc_core.session.records import PERSON, Verification
from semc_core.session.session import Session
from semc_core.session.signing import Signer, machine_signer
from semc_core.text import readable
from semc_core.version import VERSION

BEGUN: Final = "export begun"
"""Kind of the log's entry that is written before an export appears."""


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A session of a data set.

    Attributes:
        session: Open for writing.
        scan: What of it was written.
        found: How it stood.
    """

    session: Session
    scan: DeidentifiedScan
    found: Verification


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
    signer, member = machine_signer(), Member(session, scan, found)
    manifest = manifest_of(staging.folder, _about(member, signer), signer)
    return _publish([member], manifest, {}, options, staging, watch)


def prove_dataset(
    members: Sequence[Member],
    about: Mapping[str, Any],
    options: ExportOptions,
    staging: Staging,
    watch: Watch,
) -> ExportResult:
    """The same of a data set: one manifest, and an entry in the log of every session; raises the same.

    Args:
        members: The sessions that it is of.
        about: What its manifest says beside that.
        options: The user's choices.
        staging: Where it was written.
        watch: Asked between files until the data set has its name.
    """
    signer = machine_signer()
    whole: dict[str, Any] = {
        "program": VERSION,
        "deidentified": True,
        "looked_for_text": all(each.scan.looked_for_text for each in members),
        "planes": sum(len(each.scan.planes) for each in members),
        **about,
        "sessions": [_audit(each, signer) for each in members],
    }
    manifest = manifest_of(staging.folder, whole, signer)
    result = _publish(members, manifest, {"data_set": about["format_of_data"]}, options, staging, watch)
    return replace(result, planes=whole["planes"], notices=tuple(about["notices"]))


def prove_examination(
    members: Sequence[Member], options: ExportOptions, staging: Staging, watch: Watch
) -> ExportResult:
    """The same of the scans of an examination: one manifest, and an entry in the log of every session.

    Raises the same. The arguments are as of `prove_dataset`.
    """
    signer, first = machine_signer(), members[0].scan
    planes = sum(len(each.scan.planes) for each in members)
    notices = tuple(dict.fromkeys(notice for each in members for notice in each.scan.notices))
    whole: dict[str, Any] = {
        "program": VERSION,
        "deidentified": first.deidentified,
        "looked_for_text": all(each.scan.looked_for_text for each in members),
        "scans": len(members),
        "planes": planes,
        "planes_rejected": sum(each.scan.rejected for each in members),
        "planes_not_chosen": sum(each.scan.not_chosen for each in members),
        "notices": [english(sentence) for sentence in notices],
        "models": [{"sha256": each.scan.model.sha256, "preset": each.scan.model.preset} for each in members],
        "sessions": [_audit(each, signer) for each in members],
    }
    manifest = manifest_of(staging.folder, whole, signer)
    result = _publish(members, manifest, {"scans": len(members)}, options, staging, watch)
    return replace(result, planes=planes, notices=notices)


def _publish(
    members: Sequence[Member],
    manifest: bytes,
    detail: Mapping[str, Any],
    options: ExportOptions,
    staging: Staging,
    watch: Watch,
) -> ExportResult:
    staging.write(MANIFEST_NAME, manifest)
    files = [path for path in staging.folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    watch.progress(N_("Writing"), 0, 0)
    digest = hashlib.sha256(manifest).hexdigest()
    kind, name = staging.kind, readable(staging.target.name)
    # Before it appears: a kill in between leaves no export that the log does not know.
    for each in members:
        each.session.log(PERSON, BEGUN, {"kind": kind, "sha256": digest})
    staging.publish(watch.check)
    for each in members:
        each.session.record_export(kind, name, digest, {**_detail(each.scan, options, len(files)), **detail})
    scan = members[0].scan
    return ExportResult(
        staging.target, len(files), size, digest, len(scan.planes), scan.notices,
        rejected=sum(each.scan.rejected for each in members),
        not_chosen=sum(each.scan.not_chosen for each in members),
    )  # fmt: skip


def _about(member: Member, signer: Signer) -> dict[str, Any]:
    scan, model = member.scan, member.scan.model
    return {
        "program": VERSION,
        "deidentified": scan.deidentified,
        "looked_for_text": scan.looked_for_text,
        "planes": len(scan.planes),
        **_stayed_out(scan),
        "frames": len(scan.table),
        "notices": [english(sentence) for sentence in scan.notices],
        "model_sha256": model.sha256,
        "model_preset": model.preset,
        "model_notice": model.notice,
        "versions": model.versions,
        "audit": _audit(member, signer),
    }


def _stayed_out(scan: DeidentifiedScan) -> dict[str, int]:
    return {"planes_rejected": scan.rejected, "planes_not_chosen": scan.not_chosen}


def _audit(member: Member, signer: Signer) -> dict[str, Any]:
    """How a session stood, and where its log ended."""
    scan, found = member.scan, member.found
    return {
        "entries": scan.entries,
        "head": scan.head,
        "proof": found.proof.value,
        "findings": len(found.problems),
        "signed": asdict(signer.sign_head(member.session.id, scan.entries, scan.head)),
    }


def _detail(scan: DeidentifiedScan, options: ExportOptions, files: int) -> dict[str, Any]:
    return {
        "planes": len(scan.planes),
        **_stayed_out(scan),
        "files": files,
        "looked_for_text": scan.looked_for_text,
        "masks": scan.masks,
        "head": scan.head,
        **options.facts(),
    }
