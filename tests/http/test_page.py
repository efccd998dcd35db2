"""The page on the HTTP interface: its examples run as they stand, against a service with the usual token."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from semc_core.http.token import VARIABLE
from tests.http.serving import PLAIN, TOKEN, loop_file, serving
from tests.serve.models import PLANE, write_sure_model

PAGE = Path(__file__).parents[2] / "docs" / "http.md"
KEPT = "~/.local/share/semc-live/http/token"


def example(language: str, first: str, port: int) -> str:
    """The block in a language that begins so, for a service at this port."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    (block,) = [each for each in blocks if each.startswith(first)]
    assert "127.0.0.1:8765" in block
    assert KEPT in block
    return str(block.replace(":8765", f":{port}"))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_examples_run_as_they_stand(tmp_path: Path) -> None:
    model = write_sure_model(tmp_path / "sure.safetensors")
    token = Path(KEPT.replace("~", str(tmp_path)))
    token.parent.mkdir(parents=True)
    token.write_text(f"{TOKEN}\n", encoding="ascii")
    # What a file is is seen in it.
    loop_file(tmp_path).rename(tmp_path / "loop.mp4")
    here = {name: value for name, value in os.environ.items() if name != VARIABLE} | {"HOME": str(tmp_path)}
    with serving(tmp_path / "service", model) as served:
        for command in (
            ["bash", "-ec", example("sh", "umask", served.port)],
            [sys.executable, "-c", example("python", "import json", served.port)],
        ):
            done = subprocess.run(
                command, cwd=tmp_path, env=here, capture_output=True, encoding="utf-8", check=False
            )
            assert done.returncode == 0, done.stderr
    answer = PLAIN.parse((tmp_path / "planes.json").read_bytes())
    first, *planes = done.stdout.splitlines()
    assert first == f"{answer['frames']} frames by {answer['model_sha256'][:8]}"
    assert len(planes) == len(answer["planes"]) > 0
    assert planes[0].startswith(f"{PLANE} at ")
    assert "semc_loops_analysed_total 1.0" in (tmp_path / "metrics.txt").read_text(encoding="utf-8")
    assert "POST /planes" in (tmp_path / "interface.html").read_text(encoding="utf-8")
