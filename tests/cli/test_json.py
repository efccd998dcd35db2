"""`--json` prints one document with the keys that docs/json.md names, and nothing beside it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import main
from semc_core.cli.bench import analyse
from semc_core.cli.bench.live import Measured
from semc_core.cli.bench.network import Row
from semc_core.cli.pacs_priors import plain_fetched, plain_studies
from semc_core.cli.pacs_worklist import plain_worklist
from semc_core.pacs.priors.find import Studies, Study
from semc_core.pacs.priors.get import Fetched
from semc_core.pacs.queue_store import Job
from semc_core.pacs.worklist import Worklist
from semc_core.serve.inbox import Received
from semc_core.session.examination import Examination
from semc_core.session.listing import session_folders
from semc_core.session.session import Session
from semc_core.sources.devices import find
from semc_core.sources.devices.linux import LinuxDevices
from tests.cli.commands import all_commands
from tests.export.scans import frame, new_session, video_session
from tests.io.test_plugins import install
from tests.session.sessions import filled_session
from tests.sources.capture_clips import write_images
from tests.sources.device_trees import Card, plug_in
from tests.training.compare.test_tables import found_of
from tests.training.test_ablation import SMALL
from tests.training.toy_folder import write_toy_folder
from training.ablation.tables import summary

ROOT = Path(__file__).resolve().parents[2]
Printed = Callable[..., Any]


def documented() -> dict[str, dict[str, tuple[list[str], bool]]]:
    """Command -> part of what it prints -> its keys, and whether these are all."""
    found: dict[str, dict[str, tuple[list[str], bool]]] = {}
    for line in (ROOT / "docs" / "json.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `semc"):
            command, part, keys = (cell.strip() for cell in line.strip("|").split(" | "))
            always, _, more = keys.partition(";")
            always, _, then = always.partition(", then")
            found.setdefault(command.strip("`"), {})[part.replace("`", "")] = (
                re.findall(r"`(\w+)`", always),
                not (then or more),
            )
    return found


DOCUMENTED = documented()


def check(command: str, printed: Any) -> None:
    """Hold one document against all that is said of it."""
    for part, (keys, all_of_them) in DOCUMENTED[command].items():
        of = part.removeprefix("each of ")
        whole = printed if not isinstance(printed, list) or part == "each" else printed[0]
        rows = [printed] if part == "the document" else printed if part == "each" else whole[of]
        assert rows, f"nothing to look at in {part} of {command}"
        for row in rows:
            missing = set(keys) - set(row)
            assert not missing, (command, part)
            assert not all_of_them or set(row) == set(keys), (command, part)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """Run a command with --json; gives what it printed. Its exit code must be `code`."""

    def run(*arguments: object, code: int = 0) -> Any:
        capsys.readouterr()
        assert main.main([str(each) for each in (*arguments, "--json")]) == code
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one session."""
    with filled_session(tmp_path / "scans" / "first"):
        return tmp_path / "scans"


def test_every_command_with_json_is_documented_and_the_other_way_round() -> None:
    having = {
        name
        for name, command in all_commands().items()
        if any("--json" in param.opts for param in command.params)
    }
    said = {re.sub(r" (ID|--).*", "", command) for command in DOCUMENTED}
    assert having == said | {"semc bench"}, "semc bench is the same as semc bench network"


def test_serve(printed: Printed, tmp_path: Path) -> None:
    settings = tmp_path / "serve.toml"
    assert main.main(["serve", str(settings), "--write-settings"]) == 0
    text = re.sub(
        "(?m)^folder = [^#]*", f"folder = {json.dumps(str(tmp_path / 'inbox'))} ", settings.read_text("utf-8")
    )
    settings.write_text(text, encoding="utf-8")
    assert printed("serve", settings, "--list") == []
    assert DOCUMENTED["semc serve --list"]["each"][0] == [field.name for field in fields(Received)]


def test_inspect(printed: Printed, tmp_path: Path) -> None:
    check("semc inspect", printed("inspect", str(write_images(tmp_path, 2))))


def test_tap(printed: Printed, tmp_path: Path) -> None:
    script = tmp_path / "card.toml"
    script.write_text('version = 1\n[[device]]\nmodes = ["160x120@100,mjpg"]\n', encoding="utf-8")
    out = str(tmp_path / "a.semctap")
    check("semc tap", printed("tap", f"camera:simulated:{script}", "--seconds", "0.1", "--out", out))


