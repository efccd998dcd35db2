"""An installed package adds a source, a format and a runtime; a broken one is a sentence, not a crash."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import main
from semc_core.errors import RuntimeFault, SourceError
from semc_core.io.plugins import Plugin, PluginError, find_plugin, guarded, plugins
from semc_core.picture_options import AS_IT_IS
from semc_core.runtime.load import DEVICES, load_runtime
from semc_core.sources.open import open_source
from semc_core.sources.plugged import open_plugged
from tests.export.scans import video_session

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")


def install(folder: Path, package: str, module: str, code: str, points: dict[str, dict[str, str]]) -> None:
    """What pip leaves of a package in a folder on the path."""
    about = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / f"{module}.py").write_text(code, encoding="utf-8")
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8"
    )
    groups = "".join(
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in those.items())
        for group, those in points.items()
    )
    (about / "entry_points.txt").write_text(groups, encoding="utf-8")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip installed the package that the page describes, from the page itself."""
    project, site = tmp_path_factory.mktemp("semc-toy"), tmp_path_factory.mktemp("site")
    described = "\n".join(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
    (project / "pyproject.toml").write_text(described, encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    (project / "semc_toy.py").write_text(code, encoding="utf-8")
    # Nothing is asked of an index: what builds it is here.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--target", str(site), str(project)],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return site


@pytest.fixture
def toy(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is installed."""
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.delitem(sys.modules, "semc_toy", raising=False)


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package in which everything goes wrong, each in a way of its own."""
    code = (
        "class Source:\n    info = None\n    def read(self): return 1 / 0\n"
        "    def interrupt(self): pass\n    def close(self): raise KeyError('x')\n"
        "def opens(text, options): return Source()\n"
        "def nothing(*given): return None\n"
        "def fails(*given): raise OSError('no such\\nthing')\n"
        "def escapes(dataset, write): write('../outside.txt', b'')\n"
        "word = 'no function'\n"
    )
    points = {
        "semc_live.sources": {
            "reads": "broken:opens", "none": "broken:nothing", "gone": "nowhere_at_all:f",
            "word": "broken:word",
        },
        "semc_live.exporters": {"fails": "broken:fails", "escapes": "broken:escapes"},
        "semc_live.runtimes": {"fails": "broken:fails", "none": "broken:nothing"},
    }  # fmt: skip
    install(tmp_path / "bad", "semc-broken", "broken", code, points)
    monkeypatch.syspath_prepend(str(tmp_path / "bad"))
    monkeypatch.delitem(sys.modules, "broken", raising=False)


def test_pip_knows_it_as_any_package(installed: Path) -> None:
    (about,) = installed.glob("semc_toy-*.dist-info")
    assert (about / "RECORD").read_text(encoding="utf-8").count("semc_toy") >= 3
    assert "semc_live.sources" in (about / "entry_points.txt").read_text(encoding="utf-8")


@pytest.mark.usefixtures("toy")
def test_a_plug_in_is_listed_without_being_imported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["plugins", "--json"]) == 0
    listed = {(each["kind"], each["name"]): each for each in json.loads(capsys.readouterr().out)}
    assert set(listed) >= {("source", "toy"), ("exporter", "names"), ("runtime", "toy")}
    assert listed["source", "toy"]["package"] == "semc-toy"
    assert listed["source", "toy"]["version"] == "1.0"
    assert "semc_toy" not in sys.modules
    assert main.main(["plugins", "--check"]) == 0
    assert "semc_toy:open_toy" in capsys.readouterr().out
    assert "semc_toy" in sys.modules


@pytest.mark.usefixtures("toy")
def test_a_source_of_a_plug_in_is_opened_by_its_name() -> None:
    source = open_source("toy://3")
    read = [source.read() for _ in range(4)]
    source.close()
    assert [None if packet is None else int(packet.gray.max()) for packet in read] == [0, 10, 20, None]
    with pytest.raises(SourceError, match=r"write toy://3\.$"):
        open_source("toy://many")
    with pytest.raises(SourceError, match="are not supported"):
        open_source("other://3")


@pytest.mark.usefixtures("toy")
def test_a_format_of_a_plug_in_writes_a_data_set_that_is_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("semc_core.export.dataset.bundle.load_text_finder", lambda: None)
    video_session(tmp_path / "session", count=30).close()
    out = tmp_path / "out"
    assert main.main(["dataset", str(tmp_path / "session"), "--format", "names", "--out", str(out)]) == 0
    names = (out / "names.txt").read_text(encoding="utf-8").split()
    assert names[1::2] == ["FHP1", "LLP"]
    assert all((out / f"{name}.png").is_file() for name in names[::2])
    capsys.readouterr()
    assert main.main(["export", "--check", str(out)]) == 0


@pytest.mark.usefixtures("toy")
def test_a_runtime_of_a_plug_in_is_a_device(tiny_model_path: Path) -> None:
    assert "toy" in DEVICES
    assert "toys" not in DEVICES
    assert list(DEVICES) == ["auto", "cpu", "cuda", "torch-cpu"]
    runtime = load_runtime(tiny_model_path, "toy")
    p = runtime.spec.preprocessing
    (prediction,) = runtime.classify(
        np.zeros((1, runtime.spec.architecture.in_channels, p.height, p.width), np.float32)
    )
    assert runtime.device_name == "a toy"
    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-4)
    runtime.close()


def test_a_plug_in_that_ends_the_program_is_a_sentence_and_ends_nothing() -> None:
    def leave() -> None:
        raise SystemExit("needs a newer Python")

    plugin = Plugin("source", "toy", "semc-toy", "1.0", "semc_toy:leave")
    with pytest.raises(
        PluginError, match=r"could not be loaded \(SystemExit: needs a newer Python\); update"
    ):
        guarded(plugin, "be loaded", leave)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("gone://1", r"could not be loaded \(ModuleNotFoundError"),
        ("word://1", "is no function"),
        ("none://1", "gave no source of frames"),
    ],
)
def test_a_broken_source_is_a_sentence(address: str, says: str) -> None:
    with pytest.raises(SourceError, match=f"plug-in .* of semc-broken .*{says}|{says}"):
        open_source(address)


