"""A report as one HTML file that works offline: text, tables, swatches, curves, pictures inside it.

Must not import torch or networks.

Words are escaped everywhere; what is HTML already comes as `Markup`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from io import BytesIO

import numpy as np
from markupsafe import Markup, escape
from PIL import Image

from t2c_engine.palettes.palette import Palette

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.verdict { font-size: 1.15rem; padding: .8rem 1rem; border-left: .4rem solid #888; background: #8882; }
.verdict.good { border-color: #2a8a4a; } .verdict.bad { border-color: #b5452c; }
table { border-collapse: collapse; } th, td { padding: .25rem .9rem .25rem 0; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
tr + tr > * { border-top: 1px solid #8884; }
.strip { display: grid; gap: .4rem; margin: .4rem 0 1.4rem; }
.strip figure { margin: 0; } .strip img { width: 100%; border-radius: .2rem; display: block; }
figcaption { font-size: .85rem; opacity: .8; } .scroll { max-height: 24rem; overflow: auto; }
.faint { opacity: .75; } img { max-width: 100%; } svg { background: #fff; max-width: 100%; }
.palette { display: inline-flex; border-radius: 4px; overflow: hidden; margin: 2px 4px 2px 0; border: 1px solid #8886; }
.palette span { width: .9rem; height: 1.5rem; display: block; } .palette.best { outline: 3px solid #2a8a4a; }
"""


def page(title: str, parts: Iterable[str]) -> bytes:
    """A page of parts that are HTML already."""
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{text(title)}</h1>\n{body}\n</body></html>\n"
    ).encode("utf-8", "replace")


def text(words: str) -> Markup:
    """Words as HTML; markup stays as it is."""
    return words if isinstance(words, Markup) else escape(printable(words))


def printable(words: str) -> str:
    """Words without the control characters that names of files may hold; a sign stands in their place."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in words)


def paragraph(words: str, kind: str = "") -> str:
    """A paragraph; `kind`: its class in the style sheet."""
    return f'<p class="{kind}">{text(words)}</p>' if kind else f"<p>{text(words)}</p>"


def heading(words: str) -> str:
    return f"<h2>{text(words)}</h2>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table; `numbers`: columns that are set as such."""

    def line(cells: Sequence[str], tag: str) -> str:
        kinds = (' class="number"' if index in numbers else "" for index in range(len(cells)))
        parts = (f"<{tag}{kind}>{text(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True))
        return f"<tr>{''.join(parts)}</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def strip(pictures: Sequence[tuple[str, np.ndarray]]) -> str:
    """Pictures side by side, each with a caption; H x W x 3 sRGB, 0..1."""
    figures = "".join(
        f'<figure><img alt="{text(caption)}" src="{embedded(rgb)}"><figcaption>{text(caption)}</figcaption></figure>'
        for caption, rgb in pictures
    )
    return f'<div class="strip" style="grid-template-columns: repeat({len(pictures)}, 1fr)">{figures}</div>'


def embedded(rgb: np.ndarray, quality: int = 85) -> str:
    """H x W x 3 sRGB, 0..1, as a JPEG in a data URI."""
    stream = BytesIO()
    pixels = np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return _data_uri("jpeg", stream.getvalue())


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def swatches(palette: Palette, best: bool = False) -> Markup:
    """A palette as blocks of colour; `best` draws a frame around it."""
    block = Markup('<span style="background:{0}" title="{0}"></span>')
    blocks = Markup().join(block.format(code) for code in palette.hex[:24])
    return Markup('<span class="palette{}">{}</span>').format(" best" if best else "", blocks)


def png_picture(png: bytes, words: str) -> Markup:
    """A PNG inside the page."""
    return Markup('<img alt="{}" src="{}">').format(words, _data_uri("png", png))


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
