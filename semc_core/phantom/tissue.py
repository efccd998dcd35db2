"""How the simulated anatomy echoes at given points: backscatter, attenuation, bright interfaces.

All decibels are amplitude decibels relative to healthy liver. Arrays are float32 (samples, lines): the polar
grid of one frame, axis 0 away from the probe.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.anatomy import RIB_SPACING_MM, Anatomy, Ellipsoid, Tube, Vector
from semc_core.phantom.probe import Frame3D

Grid = NDArray[np.float32]

_ANECHOIC_DB = -38.0
_FAR_MM = 60.0


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

    def at(self, points: Grid, frame: Frame3D, step_mm: float, breath_mm: float, beat: float) -> Tissue:
        """Tissue at points of the patient.

        Args:
            points: float32 (3, samples, lines), mm.
            frame: The image plane they lie in; tells which vessels cannot be met.
            step_mm: Distance between samples along a beam.
            breath_mm: How far the organs are moved towards the head.
            beat: -1 to 1, the heart's pulse, widens the aorta.
        """
        wall_mm = self._depth_below_skin(points)
        follows = np.clip((wall_mm - 18) / 16, 0, 1)
        x, y, z = self._warped(points, follows * np.float32(breath_mm))
        tissue = self._background(x, y, z, wall_mm, follows)
        self._liver(tissue, x, y, z, wall_mm, step_mm)
        self._vessels(tissue, np.stack([x, y, z]), frame, breath_mm, step_mm, beat)
        self._gallbladder(tissue, x, y, z, step_mm)
        self._kidney(tissue, x, y, z, step_mm)
        self._diaphragm(tissue, x, y, z, wall_mm, step_mm)
        self._gas(tissue, x, y, z)
        self._spine(tissue, x, y)
        self._wall(tissue, points, wall_mm, step_mm)
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
        i = (x * scale).astype(np.int32) & 31
        j = (y * scale).astype(np.int32) & 31
        k = (z * scale).astype(np.int32) & 31
        grid: Grid = self._mottle[i, j, k]
        return grid

    def _background(self, x: Grid, y: Grid, z: Grid, wall_mm: Grid, follows: Grid) -> Tissue:
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

    def _liver(self, tissue: Tissue, x: Grid, y: Grid, z: Grid, wall_mm: Grid, step_mm: float) -> None:
        echo = self.anatomy.echo
        right = _ellipsoid_mm(self.anatomy.right_lobe, x, y, z)
        left = _ellipsoid_mm(self.anatomy.left_lobe, x, y, z)
        blend = np.clip(0.5 + (left - right) / 40, 0, 1)  # smooth union of the lobes
        liver = left * (1 - blend) + right * blend - 20 * blend * (1 - blend)
        liver = np.maximum(liver, z - self._dome(x, y) + 2)
        cavity = np.float32(self.anatomy.fat_mm + self.anatomy.muscle_mm + 3)
        liver = np.maximum(liver, cavity - wall_mm)
        texture = self.mottle(x, y, z, 9.0) * np.float32(echo.liver_heterogeneity_db)
        _paint(tissue, liver, texture, 0.0)
        _surface(tissue, liver, step_mm, echo.capsule_db * 0.7, 1.0)
        # Falciform ligament: a bright fold from the umbilical portion to the front.
        end = self.anatomy.umbilical_end
        fold = np.abs(x - np.float32(end[0]) - 0.25 * (z - np.float32(end[2])))
        inside = (liver < -1) & (y < end[1] + 4) & (z < end[2] + 6)
        tissue.interface_db += np.where(inside, 9 * np.exp(-((fold / 1.6) ** 2)), 0).astype(np.float32)

    def _vessels(
        self, tissue: Tissue, points: Grid, frame: Frame3D, breath_mm: float, step_mm: float, beat: float
    ) -> None:
        reach = np.array([0.0, 0.0, breath_mm])
        lumen = np.full(points.shape[1:], _FAR_MM, np.float32)
        walled = np.full_like(lumen, _FAR_MM)
        for tube in self.anatomy.tubes:
            if _misses(tube, frame, reach):
                continue
            distance = _tube_mm(tube, points)
            lumen = np.minimum(lumen, distance)
            if tube.wall:
                walled = np.minimum(walled, distance)
        x, y, z = points
        sway = np.float32(3.0) * np.sin(z / 40)
        cava_x, cava_y = self.anatomy.cava_xy.astype(np.float32)
        cava = np.sqrt((x - cava_x - sway) ** 2 + ((y - cava_y + sway * 0.5) * 1.25) ** 2)
        lumen = np.minimum(lumen, cava - np.float32(self.anatomy.cava_mm))
        aorta_x, aorta_y = self.anatomy.aorta_xy.astype(np.float32)
        aorta = np.sqrt((x - aorta_x) ** 2 + (y - aorta_y) ** 2)
        aorta -= np.float32(self.anatomy.aorta_mm * (1 + 0.05 * beat))
        lumen = np.minimum(lumen, aorta)
        rim = np.minimum(walled, aorta)
        tissue.interface_db += np.float32(11) * np.exp(-(((rim - 1.0) / 1.0) ** 2)) * (rim > 0)
        _paint(tissue, lumen, np.float32(_ANECHOIC_DB), -0.006)
        _surface(tissue, np.minimum(walled, aorta), step_mm, 11.0, 0.9)
        _surface(tissue, lumen, step_mm, 4.0, 0.7)

    def _gallbladder(self, tissue: Tissue, x: Grid, y: Grid, z: Grid, step_mm: float) -> None:
        bladder = _ellipsoid_mm(self.anatomy.gallbladder, x, y, z)
        if bladder.min() > 3:
            return
        tissue.interface_db += np.float32(7) * np.exp(-(((bladder - 1.2) / 0.9) ** 2))
        _paint(tissue, bladder, np.float32(_ANECHOIC_DB), -0.02)
        _surface(tissue, bladder, step_mm, 10.0, 0.9)

    def _kidney(self, tissue: Tissue, x: Grid, y: Grid, z: Grid, step_mm: float) -> None:
        organ = self.anatomy.kidney
        cortex = _ellipsoid_mm(organ, x, y, z)
        if cortex.min() > 6:
            return
        fat_capsule = np.exp(-(((cortex - 2.0) / 1.8) ** 2))
        tissue.echo_db += np.float32(7) * fat_capsule
        _paint(tissue, cortex, np.float32(self.anatomy.echo.kidney_db), 0.0)
        # Pyramids: dark wedges round the sinus.
        d = [
            x - np.float32(organ.centre[0]),
            y - np.float32(organ.centre[1]),
            z - np.float32(organ.centre[2]),
        ]
        along, side, up = (sum(np.float32(row[i]) * d[i] for i in range(3)) for row in organ.axes)
        turn = np.arctan2(side / np.float32(organ.radii[1]), along / np.float32(organ.radii[0]))
        wedge = np.cos(turn * 7) > 0.1
        ring = (cortex < -7) & (cortex > -14) & wedge
        tissue.echo_db -= np.float32(7) * ring
        sinus_size = np.array([0.55, 0.36, 0.36])
        sinus = _ellipsoid_mm(Ellipsoid(organ.centre, organ.radii * sinus_size, organ.axes), x, y, z)
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

    def _diaphragm(self, tissue: Tissue, x: Grid, y: Grid, z: Grid, wall_mm: Grid, step_mm: float) -> None:
        above = (z - self._dome(x, y)) * np.float32(0.8)
        if above.max() < -4:
            return
        lung = above - 1
        _paint(tissue, -lung, np.float32(-7.0), 0.07)
        tissue.dirt = np.maximum(tissue.dirt, np.clip(lung / 4, 0, 0.7))
        _surface(tissue, above, step_mm, self.anatomy.echo.capsule_db + 6, 1.5)

    def _gas(self, tissue: Tissue, x: Grid, y: Grid, z: Grid) -> None:
        for pocket in self.anatomy.gas:
            inside = _ellipsoid_mm(pocket, x, y, z)
            if inside.min() > 1:
                continue
            inside += self.mottle(x, y, z, 4.0)
            _paint(tissue, inside, np.float32(14.0), 0.6)
            tissue.dirt = np.maximum(tissue.dirt, np.clip(-inside / 3, 0, 1))

    def _spine(self, tissue: Tissue, x: Grid, y: Grid) -> None:
        cx, cy = self.anatomy.spine.astype(np.float32)
        bone = np.sqrt((x - cx) ** 2 + (y - cy) ** 2) - np.float32(19)
        _paint(tissue, bone, np.float32(13.0), 0.9)

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
        angle = np.degrees(np.arctan2(points[0] / anatomy.body_mm[0], -points[1] / anatomy.body_mm[1]))
        above_margin = points[2] - anatomy.costal_margin(angle).astype(np.float32)
        half = np.float32(RIB_SPACING_MM / 2)
        within = (above_margin - np.float32(anatomy.rib_phase_mm) + half) % np.float32(RIB_SPACING_MM) - half
        middle = np.float32(anatomy.rib_depth_mm)
        rib = np.sqrt((within * 0.8) ** 2 + ((wall_mm - middle) * 1.5) ** 2) - np.float32(5.2)
        rib = np.where((above_margin > -6) & (np.abs(angle) < 100), rib, np.float32(_FAR_MM)).astype(
            np.float32
        )
        _paint(tissue, rib, np.float32(12.0), 1.2)


def _ellipsoid_mm(body: Ellipsoid, x: Grid, y: Grid, z: Grid) -> Grid:
    """Signed distance to an ellipsoid, first-order exact near its surface."""
    dx, dy, dz = (c - np.float32(o) for c, o in zip((x, y, z), body.centre, strict=True))
    inner = np.zeros_like(x)
    outer = np.zeros_like(x)
    for axis, radius in zip(body.axes.astype(np.float32), body.radii.astype(np.float32), strict=True):
        share = (dx * axis[0] + dy * axis[1] + dz * axis[2]) / radius
        inner += share * share
        outer += (share / radius) ** 2
    inner = np.sqrt(inner)
    distance: Grid = inner * (inner - 1) / (np.sqrt(outer) + np.float32(1e-6))
    return distance


def _misses(tube: Tube, frame: Frame3D, reach: Vector) -> bool:
    """Whether the image plane passes the vessel by with room to spare (for breath and warp)."""
    sides = [
        (p + reach * share - frame.contact) @ frame.normal for p in (tube.start, tube.end) for share in (0, 1)
    ]
    clear = max(tube.start_mm, tube.end_mm) + 9.0
    return min(sides) > clear or max(sides) < -clear


def _tube_mm(tube: Tube, points: Grid) -> Grid:
    """Signed distance to a tapered capsule."""
    along = (tube.end - tube.start).astype(np.float32)
    start = tube.start.astype(np.float32)
    length2 = float(along @ along)
    dx, dy, dz = points[0] - start[0], points[1] - start[1], points[2] - start[2]
    share = (dx * along[0] + dy * along[1] + dz * along[2]) * np.float32(1 / length2)
    np.clip(share, 0, 1, out=share)
    dx -= share * along[0]
    dy -= share * along[1]
    dz -= share * along[2]
    distance: Grid = np.sqrt(dx * dx + dy * dy + dz * dz)
    distance -= np.float32(tube.start_mm) + share * np.float32(tube.end_mm - tube.start_mm)
    return distance


def _paint(tissue: Tissue, distance: Grid, echo_db: Grid | np.float32, loss: float) -> None:
    """Fill the inside of a shape (negative distance), soft over about a millimetre."""
    share = np.clip(np.float32(0.5) - distance * np.float32(0.8), 0, 1)
    if not share.any():
        return
    tissue.echo_db += share * (echo_db - tissue.echo_db)
    tissue.loss_db_per_mm += share * (np.float32(loss) - tissue.loss_db_per_mm)
    tissue.interface_db *= 1 - share


def _surface(tissue: Tissue, distance: Grid, step_mm: float, gain_db: float, width_mm: float) -> None:
    """Brighten a surface where it faces the beam."""
    near = np.abs(distance) < 3 * width_mm
    if not near.any():
        return
    facing = np.abs(np.diff(distance, axis=0, prepend=distance[:1])) * np.float32(1 / step_mm)
    np.clip(facing, 0, 1, out=facing)
    shape = np.exp(-((distance / np.float32(width_mm)) ** 2)) * near
    tissue.interface_db += np.float32(gain_db) * shape * (np.float32(0.2) + np.float32(0.8) * facing * facing)
