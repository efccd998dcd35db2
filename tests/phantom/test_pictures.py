"""What the simulated pictures show, measured in the pictures."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.phantom.anatomy import Anatomy, Vector
from semc_core.phantom.bmode import BModeScanner, SectorGeometry
from semc_core.phantom.probe import Beams, Frame3D, Machine, Pose, frame_of
from semc_core.phantom.scan import SimulatedScan
from semc_core.phantom.tissue import TissueModel
from semc_core.phantom.trajectory import standard_poses

_SEEDS = range(8)
_WIDTH, _HEIGHT = 640, 480


def _pixel(geometry: SectorGeometry, frame: Frame3D, point: Vector) -> tuple[float, float]:
    """Column and row at which a point of the image plane is drawn."""
    away = point - frame.contact
    column = geometry.centre_px + away @ frame.lateral * geometry.px_per_mm
    return float(column), float(geometry.skin_px + away @ frame.axial * geometry.px_per_mm)


def _sector(geometry: SectorGeometry) -> NDArray[np.bool_]:
    """(height, width): whether a pixel lies in the sector."""
    inside = np.zeros(geometry.shape, bool)
    flat = np.ones((64, 64), np.uint8)
    inside[geometry.box] = cv2.remap(flat, *geometry.polar_map((64, 64)), interpolation=cv2.INTER_NEAREST)
    return inside


def _disc(
    picture: NDArray[np.uint8], geometry: SectorGeometry, column: float, row: float, radius_mm: float
) -> NDArray[np.uint8]:
    """The sector's gray levels within a radius of a pixel."""
    rows, columns = np.indices(picture.shape)
    near = np.hypot(rows - row, columns - column) < radius_mm * geometry.px_per_mm
    found: NDArray[np.uint8] = picture[near & _sector(geometry)]
    return found


def _deep_scan(seed: int) -> SimulatedScan:
    """A scan whose machine shows everything down to 175 mm; not every machine does."""
    scan = SimulatedScan(seed, width=_WIDTH, height=_HEIGHT, furniture=False)
    scan.machine = replace(scan.machine, depth_mm=175.0)
    scan.scanner = BModeScanner(scan.anatomy, scan.machine, _WIDTH, _HEIGHT)
    return scan


def _darkest_near(scan: SimulatedScan, plane: str, landmark: Vector) -> float:
    """Mean gray of the darkest disc (2 mm) within 5 mm of a landmark over the median gray around it.

    The organs are bent by a few millimetres, so a landmark may lie a little beside its place.
    """
    pose, geometry = scan.path.planes[plane], scan.scanner.geometry
    column, row = _pixel(geometry, frame_of(pose, scan.anatomy), landmark)
    picture = scan.at_pose(pose)
    size = int(2 * geometry.px_per_mm) * 2 + 1
    local = cv2.filter2D(
        picture, cv2.CV_32F, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)) / size**2 * 4 / np.pi
    )
    near = 5 * geometry.px_per_mm
    local[~_sector(geometry)] = 255
    window = local[int(row - near) : int(row + near) + 1, int(column - near) : int(column + near) + 1]
    return float(window.min() / np.median(_disc(picture, geometry, column, row, 45)))


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("plane", ["FHP1", "FHP2", "LPV-S"])
def test_the_vessel_that_names_the_plane_is_dark_where_it_should_be(plane: str, seed: int) -> None:
    scan = _deep_scan(seed)
    anatomy = scan.anatomy
    landmark = {
        "FHP1": anatomy.bifurcation,
        "FHP2": anatomy.confluence,
        "LPV-S": (anatomy.left_elbow + anatomy.umbilical_end) / 2,
    }[plane]
    assert _darkest_near(scan, plane, landmark) < 0.45


@pytest.mark.parametrize("seed", _SEEDS)
def test_the_left_lobe_lies_over_a_long_dark_aorta(seed: int) -> None:
    scan = _deep_scan(seed)
    xy, size = scan.anatomy.aorta_xy, scan.anatomy.size
    places = [np.array([*xy, z * size]) for z in (12.0, -8.0, -25.0)]
    assert all(_darkest_near(scan, "LLP", place) < 0.45 for place in places)


