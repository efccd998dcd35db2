"""An export says how its session stood, and proves itself; one that was changed is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import main
from semc_core import paths
from semc_core.errors import SessionChanged
from semc_core.export.bundle import NOT_AS_WRITTEN, export_session
from semc_core.export.manifest import check_bundle
from semc_core.export.options import ExportOptions
from semc_core.session.records import Proof, file_sha256
from semc_core.session.session import Session
from tests.export.scans import video_session
from tests.session.sessions import tamper

OPTIONS = ExportOptions(deidentify=False, clips=False)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's data folder, of its own."""
    monkeypatch.setattr(paths, "data_folder", lambda: tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def session(data: Path, tmp_path: Path) -> Path:
    video_session(tmp_path / "scan").close()
    return tmp_path / "scan"


def exported(session: Path, target: Path, options: ExportOptions = OPTIONS) -> Path:
    with Session.open(session) as opened:
        return export_session(opened, target, options).target


def test_an_export_is_proven_by_the_machine_that_made_it_and_known_by_its_key_elsewhere(
    session: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = exported(session, tmp_path / "study.zip")
    assert check_bundle(bundle).proof is Proof.PROVEN
    assert main.main(["export", "--check", str(bundle)]) == 0
    assert "The export is proven by this machine." in capsys.readouterr().out
    shutil.rmtree(data)
    shutil.rmtree(session)
    found = check_bundle(bundle)
    assert (found.proof, found.problems) == (Proof.CONSISTENT, ())
    assert found.why.startswith("signed by another key, fingerprint ")


@pytest.mark.parametrize("change", ["frames", "deidentified", "audit", "signer", "signature", "files"])
@pytest.mark.requirement("H2")
def test_a_manifest_that_was_edited_is_found(session: Path, tmp_path: Path, change: str) -> None:
    bundle = exported(session, tmp_path / "study")
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    if change == "files":
        (bundle / "planes.csv").write_text("none", encoding="utf-8")
        manifest["files"]["planes.csv"]["sha256"] = file_sha256(bundle / "planes.csv")
    elif change == "audit":
        manifest["audit"]["proof"] = "consistent but unsigned"
    elif change in ("signer", "signature"):
        manifest[change] = "ab" * (len(manifest[change]) // 2)
    else:
        manifest[change] = type(manifest[change])(not manifest[change])
    path.write_text(json.dumps(manifest), encoding="utf-8")
    found = check_bundle(bundle)
    assert found.proof is Proof.CHANGED
    assert "manifest.json was changed: its signature is not by the key that it names." in found.problems


def test_a_signature_that_was_taken_out_is_found(session: Path, tmp_path: Path) -> None:
    bundle = exported(session, tmp_path / "study")
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    del manifest["signature"]
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert check_bundle(bundle).proof is Proof.CHANGED


def test_a_session_that_was_changed_is_exported_only_anyway_and_every_page_says_so(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(session, "UPDATE planes SET confidence = 0.999 WHERE plane_id = 1")
    with pytest.raises(SessionChanged, match="is not as it was written"):
        exported(session, tmp_path / "study")
    assert not (tmp_path / "study").exists()
    command = ["export", str(session), "--out", str(tmp_path / "study"), "--identified", "--no-clips"]
    command += ["--patient-id", "4711"]
    assert main.main(command) != 0
    assert main.main([*command, "--anyway"]) == 0
    assert NOT_AS_WRITTEN in " ".join(capsys.readouterr().out.split())
    bundle = tmp_path / "study"
    assert NOT_AS_WRITTEN in (bundle / "report.html").read_text(encoding="utf-8")
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["audit"]["proof"], manifest["notices"][0]) == ("not as it was written", NOT_AS_WRITTEN)
    found = check_bundle(bundle)
    assert (found.of_changed, found.proof) == (True, Proof.PROVEN)
