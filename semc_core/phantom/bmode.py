"""From tissue to a B-mode picture: scatterers, point spread, attenuation, compression, scan conversion."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.anatomy import Anatomy
from semc_core.phantom.probe import Beams, Frame3D, Machine
from semc_core.phantom.tissue import Grid, TissueModel

_FINE: Final = (448, 176)  # samples, beams of the echo grid
_COARSE: Final = (192, 112)  # of the tissue grid
_CELL_MM: Final = 0.45  # scatterer grid
_CELLS: Final = 128  # along each edge of the block of scatterers, which repeats; a power of two
_GRAY_STEPS: Final = 4095


class BModeScanner:
    """Makes the gray picture that a scanner would show of one patient.

    Args:
        anatomy: The patient.
        machine: The scanner's settings.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
    """

    def __init__(self, anatomy: Anatomy, machine: Machine, width: int, height: int) -> None:
        self.machine = machine
        self._tissue = TissueModel(anatomy)
        self._attenuation = anatomy.echo.attenuation
        self._fine = Beams(machine, _FINE[1], _FINE[0])
        self._coarse = Beams(machine, _COARSE[1], _COARSE[0])
        rng = np.random.default_rng([anatomy.texture_seed, 4])
        field = rng.standard_normal((_CELLS**3, 2), dtype=np.float32)
        field *= 1 + 2.5 * (rng.random((_CELLS**3, 1), dtype=np.float32) > 0.996)  # a few strong scatterers
        self._scatterers = field.view(np.complex64)[:, 0]
        self._noise = rng.standard_normal((_FINE[0] * 2, _FINE[1] * 2, 2), dtype=np.float32)
        self.geometry = SectorGeometry(machine, width, height)
        self._map = self.geometry.polar_map(_FINE)
        self._gray = _gray_table(machine)
        self._prepare_depth_curves()

    def _prepare_depth_curves(self) -> None:
        machine, depth = self.machine, self._fine.depth_mm[:, None]
        relative = depth / machine.depth_mm
        # Time-gain compensates the liver's own loss; what is left is its error and the focus.
        tgc_db = machine.tgc_slope_db * (relative - 0.5) - 2.5 * ((relative - 0.5) / 0.5) ** 2
        self._tgc = _amplitude(tgc_db)[..., None]
        noise_db = machine.noise_db + 0.055 * machine.frequency_mhz * depth
        self._noise_level = _amplitude(noise_db)[..., None]
        share = np.clip(np.abs(relative - 0.5) / 0.5, 0, 1)
        self._defocus = (share * share).astype(np.float32)[..., None]

    def picture(self, frame: Frame3D, breath_mm: float, beat: float, noise_seed: int) -> NDArray[np.uint8]:
        """uint8 (height, width): the picture in contact with the skin.

        Args:
            frame: The image plane.
            breath_mm: How far breathing has moved the organs towards the head.
            beat: Heart pulse, -1 to 1.
            noise_seed: Of this frame's electronic noise.
        """
        tissue = self._tissue.at(self._coarse, frame, breath_mm, beat)
        loss = tissue.loss_db_per_mm * np.float32(self.machine.frequency_mhz * self._coarse.step_mm)
        lost = np.cumsum(loss * np.float32(self._attenuation), axis=0)
        lost -= loss
        np.clip(lost, -9, 70, out=lost)
        dirt = np.maximum.accumulate(tissue.dirt, axis=0) * np.exp(-lost / 60)
        level = tissue.echo_db + tissue.interface_db - lost
        np.maximum(
            level, -34 + 14 * dirt - 0.05 * self._coarse.depth_mm[:, None], where=dirt > 0.05, out=level
        )
        level = self._with_clutter(level)
        echoes = self._scatter(frame, _to_fine(tissue.bound_mm) * np.float32(breath_mm))
        echoes *= _amplitude(_to_fine(level))[..., None]
        echoes *= self._tgc
        return self._display(self._blurred(echoes), noise_seed)

    def air(self, noise_seed: int) -> NDArray[np.uint8]:
        """The picture of a probe held in the air: rings of reverberation near it, noise below."""
        depth = self._fine.depth_mm[:, None]
        ring = -14 - 0.5 * depth + 9 * np.cos(depth * np.float32(2 * np.pi / 3.1))
        flat = (
            np.ones((*_FINE, 2), np.float32)
            * _amplitude(ring * np.ones((1, _FINE[1]), np.float32))[..., None]
        )
        return self._display(flat * 0.7, noise_seed)

    def _with_clutter(self, level_db: Grid) -> Grid:
        """Side lobes: a share of the neighbours' echoes lies over everything: no vessel is quite black."""
        strong = np.minimum(_amplitude(level_db), 4)
        haze = _smooth(strong, 7, 4) * np.float32(0.045)
        return _decibels(strong * strong + haze * haze)

    def _scatter(self, frame: Frame3D, shift_mm: Grid) -> NDArray[np.float32]:
        """float32 (samples, beams, 2): the complex scatterers under the beams, fixed to the tissue."""
        points = self._fine.points(frame)
        points[2] -= shift_mm
        points *= np.float32(1 / _CELL_MM)
        cell = points.astype(np.int32)
        cell &= _CELLS - 1
        i, j, k = cell
        i *= _CELLS
        i += j
        i *= _CELLS
        i += k
        found = np.take(self._scatterers, i, mode="clip")
        parts: NDArray[np.float32] = found.view(np.float32).reshape(*_FINE, 2)
        return parts

    def _blurred(self, echoes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Point spread: constant along the beam, wider across it away from the focus."""
        wavelength_mm = 1.54 / self.machine.frequency_mhz
        axial_px = max(0.6, 0.75 * wavelength_mm / self._fine.step_mm)
        sharp_px = 0.5 + 2.6 / self.machine.frequency_mhz
        sharp = _smooth(echoes, sharp_px, axial_px)
        wide = _smooth(sharp, sharp_px * 1.2, 0.4)
        gain = np.float32(2 * np.sqrt(np.pi * sharp_px * axial_px))  # keeps the mean power of white input
        wide -= sharp
        wide *= self._defocus
        wide += sharp
        wide *= gain  # of one array throughout: at this size memory costs more than arithmetic
        return wide

    def _display(self, echoes: NDArray[np.float32], noise_seed: int) -> NDArray[np.uint8]:
        machine = self.machine
        rng = np.random.default_rng(noise_seed)
        top, left = int(rng.integers(_FINE[0])), int(rng.integers(_FINE[1]))
        noise = self._noise[top : top + _FINE[0], left : left + _FINE[1]]
        echoes = echoes + noise * self._noise_level
        echoes *= echoes
        power: Grid = echoes[..., 0] + echoes[..., 1]
        if machine.compounding_px > 0:  # averaging of looks, as scanners do to calm the speckle
            power = _smooth(power, machine.compounding_px, machine.compounding_px)
        share = _decibels(power)
        # Liver lies at about 40 % of the dynamic range when the gain is 0.
        share *= np.float32(_GRAY_STEPS / machine.dynamic_range_db)
        share += np.float32((machine.gain_db / machine.dynamic_range_db + 0.42) * _GRAY_STEPS)
        np.clip(share, 0, _GRAY_STEPS, out=share)
        gray = np.take(self._gray, share.astype(np.uint16))
        picture = np.zeros(self.geometry.shape, np.uint8)
        picture[self.geometry.box] = cv2.remap(
            gray, *self._map, interpolation=cv2.INTER_LINEAR, borderValue=0
        )
        return picture


class SectorGeometry:
    """Where the sector lies in the picture: as large as fits, centred, a little below the upper edge.

    Attributes:
        shape: Height and width of the picture.
        box: Rows and columns of the smallest part that holds the sector.
        px_per_mm: Scale.
        top_px: Row of the sector's highest point.
        centre_px: Column of the central beam.
        skin_px: Row in which the central beam starts.
    """

    def __init__(self, machine: Machine, width: int, height: int) -> None:
        half = np.radians(machine.sector_deg) / 2
        reach = machine.radius_mm + machine.depth_mm
        tall = reach - machine.radius_mm * np.cos(half)
        wide = 2 * reach * np.sin(half)
        self._machine, self.shape = machine, (height, width)
        self.px_per_mm = min(0.92 * height / tall, 0.86 * width / wide)
        self.top_px = (height - tall * self.px_per_mm) * 0.5
        self.centre_px = width / 2
        self.skin_px = self.top_px + (machine.radius_mm * (1 - np.cos(half))) * self.px_per_mm
        bottom, side = int(self.top_px + tall * self.px_per_mm), int(wide * self.px_per_mm / 2)
        self.box = (
            slice(max(int(self.top_px) - 1, 0), min(bottom + 2, height)),
            slice(max(width // 2 - side - 2, 0), min(width // 2 + side + 3, width)),
        )

    def polar_map(self, grid: tuple[int, int]) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
        """Maps for `cv2.remap` from a polar grid of (samples, beams) to the picture's part `box`."""
        samples, beams = grid
        machine = self._machine
        half = np.radians(machine.sector_deg) / 2
        apex_y = self.skin_px - machine.radius_mm * self.px_per_mm
        rows, columns = np.mgrid[self.box].astype(np.float32)
        x, y = columns - np.float32(self.centre_px), rows - np.float32(apex_y)
        depth = np.hypot(x, y) / self.px_per_mm - machine.radius_mm
        line = (np.arctan2(x, y) / (2 * half) + 0.5) * (beams - 1)
        sample = depth / machine.depth_mm * samples - 0.5
        outside = (line < 0) | (line > beams - 1) | (sample < 0) | (sample > samples - 1)
        line[outside] = sample[outside] = -10  # not in the polar grid, so black
        fixed = cv2.convertMaps(line.astype(np.float32), sample.astype(np.float32), cv2.CV_16SC2)
        return fixed[0], fixed[1]


def _to_fine(grid: Grid) -> Grid:
    """A tissue grid on the echo grid's samples."""
    return np.asarray(cv2.resize(grid, _FINE[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _smooth(grid: Grid, lines_px: float, samples_px: float) -> Grid:
    """Gaussian average; standard deviations across and along the beams."""
    return np.asarray(cv2.GaussianBlur(grid, (0, 0), sigmaX=lines_px, sigmaY=samples_px), np.float32)


def _decibels(power: Grid) -> Grid:
    """Decibels of a power, which is changed."""
    power += np.float32(1e-9)
    level = np.asarray(cv2.log(power), np.float32)
    level *= np.float32(10 / np.log(10))
    return level


def _gray_table(machine: Machine) -> NDArray[np.uint8]:
    """Gray of each step of the dynamic range: the scanner's gray map."""
    share = (np.arange(_GRAY_STEPS + 1) + 0.5) / (_GRAY_STEPS + 1)
    return (share**machine.gamma * 255).astype(np.uint8)


def _amplitude(decibels: NDArray[np.floating]) -> NDArray[np.float32]:
    """Amplitude ratio of decibels."""
    scaled = np.asarray(decibels, np.float32) * np.float32(np.log(10) / 20)
    return np.asarray(np.exp(scaled), np.float32)