@pytest.mark.parametrize("seed", _SEEDS)
def test_the_kidney_has_a_bright_middle_in_a_darker_rim_under_the_liver(seed: int) -> None:
    scan = _deep_scan(seed)
    pose, geometry, kidney = scan.path.planes["HRP"], scan.scanner.geometry, scan.anatomy.kidney
    frame, picture = frame_of(pose, scan.anatomy), scan.at_pose(pose)
    across = np.cross(frame.normal, kidney.axes[0])
    across *= np.sign(across @ frame.axial)
    thick = 1 / np.sqrt(np.sum((kidney.axes @ across / kidney.radii) ** 2))

    def gray(point: Vector) -> float:
        return float(np.median(_disc(picture, geometry, *_pixel(geometry, frame, point), 3)))

    # A rib's shadow may lie over one part of it: take the best of three places along the kidney.
    contrasts = []
    for share in (-0.3, 0.0, 0.3):
        middle = kidney.centre + share * kidney.radii[0] * kidney.axes[0]
        rims = [gray(middle + side * 0.72 * thick * across) for side in (-1, 1)]
        contrasts.append(gray(middle) - float(np.mean(rims)))
    assert max(contrasts) > 12


def _clear_scanner(anatomy: Anatomy, width: int = 960, height: int = 720) -> BModeScanner:
    """A scanner without compounding, noise or compression of the dark end: what it shows can be undone."""
    machine = replace(
        Machine.for_seed(0),
        compounding_px=0.0,
        dynamic_range_db=90.0,
        gain_db=0.0,
        gamma=1.0,
        tgc_slope_db=0.0,
        noise_db=-120.0,
        depth_mm=140.0,
        frequency_mhz=3.5,
    )
    anatomy.echo = replace(anatomy.echo, liver_heterogeneity_db=0.0)
    return BModeScanner(anatomy, machine, width, height)


def _plain_liver(scanner: BModeScanner, anatomy: Anatomy, frame: Frame3D) -> NDArray[np.bool_]:
    """(height, width): where the picture shows nothing but liver, a little away from all edges."""
    grid = (192, 112)
    beams = Beams(scanner.machine, lines=grid[1], samples=grid[0])
    tissue = TissueModel(anatomy).at(beams, frame, 0.0, 0.0)
    plain = (np.abs(tissue.echo_db) < 0.05) & (tissue.interface_db < 0.05)
    plain &= np.cumsum(np.abs(tissue.loss_db_per_mm) * beams.step_mm, axis=0) < 2
    plain = cv2.erode(plain.astype(np.uint8), np.ones((5, 5))).astype(bool)
    shown = np.zeros(scanner.geometry.shape, bool)
    shown[scanner.geometry.box] = cv2.remap(
        plain.astype(np.uint8), *scanner.geometry.polar_map(grid), interpolation=cv2.INTER_NEAREST
    )
    return shown


def _plain_patches(
    scanner: BModeScanner, anatomy: Anatomy, frame: Frame3D, size: int
) -> list[tuple[slice, slice]]:
    """Square patches of plain liver, side by side."""
    shown = _plain_liver(scanner, anatomy, frame)
    height, width = shown.shape
    patches = [
        (slice(row, row + size), slice(column, column + size))
        for row in range(0, height - size, size)
        for column in range(0, width - size, size)
    ]
    return [patch for patch in patches if shown[patch].all()]


def test_the_envelope_of_plain_liver_is_rayleigh_distributed() -> None:
    anatomy = Anatomy(2)
    scanner = _clear_scanner(anatomy)
    frame = frame_of(standard_poses(anatomy)["FHP1"], anatomy)
    picture = scanner.picture(frame, 0.0, 0.0, 1)
    decibels = (picture.astype(float) / 255 - 0.42) * scanner.machine.dynamic_range_db
    envelope = 10 ** (decibels / 20)
    patches = [envelope[patch] for patch in _plain_patches(scanner, anatomy, frame, 48)]
    assert len(patches) >= 20
    scaled = np.concatenate([(patch / np.sqrt(np.mean(patch**2))).ravel() for patch in patches])
    assert scaled.mean() / scaled.std() == pytest.approx(1.91, abs=0.12)
    # The share of a Rayleigh variable of mean square 1 that lies under each level.
    for level in (0.3, 0.6, 0.83, 1.2, 1.8):
        assert (scaled < level).mean() == pytest.approx(1 - np.exp(-(level**2)), abs=0.03)


