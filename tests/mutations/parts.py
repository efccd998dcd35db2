"""Which files are changed by the survey, and which tests are run against each change: fast ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Part:
    """Files that the same tests look after.

    Attributes:
        name: For people.
        files: From the root; "*" stands for every file of a folder.
        tests: Files, from the root, those that notice most first.
    """

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]

    def paths(self, root: Path) -> list[str]:
        """The files, from the root, sorted."""
        found = {path for pattern in self.files for path in root.glob(pattern) if path.stat().st_size}
        return sorted(path.relative_to(root).as_posix() for path in found)


PARTS: Final = (
    Part("detector", ("semc_core/pipeline/detector.py",), ("tests/pipeline/test_detector.py",)),
    Part("losses", ("training/losses/*.py",), ("tests/training/losses",)),
    Part(
        "metrics",
        (
            "training/metrics.py",
            "semc_core/groups/bootstrap.py",
            "training/evaluation/metrics.py",
            "training/evaluation/reliability.py",
        ),
        ("tests/training/evaluation/test_metrics.py",),
    ),
    Part(
        "calibration",
        ("semc_core/runtime/calibration.py", "training/calibration.py"),
        ("tests/runtime/test_calibration.py", "tests/training/test_calibration.py"),
    ),
    Part(
        "de-identification",
        (
            "semc_core/export/deidentified.py",
            "semc_core/export/deidentify.py",
            "semc_core/export/masks.py",
            "semc_core/export/text_search.py",
        ),
        (
            "tests/export/test_masks.py",
            "tests/export/test_deidentify.py",
            "tests/export/test_clip_look.py",
            "tests/export/test_doubtful.py",
        ),
    ),
    Part(
        "de-identification of DICOM",
        (
            "semc_core/export/dicom/confidentiality.py",
            "semc_core/export/dicom/header.py",
            "semc_core/export/dicom/uids.py",
        ),
        (
            "tests/export/dicom/test_deidentify.py",
            "tests/export/dicom/test_sources.py",
            "tests/export/dicom/test_examination.py",
        ),
    ),
    Part(
        "audit chain",
        ("semc_core/session/audit_log.py", "semc_core/session/proof/verify.py"),
        (
            "tests/session/test_audit_log.py",
            "tests/session/test_verify.py",
            "tests/session/recording/test_proof.py",
            "tests/session/test_session.py",
        ),
    ),
)