def test_devices(printed: Printed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plug_in(tmp_path, Card("USB", "1.4"), 2)
    monkeypatch.setattr(find, "this_system", lambda: LinuxDevices(tmp_path))
    found = printed("devices")
    check("semc devices", found)
    assert found[0]["index"] == 2
    assert found[0]["open"] == "camera:usb-534d:2109@0000:00:14.0-usb2-1.4-1.0"
    monkeypatch.setattr(find, "this_system", lambda: LinuxDevices(tmp_path / "none"))
    assert printed("devices") == []


def test_protocols(printed: Printed, folder: Path, tiny_model_path: Path) -> None:
    check("semc protocols", printed("protocols"))
    check("semc protocols ID", printed("protocols", "lp2025-liver"))
    known = printed("protocols", "lp2025-liver", "--model", tiny_model_path)
    assert all(item["known"] for item in known["items"])
    session = printed("protocols", "lp2025-liver", "--session", folder / "first")
    check("semc protocols ID --session SESSION", session)


def test_sessions(printed: Printed, folder: Path) -> None:
    found = printed("session", "list", folder)
    check("semc session list", found)
    assert found["sessions"][0]["planes"] == 2
    check("semc session show", printed("session", "show", folder / "first"))
    check("semc session verify", printed("session", "verify", folder / "first"))
    told = printed("session", "verify", folder / "first", folder, code=1)
    check("semc session verify", told)
    assert [each["ok"] for each in told] == [True, False]
    assert told[1]["problems"]


def test_pacs(printed: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semc_core.paths.data_folder", lambda: tmp_path)
    assert main.main(["pacs", "add", "archive", "127.0.0.1", "104", "PACS"]) == 0
    capturing = printed("pacs", "servers")
    check("semc pacs servers", capturing)
    assert capturing[0]["tls"] is False
    assert main.main(["pacs", "add-web", "cloud", "https://host/dicom-web"]) == 0
    both = printed("pacs", "servers")
    check("semc pacs servers", both)
    assert [set(each) for each in both] == [set(capturing[0])] * 2
    assert printed("pacs", "list") == []
    check("semc pacs worklist", plain_worklist(Worklist((Examination(),))))
    check("semc pacs find", plain_studies(Studies((Study("1.2"),))))
    check("semc pacs get", plain_fetched(Fetched(tmp_path, "1.2", 1, 1, 0)))
    assert DOCUMENTED["semc pacs list"]["each"][0] == [field.name for field in fields(Job)]


def test_models(printed: Printed, tiny_model_path: Path) -> None:
    check("semc model info", printed("model", "info", tiny_model_path))
    assert main.main(["model", "use", str(tiny_model_path), "--force"]) == 0
    found = printed("model", "list")
    check("semc model list", found)
    assert found["in_use"] == 1
    check("semc model verify", printed("model", "verify", ROOT / "assets/models/semc_live.safetensors"))


def test_measurements() -> None:
    """What they print is these dataclasses; they are run in tests of their own."""
    assert DOCUMENTED["semc bench network"]["each of rows"][0] == [field.name for field in fields(Row)]
    assert DOCUMENTED["semc bench live"]["the document"][0] == [field.name for field in fields(Measured)]
    analysis = DOCUMENTED["semc bench analyse"]["the document"][0]
    assert analysis == [field.name for field in fields(analyse.Measured)]


def test_data_sets(printed: Printed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy = write_toy_folder(tmp_path / "toy", 60)
    assert main.main(["data", "check", str(toy), "--json", "-"]) == 0
    check("semc data check", json.loads(capsys.readouterr().out))
    assert not Path("-").exists()
    check("semc data split", printed("data", "split", toy))
    check("semc data get", printed("data", "get"))


def test_training_results(printed: Printed, tiny_model_path: Path, tmp_path: Path) -> None:
    simulated = ["--patients", "2000", "--seconds", "4", "--size", "160x120", "--processes", "1"]
    found = printed("eval", tiny_model_path, *simulated, "--draws", "20")
    check("semc eval", found)
    assert "simulated" in found
    check("semc ablate --list", printed("ablate", "--list", "--data", tmp_path, "--out", tmp_path))
    check("semc ablate", summary(SMALL, {}, {"device": "CPU"}))
    compared = found_of({"semc": 0.0, "resnet": 0.5}, problems={"supcon": "It failed."})
    check("semc compare", compared)
    assert {frozenset(row) for row in compared["methods"]} == {frozenset(compared["methods"][0])}


def test_pictures(printed: Printed, tiny_model_path: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "pictures", 2)
    common = ("--out", tmp_path / "out.csv", "--model", tiny_model_path, "--threads", "1")
    check("semc classify", printed("classify", tmp_path / "pictures", *common))
    few = ("--budget", "1", *common[2:])
    check("semc label-next", printed("label-next", tmp_path / "pictures", *few))


def test_analyses(printed: Printed, tiny_model_path: Path, tmp_path: Path) -> None:
    scan = tmp_path / "scan.mp4"
    assert (
        main.main(
            ["phantom", "render", "--seconds", "1", "--width", "160", "--height", "120", "--out", str(scan)]
        )
        == 0
    )
    found = printed("analyse", scan, "--out", tmp_path / "out", "--model", tiny_model_path, "--threads", "1")
    check("semc analyse", found)
    assert found == json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    bad = printed(
        "analyse", tmp_path / "none.mp4", "--out", tmp_path / "out", "--model", tiny_model_path, code=1
    )
    assert bad["failed"] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="its cache folder is named for Linux")
def test_a_scan_that_runs_unseen(tmp_path: Path, tiny_model_path: Path) -> None:
    asked = Examination("Zweistein^Alberta", "4711", accession_number="A1")
    (tmp_path / "asked.json").write_text(asked.to_text(), encoding="utf-8")
    arguments = ["simulated:7", "--offscreen", "--seconds", "2", "--model", str(tiny_model_path)]
    arguments += ["--examination", str(tmp_path / "asked.json")]
    done = subprocess.run(
        [sys.executable, "main.py", "live", *arguments, "--out", str(tmp_path / "out"), "--json"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    found = json.loads(done.stdout)
    keys, _ = DOCUMENTED["semc live"]["the document"]
    assert list(found) == keys
    (folder,) = session_folders(tmp_path / "out")
    with Session.open(folder, read_only=True) as session:
        assert session.examination == asked
    assert "Zweistein" not in done.stdout + done.stderr


def test_two_raters(printed: Printed, tmp_path: Path) -> None:
    with video_session(tmp_path / "one", count=30) as one:
        planes = {1: ("FHP2", 8)}
        with new_session(
            tmp_path / "two", [frame(index) for index in range(30)], source=one.source, planes=planes
        ):
            pass
    check("semc session compare", printed("session", "compare", tmp_path / "one", tmp_path / "two"))


def test_plugins(printed: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "semc-toy", "toy", "", {"semc_live.sources": {"toy": "toy:f"}})
    monkeypatch.syspath_prepend(str(tmp_path))
    check("semc plugins", printed("plugins"))