@pytest.mark.parametrize("shift_mm", [-2.0, 0.0, 1.5, 3.0])
def test_speckle_moves_with_the_tissue(shift_mm: float) -> None:
    anatomy = Anatomy(2)
    scanner = _clear_scanner(anatomy)
    frame = frame_of(standard_poses(anatomy)["FHP1"], anatomy)
    moved = Frame3D(frame.contact + shift_mm * frame.lateral, frame.axial, frame.lateral)
    # Only the fine grain counts: organs and layers would agree anyhow.
    before, after = (_grain(scanner.picture(f, 0.0, 0.0, noise)) for noise, f in enumerate((frame, moved)))
    margin, matches = 24, []
    for rows, columns in _plain_patches(scanner, anatomy, frame, 48):
        around = after[
            rows.start - margin : rows.stop + margin, columns.start - margin : columns.stop + margin
        ]
        if around.shape == (48 + 2 * margin, 48 + 2 * margin):
            matches.append(cv2.matchTemplate(around, before[rows, columns], cv2.TM_CCOEFF_NORMED))
    likeness = np.mean(matches, axis=0)
    row, column = np.unravel_index(likeness.argmax(), likeness.shape)
    assert column - margin == pytest.approx(-shift_mm * scanner.geometry.px_per_mm, abs=1.5)
    assert row - margin == pytest.approx(0, abs=1)
    # Each beam takes the scatterers nearest to it, so a part of the grain is new after a move.
    assert likeness.max() > (0.95 if shift_mm == 0 else 0.12)
    assert likeness.max() > 5 * likeness.std()


def _grain(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    level = picture.astype(np.float32)
    return level - np.asarray(cv2.GaussianBlur(level, (0, 0), 8), np.float32)


@pytest.mark.parametrize("seed", [0, 3, 9])
def test_a_rib_under_the_probe_throws_a_shadow(seed: int) -> None:
    scan = SimulatedScan(seed, width=_WIDTH, height=_HEIGHT, furniture=False)
    geometry = scan.scanner.geometry
    between = scan.anatomy.intercostal(-56, 14)
    grays = []
    for height in (between, between + 12.5):
        picture = scan.at_pose(Pose(-56, height, 90, 0, 0))
        rows = slice(*(int(geometry.skin_px + mm * geometry.px_per_mm) for mm in (45, 90)))
        columns = slice(int(geometry.centre_px) - 8, int(geometry.centre_px) + 8)
        grays.append(float(picture[rows, columns].mean()))
    assert grays[1] < 0.5 * grays[0]


@pytest.mark.parametrize("seed", range(6))
def test_no_frame_on_the_skin_is_blank(seed: int) -> None:
    scan = SimulatedScan(seed, width=240, height=180, frame_rate=1, furniture=False)
    for index in range(60):
        picture = scan.frame(index)
        inside = picture[scan.scanner.geometry.box]
        if scan.path.at(float(index)).lifted:
            lower = inside[inside.shape[0] // 2 :]
            assert lower.mean() < 30
        else:
            assert inside.mean() > 10  # a beam that runs along a rib leaves little
            assert inside.std() > 15


def test_furniture_is_drawn_round_the_picture_and_can_be_left_out() -> None:
    with_text = SimulatedScan(7, width=_WIDTH, height=_HEIGHT)
    plain = SimulatedScan(7, width=_WIDTH, height=_HEIGHT, furniture=False)
    shown, bare = with_text.frame(30), plain.frame(30)
    outside = np.ones(bare.shape, bool)
    outside[plain.scanner.geometry.box] = False
    assert not bare[outside].any()
    assert (shown[outside] > 100).sum() > 200
    assert (shown >= bare).all()
