"""Where the training packages are not installed, the training commands say how to install them."""

from __future__ import annotations

from pathlib import Path

import pytest

import main
from semc_core.extras import INSTALL_TRAINING


def test_a_training_command_without_its_packages_says_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacks(args: object) -> int:
        raise ModuleNotFoundError("No module named 'lightning'", name="lightning")

    monkeypatch.setattr("training.cli.train.prepare", lacks)
    code = main.main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "new.safetensors")])
    assert code == 1
    assert (
        capsys.readouterr().err.strip() == f"semc: train needs lightning; install it with: {INSTALL_TRAINING}"
    )


def test_a_module_that_is_missing_elsewhere_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks() -> int:
        raise ModuleNotFoundError("No module named 'av'", name="av")

    monkeypatch.setattr("semc_core.sources.devices.find.this_system", lacks)
    with pytest.raises(ModuleNotFoundError):
        main.main(["devices"])
