"""Where the packages of the extras are not installed, what needs them says how to install them."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import main
from app.warm_up import warm_up
from semc_core.errors import RuntimeFault
from semc_core.extras import INSTALL_TRAINING, OPTIONAL, needed
from semc_core.paths import DEFAULT_MODEL
from semc_core.runtime import load
from semc_core.runtime.load import load_runtime

ROOT = Path(__file__).resolve().parents[2]


def test_without_the_extras_every_command_explains_itself_and_what_cannot_work_names_its_extra(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.without_extras", str(tmp_path), "--lacking"],
        cwd=ROOT,
        env=os.environ | {"HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout) == (0, "Every command works, or names its extra.\n"), done.stderr


def test_a_training_command_without_its_packages_says_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacks(args: object) -> int:
        raise ModuleNotFoundError("No module named 'lightning'", name="lightning.fabric")

    monkeypatch.setattr("training.cli.train.prepare", lacks)
    code = main.main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "new.safetensors")])
    assert code == 1
    assert capsys.readouterr().err == f"semc: This needs Lightning: {INSTALL_TRAINING}\n"


def test_a_module_that_is_missing_elsewhere_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks() -> int:
        raise ModuleNotFoundError("No module named 'av'", name="av")

    monkeypatch.setattr("semc_core.sources.devices.find.this_system", lacks)
    with pytest.raises(ModuleNotFoundError):
        main.main(["devices"])


def test_with_a_gpu_and_without_pytorch_the_cpu_is_used_and_the_log_says_what_the_gpu_needs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for place in ("semc_core.runtime.load", "app.warm_up"):
        monkeypatch.setattr(f"{place}.nvidia_gpu_present", lambda: True)
        monkeypatch.setattr(f"{place}.installed", lambda package: package != "torch")
    warm_up("auto")
    assert load._best_device() == "cpu"
    assert 'pip install "semc-live[cuda]"' in caplog.text
    with pytest.raises(RuntimeFault, match=r"needs PyTorch: pip install .*choose the device cpu"):
        load_runtime(DEFAULT_MODEL, "cuda")


def test_each_extra_that_is_named_is_one_and_holds_what_is_missing() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    assert {"torch", "torchvision"} <= set(extras["cuda"]) & set(extras["train"])
    # What is imported by another name than it is installed by, or is pulled in by another.
    installed_as = {
        "sklearn": "scikit-learn",
        "imagehash": "ImageHash",
        "scipy": "scikit-learn",
        "fhir": "fhir.resources",
        "starlette": "fastapi",
        "dicomweb_client": "dicomweb-client",
    }
    for package in OPTIONAL:
        extra = needed(package).partition("[")[2].partition("]")[0]
        assert installed_as.get(package, package) in extras[extra], package
    assert needed("av") == needed(None) == ""
