"""Self-contained HTML pages for people: swatches, tables, curves; no script, nothing loaded from elsewhere.

Must not import torch.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from t2c_engine.palettes.palette import Palette

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fafaf8;max-width:76rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;margin-bottom:.2rem} h2{font-size:1.2rem;margin-top:2.2rem} .faint{color:#666} img{max-width:100%}
.verdict{font-size:1.25rem;background:#fff;border-left:.4rem solid #3a7d5c;padding:.8rem 1.1rem;margin:1.2rem 0}
.verdict.no{border-color:#b5462f} .verdict.unsure{border-color:#c99a2e}
table{border-collapse:collapse;background:#fff;width:100%} td,th{padding:.4rem .7rem;border-bottom:1px solid #e6e6e2;
text-align:left;vertical-align:top} th{font-weight:600;background:#f1f1ed} td.number{text-align:right;
font-variant-numeric:tabular-nums} .palette{display:inline-flex;border-radius:4px;overflow:hidden;margin:2px 6px 2px 0;
border:1px solid #0002;vertical-align:middle} .palette span{width:1.15rem;height:1.5rem;display:block}
.best{outline:3px solid #3a7d5c;outline-offset:1px} code{background:#eee;padding:0 .25rem} svg{background:#fff}
"""


def page(title: str, body: Sequence[str]) -> bytes:
    """A whole page."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    text = f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>\n'
    return (text + "\n".join(body) + "\n</body></html>\n").encode("utf-8", "replace")


def swatches(palette: Palette, best: bool = False) -> str:
    """A palette as blocks of colour; `best` draws a frame around it."""
    blocks = "".join(f'<span style="background:{code}" title="{code}"></span>' for code in palette.hex[:24])
    return f'<span class="palette{" best" if best else ""}">{blocks}</span>'


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are HTML already."""
    head = "".join(f"<th>{cell}</th>" for cell in heading)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def picture(png: bytes, words: str) -> str:
    """A PNG inside the page."""
    return f'<img alt="{escape(words)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def curve(points: Sequence[tuple[int, float]], marked: int, words: str) -> str:
    """A line of (step, value) as SVG; the step `marked` gets a dot."""
    width, height, margin = 640, 200, 44
    steps, values = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
    low, high = float(values.min()), float(values.max())
    x = margin + (width - 2 * margin) * steps / max(float(steps.max()), 1.0)
    y = height - margin + (2 * margin - height) * (values - low) / max(high - low, 1e-6)
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    at = int(np.flatnonzero(steps == marked)[0])
    label = 'font-size="12" fill="#666"'
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escape(words)}">'
        f'<polyline points="{line}" fill="none" stroke="#3a7d5c" stroke-width="2"/>'
        f'<circle cx="{x[at]:.1f}" cy="{y[at]:.1f}" r="5" fill="#3a7d5c"/>'
        f'<text x="4" y="{margin}" {label}>{high:.2f}</text><text x="4" y="{height - margin}" {label}>{low:.2f}</text>'
        f'<text x="{margin}" y="{height - 12}" {label}>step 0</text>'
        f'<text x="{width - margin - 40}" y="{height - 12}" {label}>{int(steps.max())}</text></svg>'
    )
