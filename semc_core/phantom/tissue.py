"""How the simulated anatomy echoes at given points: backscatter, attenuation, bright interfaces.

All decibels are amplitude decibels relative to healthy liver. Arrays are float32 (samples, lines): the polar
grid of one frame, axis 0 away from the probe.

Signed distances to the anatomy's shapes, negative inside.

Arrays are float32 (samples, lines), millimetres: a part of one frame's polar grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.anatomy import RIB_SPACING_MM, Anatomy, Ellipsoid, Tube, Vector
from semc_core.phantom.probe import Beams, Frame3D, Window

_ANECHOIC_DB: Final = -38.0
_FAR_MM: Final = 60.0
_RIM_MM: Final = 8.0  # beyond this distance a shape's surface is not seen
_ENDLESS_MM: Final = 400.0  # half the length of the great vessels


@dataclass(slots=True, eq=False)
class Tissue:
    """What the beams meet.

    Attributes:
        echo_db: Backscatter.
        loss_db_per_mm: Two-way attenuation per millimetre of depth and MHz, beyond the liver's own.
        interface_db: Added by reflecting surfaces that face the beam, 0 where there is none.
        dirt: Share of reverberation (0-1) that fills the shadow of gas.
        bound_mm: float32 (samples, lines): how far organs here follow the breath, 0 (wall) to 1.
    """

    echo_db: Grid
    loss_db_per_mm: Grid
    interface_db: Grid
    dirt: Grid
    bound_mm: Grid

    def part(self, window: Window) -> Tissue:
        """A part of the grid; what is changed there is changed here."""
        return Tissue(
            self.echo_db[window],
            self.loss_db_per_mm[window],
            self.interface_db[window],
            self.dirt[window],
            self.bound_mm[window],
        )


class TissueModel:
    """Evaluates one patient's tissue.

    Args:
        anatomy: The patient.
    """

    def __init__(self, anatomy: Anatomy) -> None:
        self.anatomy = anatomy
        rng = np.random.default_rng([anatomy.texture_seed, 3])
        # Slow variation of texture: a periodic grid of 32^3 cells of 7 mm.
        self._mottle = rng.standard_normal((32, 32, 32)).astype(np.float32)

        self._list_bounds()

    def _list_bounds(self) -> None:
        """Capsules that hold the small shapes: vessels, cava, aorta, gas, gallbladder, kidney, in order."""
        anatomy = self.anatomy
        starts = [tube.start for tube in anatomy.tubes]
        ends = [tube.end for tube in anatomy.tubes]
        reach = [max(tube.start_mm, tube.end_mm) for tube in anatomy.tubes]
        for xy, radius in ((anatomy.cava_xy, anatomy.cava_mm + 6), (anatomy.aorta_xy, anatomy.aorta_mm + 1)):
            starts.append(np.array([*xy, -_ENDLESS_MM]))
            ends.append(np.array([*xy, _ENDLESS_MM]))
            reach.append(radius)
        for body in (*anatomy.gas, anatomy.gallbladder, anatomy.kidney):
            longest = int(np.argmax(body.radii))
            half = body.axes[longest] * body.radii[longest]
            starts.append(body.centre - half)
            ends.append(body.centre + half)
            reach.append(float(np.sort(body.radii)[1]))
        self._starts, self._ends = np.stack(starts), np.stack(ends)
        # The warp adds at most 1.5 times its size on each axis.
        self._reach_mm = np.array(reach) + _RIM_MM + 1.5 * np.sqrt(3) * anatomy.warp_mm

    def at(self, beams: Beams, frame: Frame3D, breath_mm: float, beat: float) -> Tissue:
        """Tissue under the beams.

        Args:
            beams: The polar grid.
            frame: The image plane.
            breath_mm: How far the organs are moved towards the head.
            beat: -1 to 1, the heart's pulse, widens the aorta.
        """
        points, step_mm = beams.points(frame), beams.step_mm
        wall_mm = self._depth_below_skin(points)
        follows = np.clip((wall_mm - 18) * np.float32(1 / 16), 0, 1)
        x, y, z = self._warped(points, follows * np.float32(breath_mm))
        # What follows the breath only in part lies between its place at rest and the shifted one.
        half = np.array([0.0, 0.0, breath_mm / 2])
        reach = self._reach_mm + abs(breath_mm) / 2
        windows = beams.windows(frame, self._starts + half, self._ends + half, reach)
        tubes = len(self.anatomy.tubes) + 2
        gas = windows[tubes:-2]
        dome = self._dome(x, y)
        tissue = self._background(x, y, z, follows)
        self._liver(tissue, (x, y, z), dome, wall_mm, step_mm)
        self._vessels(tissue, (x, y, z), windows[:tubes], step_mm, beat)
        for window, paint in ((windows[-2], self._gallbladder), (windows[-1], self._kidney)):
            if window is not None:
                paint(tissue.part(window), x[window], y[window], z[window], step_mm)
        self._diaphragm(tissue, z - dome, step_mm)
        for window, pocket in zip(gas, self.anatomy.gas, strict=True):
            if window is not None:
                self._gas(pocket, tissue.part(window), x[window], y[window], z[window])
        self._spine(tissue, x, y)
        near = wall_mm < self.anatomy.fat_mm + self.anatomy.muscle_mm + _RIM_MM
        rows = np.flatnonzero(near.any(axis=1))  # by the skin, and where the beams leave the body again
        if rows.size:
            window = (slice(rows[0], rows[-1] + 1), slice(None))
            self._wall(tissue.part(window), points[:, window[0]], wall_mm[window], step_mm)
        return tissue

    def _depth_below_skin(self, points: Grid) -> Grid:
        a, b = self.anatomy.body_mm.astype(np.float32)
        u, v = points[0] / a, points[1] / b
        reach = np.sqrt(u * u + v * v)
        slope = np.sqrt((u / a) ** 2 + (v / b) ** 2) + np.float32(1e-6)
        depth: Grid = reach * (1 - reach) / slope
        return depth

    def _warped(self, points: Grid, shift_mm: Grid) -> tuple[Grid, Grid, Grid]:
        """Points in the organs' rest position, bent by slow waves so that no organ is a perfect shape."""
        moved = [points[0], points[1], points[2] - shift_mm]
        waves = self.anatomy.warp_waves.astype(np.float32)
        out = []
        for axis in range(3):
            kx, ky, kz = waves[axis, 0]
            phase = np.float32(self.anatomy.warp_phases[axis, 0])
            bend = np.sin(moved[0] * kx + moved[1] * ky + moved[2] * kz + phase)
            kx, ky, kz = waves[axis, 1] * np.float32(2.2)
            bend += np.float32(0.5) * np.sin(moved[0] * kx + moved[1] * ky + moved[2] * kz - phase)
            out.append(moved[axis] + np.float32(self.anatomy.warp_mm) * bend)
        return out[0], out[1], out[2]

    def mottle(self, x: Grid, y: Grid, z: Grid, cell_mm: float) -> Grid:
        """Slow standard-normal variation, fixed to the tissue, nearest cell."""
        scale = np.float32(1 / cell_mm)
        cell = np.zeros(x.shape, np.int32)
        for along in (x, y, z):
            cell *= 32
            cell += (along * scale).astype(np.int32) & 31
        grid: Grid = np.take(self._mottle, cell, mode="clip")
        return grid

    def _background(self, x: Grid, y: Grid, z: Grid, follows: Grid) -> Tissue:
        """Fat and bowel between the organs."""
        echo = (self.mottle(x, y, z, 4.0) + self.mottle(y, z, x, 11.0)) * np.float32(2.6) + np.float32(
            self.anatomy.echo.bowel_db
        )
        return Tissue(
            echo_db=echo,
            loss_db_per_mm=np.full_like(echo, 0.012),
            interface_db=np.zeros_like(echo),
            dirt=np.zeros_like(echo),
            bound_mm=follows,
        )

    def _liver(
        self, tissue: Tissue, points: tuple[Grid, Grid, Grid], dome: Grid, wall_mm: Grid, step_mm: float
    ) -> None:
        echo, (x, y, z) = self.anatomy.echo, points
        right = ellipsoid_mm(self.anatomy.right_lobe, x, y, z)
        left = ellipsoid_mm(self.anatomy.left_lobe, x, y, z)
        blend = np.clip(0.5 + (left - right) / 40, 0, 1)  # smooth union of the lobes
        liver = left * (1 - blend) + right * blend - 20 * blend * (1 - blend)
        liver = np.maximum(liver, z - dome + 2)
        cavity = np.float32(self.anatomy.fat_mm + self.anatomy.muscle_mm + 3)
        liver = np.maximum(liver, cavity - wall_mm)
        texture = self.mottle(x, y, z, 9.0) * np.float32(echo.liver_heterogeneity_db)
        _paint(tissue, liver, texture, 0.0)
        _surface(tissue, liver, step_mm, echo.capsule_db * 0.7, 1.0)
        # Falciform ligament: a bright fold from the umbilical portion to the front.
        end = self.anatomy.umbilical_end
        fold = np.abs(x - np.float32(end[0]) - 0.25 * (z - np.float32(end[2])))
        seen = (fold < 6) & (liver < -1) & (y < end[1] + 4) & (z < end[2] + 6)
        tissue.interface_db[seen] += np.float32(9) * _bump(fold[seen], 1.6)

    def _vessels(
        self,
        tissue: Tissue,
        points: tuple[Grid, Grid, Grid],
        windows: list[Window | None],
        step_mm: float,
        beat: float,
    ) -> None:
        anatomy = self.anatomy
        lumen = np.full_like(points[0], _FAR_MM)
        walled = np.full_like(lumen, _FAR_MM)
        for tube, window in zip(anatomy.tubes, windows[:-2], strict=True):
            if window is not None:
                distance = tube_mm(tube, *(c[window] for c in points))
                np.minimum(lumen[window], distance, out=lumen[window])
                if tube.wall:
                    np.minimum(walled[window], distance, out=walled[window])
        if (window := windows[-2]) is not None:
            x, y, z = (c[window] for c in points)
            sway = np.float32(3.0) * np.sin(z * np.float32(1 / 40))
            cava_x, cava_y = anatomy.cava_xy.astype(np.float32)
            cava = np.sqrt((x - cava_x - sway) ** 2 + ((y - cava_y + sway * 0.5) * 1.25) ** 2)
            np.minimum(lumen[window], cava - np.float32(anatomy.cava_mm), out=lumen[window])
        if (window := windows[-1]) is not None:
            radius = anatomy.aorta_mm * (1 + 0.05 * beat)
            aorta = cylinder_mm(anatomy.aorta_xy, radius, points[0][window], points[1][window])
            for distance in (lumen, walled):
                np.minimum(distance[window], aorta, out=distance[window])
        rim = (walled > 0) & (walled < 5)
        tissue.interface_db[rim] += np.float32(11) * _bump(walled[rim] - 1, 1.0)
        _paint(tissue, lumen, np.float32(_ANECHOIC_DB), -0.006)
        _surface(tissue, walled, step_mm, 11.0, 0.9)
        _surface(tissue, lumen, step_mm, 4.0, 0.7)

    def _gallbladder(self, tissue: Tissue, x: Grid, y: Grid, z: Grid, step_mm: float) -> None:
        bladder = ellipsoid_mm(self.anatomy.gallbladder, x, y, z)
        tissue.interface_db += np.float32(7) * _bump(bladder - np.float32(1.2), 0.9)
        _paint(tissue, bladder, np.float32(_ANECHOIC_DB), -0.02)
        _surface(tissue, bladder, step_mm, 10.0, 0.9)

    def _kidney(self, tissue: Tissue, x: Grid, y: Grid, z: Grid, step_mm: float) -> None:
        organ = self.anatomy.kidney
        cortex = ellipsoid_mm(organ, x, y, z)
        tissue.echo_db += np.float32(7) * _bump(cortex - 2, 1.8)
        _paint(tissue, cortex, np.float32(self.anatomy.echo.kidney_db), 0.0)
        # Pyramids: dark wedges round the sinus.
        ring = (cortex < -7) & (cortex > -14)
        place = np.stack([x[ring], y[ring], z[ring]]) - organ.centre[:, None]
        along, side = (organ.axes[:2] / organ.radii[:2, None]) @ place
        tissue.echo_db[ring] -= np.float32(7) * (np.cos(7 * np.arctan2(side, along)) > 0.1)
        sinus_size = np.array([0.55, 0.36, 0.36])
        sinus = ellipsoid_mm(Ellipsoid(organ.centre, organ.radii * sinus_size, organ.axes), x, y, z)
        _paint(tissue, sinus, self.mottle(x, y, z, 2.5) * np.float32(4) + np.float32(6), 0.01)
        _surface(tissue, cortex, step_mm, 12.0, 1.0)

    def _dome(self, x: Grid, y: Grid) -> Grid:
        """Height of the diaphragm over (x, y)."""
        anatomy = self.anatomy
        cx, cy = anatomy.dome_centre.astype(np.float32)
        u, v = (x - cx) / np.float32(105), (y - cy) / np.float32(98)
        right = anatomy.dome_top_mm - np.float32(62) * (u * u + v * v)
        u = (x - np.float32(62)) / np.float32(95)
        left = anatomy.dome_top_mm - np.float32(12) - np.float32(55) * (u * u + v * v)
        dome: Grid = np.maximum(right, left).astype(np.float32)
        return dome

    def _diaphragm(self, tissue: Tissue, above_mm: Grid, step_mm: float) -> None:
        above = above_mm * np.float32(0.8)
        if above.max() < -4:
            return
        lung = above - 1
        _paint(tissue, -lung, np.float32(-7.0), 0.07)
        np.maximum(tissue.dirt, np.clip(lung * np.float32(0.25), 0, 0.7), out=tissue.dirt)
        _surface(tissue, above, step_mm, self.anatomy.echo.capsule_db + 6, 1.5)

    def _gas(self, pocket: Ellipsoid, tissue: Tissue, x: Grid, y: Grid, z: Grid) -> None:
        inside = ellipsoid_mm(pocket, x, y, z)
        inside += self.mottle(x, y, z, 4.0)
        _paint(tissue, inside, np.float32(14.0), 0.6)
        np.maximum(tissue.dirt, np.clip(inside * np.float32(-1 / 3), 0, 1), out=tissue.dirt)

    def _spine(self, tissue: Tissue, x: Grid, y: Grid) -> None:
        _paint(tissue, cylinder_mm(self.anatomy.spine, 19.0, x, y), np.float32(13.0), 0.9)

    def _wall(self, tissue: Tissue, points: Grid, wall_mm: Grid, step_mm: float) -> None:
        """Skin, fat, muscle and ribs, which do not breathe with the organs."""
        anatomy = self.anatomy
        fat, muscle = np.float32(anatomy.fat_mm), np.float32(anatomy.muscle_mm)
        layers = np.float32(1.5) * np.sin(wall_mm * np.float32(2.2))
        inner = fat + muscle + 2
        _paint(tissue, wall_mm - inner, np.float32(anatomy.echo.muscle_db) + 2 * layers, 0.01)
        _paint(tissue, wall_mm - fat - 2, np.float32(anatomy.echo.fat_db) + layers, 0.006)
        _paint(tissue, wall_mm - 2, np.float32(5.0), 0.0)
        for edge in (fat + 2, inner):
            _surface(tissue, wall_mm - edge, step_mm, 7.0, 0.7)
        deep = wall_mm - np.float32(anatomy.rib_depth_mm)
        near = np.abs(deep) < 5
        x, y, z = points[:, near] / np.array([[anatomy.body_mm[0]], [-anatomy.body_mm[1]], [1]], np.float32)
        angle = np.degrees(np.arctan2(x, y))
        above_margin = z - anatomy.costal_margin(angle).astype(np.float32)
        within = above_margin - np.float32(anatomy.rib_phase_mm)
        within -= np.float32(RIB_SPACING_MM) * np.rint(within * np.float32(1 / RIB_SPACING_MM))
        distance = np.sqrt((within * np.float32(0.8)) ** 2 + (deep[near] * np.float32(1.5)) ** 2)
        rib = np.full_like(wall_mm, _FAR_MM)
        here = (above_margin > -6) & (np.abs(angle) < 100)
        rib[near] = np.where(here, distance - np.float32(5.2), np.float32(_FAR_MM))
        _paint(tissue, rib, np.float32(12.0), 1.2)


