"""Recipes by name: each repeats by its generator, stays in range, and changes every frame by itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from semc_core.errors import UsageError
from training.transforms.augment import to_side
from training.transforms.recipes import RECIPES, make_recipe
from training.transforms.ultrasound import OPTIONS, Haze, Shadow, TimeGain


def sector_frames(count: int, side: int = 64) -> Tensor:
    """uint8 (B, s, s): gray noise inside a sector below the probe, black outside."""
    rows, columns = torch.meshgrid(torch.linspace(0, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    inside = (columns.abs() < 0.2 + 0.7 * rows) & (rows > 0.1)
    noise = torch.randint(60, 160, (count, side, side), generator=torch.Generator().manual_seed(0))
    return (noise * inside).to(torch.uint8)


def changed(name: str, ultrasound: tuple[str, ...] = (), seed: int = 4, side: int = 48) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return make_recipe(name, generator, ultrasound=ultrasound)(sector_frames(6), side)


@pytest.mark.parametrize("ultrasound", [(), tuple(OPTIONS)], ids=["", "with ultrasound"])
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_repeats_by_its_generator_and_keeps_its_range(
    name: str, ultrasound: tuple[str, ...]
) -> None:
    before = torch.get_rng_state()
    first, again = changed(name, ultrasound), changed(name, ultrasound)
    assert torch.equal(first, again)
    assert first.shape == (6, 1, 48, 48)
    assert first.dtype == torch.float32
    assert 0 <= float(first.min()) <= float(first.max()) <= 1
    assert torch.equal(torch.get_rng_state(), before)  # others who draw are not disturbed
    if name != "none" or ultrasound:
        assert not torch.equal(first, changed(name, ultrasound, seed=5))


def ramps(count: int, side: int = 64) -> Tensor:
    """uint8 (B, s, s): a disc that brightens from black at its top left to white at its lower right."""
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    inside = (rows**2 + columns**2) < 0.9
    return ((128 + 60 * rows + 30 * columns) * inside).to(torch.uint8).repeat(count, 1, 1)


def slopes(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """How much brighter the lower and the right halves are, each (B,), in parts of white."""
    half = pictures.shape[-1] // 2
    down = pictures[:, 0, half:].mean(dim=(1, 2)) - pictures[:, 0, :half].mean(dim=(1, 2))
    right = pictures[:, 0, :, half:].mean(dim=(1, 2)) - pictures[:, 0, :, :half].mean(dim=(1, 2))
    return down, right


@pytest.mark.parametrize(
    ("name", "upside_down", "mirrored"),
    [("paper", 0.5, 0.5), ("released", 0.0, 0.5), ("simclr", 0.0, 0.5), ("live", 0.0, 0.0), ("none", 0, 0)],
)
def test_a_recipe_flips_as_it_is_published_and_turns_none_on_its_side(
    name: str, upside_down: float, mirrored: float
) -> None:
    recipe = make_recipe(name, torch.Generator().manual_seed(3))
    down, right = slopes(recipe(ramps(200), 64))
    before, across = (float(each) for each in slopes(ramps(1)[:, None].float() / 255))
    assert before > 1.5 * across > 0
    assert float((down < 0).float().mean()) == pytest.approx(upside_down, abs=0.1)
    if name == "simclr":  # crops show a part, and so no slope that could be told from the disc's edge
        return
    assert float((right < 0).float().mean()) == pytest.approx(mirrored, abs=0.2)
    assert float((down.abs() > 0.5 * right.abs()).float().mean()) > 0.85
    if name == "paper":  # turned by ten degrees at most: what went down goes down or up, hardly aside
        tilt = torch.rad2deg(torch.atan2(right.abs(), down.abs()))
        upright = float(torch.rad2deg(torch.atan2(torch.tensor(across), torch.tensor(before))))
        assert float((tilt - upright).abs().max()) < 12
        assert float((tilt - upright).abs().max()) > 6


@pytest.mark.parametrize(("name", "brightness"), [("paper", 0.2), ("released", 0.2)])
def test_brightness_changes_by_as_much_as_is_published(name: str, brightness: float) -> None:
    flat = torch.full((300, 64, 64), 128, dtype=torch.uint8)
    centres = make_recipe(name, torch.Generator().manual_seed(5))(flat, 64)[:, 0, 32, 32]
    share = centres[centres > 0] / (128 / 255)  # erased ones are black
    assert float(share.min()) == pytest.approx(1 - brightness, abs=0.02)
    assert float(share.max()) == pytest.approx(1 + brightness, abs=0.02)
    erased = float((centres == 0).float().mean())
    assert erased < 0.1
    assert (erased > 0) is (name == "released")


@pytest.mark.parametrize("name", ["paper", "released"])
def test_equal_frames_are_changed_differently_and_the_next_batch_too(name: str) -> None:
    frames = sector_frames(1).repeat(5, 1, 1)
    recipe = make_recipe(name, torch.Generator().manual_seed(1))
    first, second = recipe(frames, 64), recipe(frames, 64)
    assert len({picture.numpy().tobytes() for picture in [*first, *second]}) == 10


def test_none_changes_nothing_but_the_size() -> None:
    assert torch.equal(changed("none"), to_side(sector_frames(6), 48))


def test_a_generator_saved_goes_on_with_the_same_batches() -> None:
    generator = torch.Generator().manual_seed(8)
    recipe = make_recipe("released", generator)
    recipe(sector_frames(2), 48)
    state = generator.get_state()
    expected = recipe(sector_frames(2), 48)
    resumed = torch.Generator()
    resumed.set_state(state)
    assert torch.equal(make_recipe("released", resumed)(sector_frames(2), 48), expected)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_scanners_changes_leave_what_is_outside_its_field_black(name: str) -> None:
    torch.manual_seed(2)
    picture = to_side(sector_frames(1), 64)[0]
    change = OPTIONS[name]()
    for _ in range(10):
        outside = change(picture)[0, :8, :4]
        assert float(outside.abs().max()) == 0


def test_haze_brightens_a_dark_place_in_the_field() -> None:
    torch.manual_seed(0)
    picture = to_side(sector_frames(1), 64)[0]
    picture[:, 25:31, 30:36] = 0
    assert max(float(Haze()(picture)[:, 25:31, 30:36].max()) for _ in range(20)) > 0.02


def test_shadows_darken_below_and_time_gain_goes_by_depth() -> None:
    torch.manual_seed(1)
    gray = torch.full((1, 64, 64), 0.5)
    shadowed = Shadow()(gray)
    assert float(shadowed[0, -1].min()) < 0.4
    assert float(shadowed.max()) <= 0.5
    gained = TimeGain()(gray)
    assert float(gained.std(dim=2).max()) == 0
    assert float(gained.mean(dim=2).std()) > 0.005


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match=r"'best'.*released"):
        changed("best")
    with pytest.raises(UsageError, match=r"'doppler'.*time-gain"):
        changed("live", ("doppler",))