@pytest.mark.usefixtures("broken")
def test_a_source_that_breaks_while_it_is_read_is_a_sentence() -> None:
    source = open_plugged("reads://1", AS_IT_IS)
    assert source is not None
    with pytest.raises(SourceError, match=r"could not read \(ZeroDivisionError: division by zero\); update"):
        source.read()
    with pytest.raises(SourceError, match="could not close"):
        source.close()


@pytest.mark.usefixtures("broken")
def test_a_broken_runtime_is_a_sentence(tiny_model_path: Path) -> None:
    with pytest.raises(RuntimeFault, match=r"could not load the model \(OSError: no such thing\); update"):
        load_runtime(tiny_model_path, "fails")
    with pytest.raises(RuntimeFault, match="gave no runtime"):
        load_runtime(tiny_model_path, "none")


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize(
    ("name", "says"), [("fails", "could not write the data set"), ("escapes", "outside of the data set")]
)
def test_a_broken_format_is_a_sentence_and_leaves_nothing(
    name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("semc_core.export.dataset.bundle.load_text_finder", lambda: None)
    video_session(tmp_path / "session", count=30).close()
    out = tmp_path / "out"
    assert main.main(["dataset", str(tmp_path / "session"), "--format", name, "--out", str(out)]) == 1
    assert says in capsys.readouterr().err
    assert not out.exists()
    assert not (tmp_path / "outside.txt").exists()


@pytest.mark.usefixtures("broken")
def test_a_check_names_each_that_cannot_be_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["plugins"]) == 0
    assert main.main(["plugins", "--check"]) == 1
    said = capsys.readouterr().out
    assert "The plug-in gone of semc-broken could not be loaded" in said
    assert "The plug-in word of semc-broken is no function" in said


@pytest.mark.usefixtures("toy")
def test_two_packages_with_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "more", "semc-other", "other_toy", "", {"semc_live.sources": {"toy": "other_toy:f"}})
    monkeypatch.syspath_prepend(str(tmp_path / "more"))
    assert len([each for each in plugins("source") if each.name == "toy"]) == 2
    with pytest.raises(PluginError, match="both bring the source toy; uninstall one"):
        find_plugin("source", "toy")
    with pytest.raises(SourceError, match="both bring the source toy"):
        open_source("toy://3")
