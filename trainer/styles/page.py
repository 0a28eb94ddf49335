"""What the pages of styles show beside words and tables: swatches, a picture, a curve. Must not import torch.

The page itself is `trainer.common.html_page`'s.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape

from t2c_engine.palettes.palette import Palette


def swatches(palette: Palette, best: bool = False) -> Markup:
    """A palette as blocks of colour; `best` draws a frame around it."""
    block = Markup('<span style="background:{0}" title="{0}"></span>')
    blocks = Markup().join(block.format(code) for code in palette.hex[:24])
    return Markup('<span class="palette{}">{}</span>').format(" best" if best else "", blocks)


def picture(png: bytes, words: str) -> Markup:
    """A PNG inside the page."""
    return Markup('<img alt="{}" src="data:image/png;base64,{}">').format(words, base64.b64encode(png).decode())


def curve(points: Sequence[tuple[int, float]], marked: int, words: str) -> Markup:
    """A line of (step, value) as SVG; the step `marked` gets a dot."""
    width, height, margin = 640, 200, 44
    steps, values = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
    low, high = float(values.min()), float(values.max())
    x = margin + (width - 2 * margin) * steps / max(float(steps.max()), 1.0)
    y = height - margin + (2 * margin - height) * (values - low) / max(high - low, 1e-6)
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    at = int(np.flatnonzero(steps == marked)[0])
    label = 'font-size="12" fill="#666"'
    return Markup(
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escape(words)}">'
        f'<polyline points="{line}" fill="none" stroke="#3a7d5c" stroke-width="2"/>'
        f'<circle cx="{x[at]:.1f}" cy="{y[at]:.1f}" r="5" fill="#3a7d5c"/>'
        f'<text x="4" y="{margin}" {label}>{high:.2f}</text><text x="4" y="{height - margin}" {label}>{low:.2f}</text>'
        f'<text x="{margin}" y="{height - 12}" {label}>step 0</text>'
        f'<text x="{width - margin - 40}" y="{height - 12}" {label}>{int(steps.max())}</text></svg>'
    )
