"""Where no rule says which model: the one that knows the pictures, or none."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from semc_core.errors import UsageError
from semc_core.model.catalogue import model_path
from semc_core.paths import ASSETS
from semc_core.phantom.render import render
from semc_core.phantom.scan import SimulatedScan
from semc_core.runtime.load import load_runtime
from semc_core.serve.analyst import Analyst
from semc_core.serve.by_picture import LOOKED_AT, best_of, known, sampled
from semc_core.serve.inbox import Inbox
from semc_core.serve.reply import NO_MODEL_KNOWS
from semc_core.serve.settings import BY_PICTURE, Rule, load_settings, write_settings
from semc_core.sources.open import open_source
from tests.serve.models import scan, write_sure_model
from tests.serve.objects import loop, receiving, settings_of, store, until


def test_the_model_that_knows_most_frames_is_taken_and_none_where_none_knows_any() -> None:
    assert best_of([0, 3, 3, 1]) == 1
    assert best_of([0, 0]) is None
    assert best_of([]) is None


def test_frames_are_spread_over_the_loop(tmp_path: Path) -> None:
    path = tmp_path / "loop.mp4"
    render(SimulatedScan(3, 10.0, 160, 120, 25.0), path)
    with closing(open_source(str(path))) as source:
        picked = [packet.index for packet in sampled(source)]
        count = source.info.frame_count
    assert count is not None
    assert len(picked) == LOOKED_AT
    assert picked[0] == 0
    assert picked[-1] > 0.9 * count
    assert len(set(np.diff(picked))) == 1


@pytest.mark.long
def test_a_simulated_abdomen_a_fetus_and_neither_are_told_apart(tmp_path: Path) -> None:
    abdomen, neither = tmp_path / "abdomen.mp4", tmp_path / "neither"
    render(SimulatedScan(2007, 12.0, 640, 480, 25.0), abdomen)
    neither.mkdir()
    rows = np.mgrid[0:480, 0:640][0]
    noise = np.random.default_rng(1)
    for number in range(30):
        picture = (rows * 0.4 + noise.normal(0, 12, rows.shape)).clip(0, 255).astype(np.uint8)
        assert cv2.imwrite(str(neither / f"{number:03d}.png"), picture)
    fetus = ASSETS / "demonstration" / "fetal_planes.webm"
    runtimes = [load_runtime(model_path(name), "cpu", 1) for name in ("fetal", "live")]
    try:
        chosen = {}
        for path in (abdomen, fetus, neither):
            with closing(open_source(str(path))) as source:
                packets = sampled(source)
            chosen[path.stem] = best_of([known(packets, runtime) for runtime in runtimes])
    finally:
        for runtime in runtimes:
            runtime.close()
    assert chosen == {"fetal_planes": 0, "abdomen": 1, "neither": None}


def test_the_service_analyses_with_the_candidate_that_knows_the_loop_and_leaves_others_alone(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    sure = write_sure_model(tmp_path / "sure.safetensors")
    folder = tmp_path / "inbox"
    with receiving(folder) as (receiver, _):
        assert store(receiver.port, scan(1), loop(number=2, PixelData=bytes(len(loop().PixelData)))) == [
            0,
            0,
        ]
    settings = settings_of(folder, model=BY_PICTURE, candidates=(str(tiny_model_path), str(sure)))
    inbox = Inbox(folder)
    inbox.hold()
    analyst = Analyst(settings, inbox, None, rest_s=0.05)
    analyst.start()
    try:
        until(lambda: inbox.counts() == {"done": 2})
    finally:
        analyst.stop()
    known_one, black = sorted(inbox.all(), key=lambda one: one.object_id)
    inbox.close()
    assert (known_one.model, known_one.planes) == ("sure", 1)
    assert (black.model, black.session, black.message) == ("", "", NO_MODEL_KNOWS)


def test_candidates_are_asked_for_where_the_pictures_shall_choose(tmp_path: Path) -> None:
    path = tmp_path / "serve.toml"
    write_settings(path, tmp_path / "inbox")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('model = "in-use"', f'model = "{BY_PICTURE}"', 1), encoding="utf-8")
    with pytest.raises(UsageError, match=r'add candidates = \["fetal", "live"\]'):
        load_settings(path)
    given = f'model = "{BY_PICTURE}"\ncandidates = ["live"]'
    path.write_text(text.replace('model = "in-use"', given, 1), encoding="utf-8")
    assert load_settings(path).candidates == ("live",)
    assert Rule(BY_PICTURE, body_part="A*").model == BY_PICTURE
