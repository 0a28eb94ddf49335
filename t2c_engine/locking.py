"""Palettes around colours that the user has locked: the locked ones take the places of those most like them.

Must not import torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import permutations

import numpy as np

from t2c_engine.errors import PaletteError
from t2c_engine.palette import PALETTE_SIZE, Color, Palette, delta_e_2000


def lock_colors(candidates: Iterable[Palette], locked: Mapping[int, Color], count: int) -> list[Palette]:
    """The `count` candidates into which the locked colours fit best, with them put in.

    In each candidate the locked colours replace the colours nearest to them by CIEDE2000 (one-to-one, smallest sum) and
    stand where they are locked; the others keep their order. Candidates that become equal are taken once, so fewer
    than `count` may come back.

    Args:
        candidates: palettes of five colours, better ones first; more than `count`, for a choice.
        locked: position (0..4) to sRGB colour (0..255 each).

    Raises:
        PaletteError: a position is outside the palette.
    """
    wrong = [position for position in locked if not 0 <= position < PALETTE_SIZE]
    if wrong:
        raise PaletteError(f"Position {wrong[0]} cannot be locked; a palette has positions 0 to {PALETTE_SIZE - 1}.")
    if not locked:
        return list(candidates)[:count]
    fitted: dict[Palette, float] = {}
    for candidate in candidates:
        cost, palette = _fit(candidate, locked)
        fitted.setdefault(palette, cost)
    return sorted(fitted, key=fitted.__getitem__)[:count]


def _fit(candidate: Palette, locked: Mapping[int, Color]) -> tuple[float, Palette]:
    """The candidate with the locked colours in it, and the summed CIEDE2000 to the colours they replace."""
    positions = sorted(locked)
    wanted = Palette(tuple(locked[position] for position in positions)).lab
    costs = delta_e_2000(wanted[:, None], candidate.lab[None])  # locked x 5
    orders = np.array(list(permutations(range(PALETTE_SIZE), len(positions))))
    sums = costs[np.arange(len(positions)), orders].sum(1)
    best = int(np.argmin(sums))
    replaced = set(orders[best].tolist())
    kept = iter(color for index, color in enumerate(candidate.colors) if index not in replaced)
    colors = tuple(locked[position] if position in locked else next(kept) for position in range(PALETTE_SIZE))
    return float(sums[best]), Palette(colors, candidate.name)