def _bump(distance: Grid, width_mm: float) -> Grid:
    """1 at distance 0, falling off like a Gaussian."""
    scaled = distance * np.float32(1 / width_mm)
    scaled *= scaled
    np.negative(scaled, out=scaled)
    shape: Grid = np.exp(scaled, out=scaled)
    return shape


def _paint(tissue: Tissue, distance: Grid, echo_db: Grid | np.float32, loss: float) -> None:
    """Fill the inside of a shape (negative distance), soft over about a millimetre."""
    share = distance * np.float32(-0.8)
    share += np.float32(0.5)
    np.clip(share, 0, 1, out=share)
    if not share.any():
        return
    tissue.echo_db += share * (echo_db - tissue.echo_db)
    tissue.loss_db_per_mm += share * (np.float32(loss) - tissue.loss_db_per_mm)
    tissue.interface_db *= 1 - share


def _surface(tissue: Tissue, distance: Grid, step_mm: float, gain_db: float, width_mm: float) -> None:
    """Brighten a surface where it faces the beam."""
    near = np.flatnonzero(np.abs(distance) < 3 * width_mm)
    if not near.size:
        return
    lines = distance.shape[1]
    flat = distance.ravel()
    here = flat[near]
    facing = (here - flat[np.maximum(near - lines, near % lines)]) * np.float32(1 / step_mm)
    facing *= facing
    np.minimum(facing, 1, out=facing)
    shape = _bump(here, width_mm)
    shape *= np.float32(0.2 * gain_db) + np.float32(0.8 * gain_db) * facing
    rows, columns = np.divmod(near, lines)
    tissue.interface_db[rows, columns] += shape


