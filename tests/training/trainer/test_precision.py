"""Which half a training computes in is said, and is what the machine can."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.cli.common import Saying, TrainingOptions, carry_out
from training.trainer import distributed


def test_half_precision_on_a_processor_is_said_to_be_bfloat16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stopped:
        """Stands for a trainer that is asked to stop at once."""

        is_global_zero = True
        step = 0

        def fit(self, callbacks: object = ()) -> bool:
            return False

    for card, said in ((False, "--precision 16 is carried out as bf16"), (True, "")):
        monkeypatch.setattr("torch.cuda.is_available", lambda card=card: card)
        assert distributed.carried_out("16") == ("16" if card else "bf16")
        args = TrainingOptions(out=tmp_path / "x.safetensors", data=[], precision="16")
        carry_out(Stopped(), args, None, Saying("", "opening", str), lambda progress: 0.0)  # type: ignore[arg-type]
        told = capsys.readouterr().out
        assert ("bfloat16" in told) == bool(said)
        assert said in told
    assert distributed.carried_out("32") == "32"
