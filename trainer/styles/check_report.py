"""The check of examples in words, for the terminal, and as a page. Must not import torch."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from t2c_engine.palettes.palette import Palette
from trainer.styles.check import LEAVES, Checked, Finding, Kind
from trainer.styles.page import page, swatches, table

_SHOWN = 200  # findings of a kind on the page


def check_sentences(checked: Checked) -> Iterator[str]:
    """What was found, a sentence a kind."""
    yield f"{len(checked.kept)} palettes to learn from, {len(checked.left_out)} left out."
    for kind, number in checked.counts.items():
        first = next(one for one in checked.findings if one.kind is kind)
        offer = f' (offered: "{first.offer}")' if first.offer else ""
        where = f'"{first.example.text[:40]}" of {first.example.source}: {first.words}{offer}'
        yield f"{number} {'left out' if kind in LEAVES else 'kept, to look at'}, {kind}: as {where}."
    unread = [one for one in checked.left_out if not one.colors]
    if unread:
        yield f"{len(unread)} could not be used: as {unread[0].source}: {unread[0].reason.rstrip('.')}."


def check_page(checked: Checked, title: str) -> bytes:
    """All findings with their palettes, as HTML."""
    number, out = len(checked.kept), len(checked.left_out)
    body = [f"<h1>{escape(title)}</h1>"]
    body.append(
        f"<p class=faint>{number} palettes to learn from, {out} left out. Nothing in your folder was changed: "
        "<code>cleaned.jsonl</code> is the copy that was learned from, <code>left-out.csv</code> the rest.</p>"
    )
    for kind in Kind:
        some = [one for one in checked.findings if one.kind is kind]
        if some:
            fate = "left out" if kind in LEAVES else "kept; look whether they are right"
            body.append(f"<h2>{escape(kind[0].upper() + kind[1:])}: {len(some)}, {fate}</h2>")
            body.append(table(("palette", "text", "what", "where"), [_row(one) for one in some[:_SHOWN]]))
            if len(some) > _SHOWN:
                body.append(f"<p class=faint>and {len(some) - _SHOWN} more</p>")
    unread = [one for one in checked.left_out if not one.colors]
    if unread:
        body.append(f"<h2>Could not be used: {len(unread)}</h2>")
        rows = [(escape(one.source), escape(one.text), escape(one.reason)) for one in unread[:_SHOWN]]
        body.append(table(("file", "text", "why"), rows))
    if not checked.findings and not unread:
        body.append("<p>Nothing is wrong with them.</p>")
    body.append(f"<h2>Learned from: {number}</h2>")
    kept = [(swatches(one.palette), escape(one.text), escape(one.source)) for one in checked.kept[:_SHOWN]]
    body.append(table(("palette", "text", "where"), kept))
    if number > _SHOWN:
        body.append(f"<p class=faint>and {number - _SHOWN} more</p>")
    return page(title, body)


def _row(one: Finding) -> tuple[str, str, str, str]:
    offer = f"; offered: <b>{escape(one.offer)}</b>" if one.offer else ""
    example = one.example
    palette = Palette(example.palette.colors[:24])
    return swatches(palette), escape(example.text), escape(one.words) + offer, escape(example.source)