Grid = NDArray[np.float32]


def ellipsoid_mm(body: Ellipsoid, x: Grid, y: Grid, z: Grid) -> Grid:
    """Signed distance to an ellipsoid, first-order exact near its surface."""
    rows = (body.axes / body.radii[:, None]).astype(np.float32)
    shifts = -(rows.astype(np.float64) @ body.centre)
    inner = np.zeros_like(x)
    outer = np.full_like(x, 1e-12)
    for row, shift, radius in zip(rows, shifts, body.radii, strict=True):
        share = _weighted_sum(row, (x, y, z))
        share += np.float32(shift)
        share *= share
        inner += share
        share *= np.float32(1 / radius**2)
        outer += share
    np.sqrt(inner, out=inner)
    np.sqrt(outer, out=outer)
    distance: Grid = inner - 1
    distance *= inner
    distance /= outer
    return distance


def cylinder_mm(centre: Vector, radius_mm: float, x: Grid, y: Grid) -> Grid:
    """Signed distance to an upright cylinder; `centre` is (x, y)."""
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    dx *= dx
    dy *= dy
    dx += dy
    np.sqrt(dx, out=dx)
    dx -= np.float32(radius_mm)
    return dx


def tube_mm(tube: Tube, x: Grid, y: Grid, z: Grid) -> Grid:
    """Signed distance to a tapered capsule."""
    along = (tube.end - tube.start).astype(np.float32)
    start = tube.start.astype(np.float32)
    dx, dy, dz = x - start[0], y - start[1], z - start[2]
    share = _weighted_sum(along / (along @ along), (dx, dy, dz))
    np.clip(share, 0, 1, out=share)
    dx -= share * along[0]
    dy -= share * along[1]
    dz -= share * along[2]
    distance: Grid = np.sqrt(dx * dx + dy * dy + dz * dz)
    distance -= np.float32(tube.start_mm) + share * np.float32(tube.end_mm - tube.start_mm)
    return distance


def _weighted_sum(weights: NDArray[np.float32], parts: tuple[Grid, Grid, Grid]) -> Grid:
    """Sum of the parts times their weights; most shapes stand upright, so most weights are 0."""
    terms = [part * weight for weight, part in zip(weights, parts, strict=True) if weight]
    for term in terms[1:]:
        terms[0] += term
    total: Grid = terms[0]
    return total
