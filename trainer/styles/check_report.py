"""The check of examples in words, for the terminal, and as a page. Must not import torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from t2c_engine.palettes.palette import Palette
from trainer.common.html_page import heading, page, paragraph, swatches, table
from trainer.styles.check import LEAVES, Checked, Finding, Kind

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
    counts = Markup(
        "{} palettes to learn from, {} left out. Nothing in your folder was changed: <code>cleaned.jsonl</code> is the "
        "copy that was learned from, <code>left-out.csv</code> the rest."
    )
    body = [paragraph(counts.format(number, out), "faint")]
    for kind in Kind:
        some = [one for one in checked.findings if one.kind is kind]
        if some:
            fate = "left out" if kind in LEAVES else "kept; look whether they are right"
            body.append(heading(f"{kind[0].upper() + kind[1:]}: {len(some)}, {fate}"))
            body += _listed(("palette", "text", "what", "where"), [_row(one) for one in some])
    unread = [one for one in checked.left_out if not one.colors]
    if unread:
        body.append(heading(f"Could not be used: {len(unread)}"))
        body += _listed(("file", "text", "why"), [(one.source, one.text, one.reason) for one in unread])
    if not checked.findings and not unread:
        body.append(paragraph("Nothing is wrong with them."))
    body.append(heading(f"Learned from: {number}"))
    body += _listed(
        ("palette", "text", "where"), [(swatches(one.palette), one.text, one.source) for one in checked.kept]
    )
    return page(title, body)


def _listed(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first rows as a table, and how many more there are."""
    yield table(head, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        yield paragraph(f"and {len(rows) - _SHOWN} more", "faint")


def _row(one: Finding) -> tuple[str, str, str, str]:
    what = Markup("{}; offered: <b>{}</b>").format(one.words, one.offer) if one.offer else one.words
    return swatches(Palette(one.example.palette.colors[:24])), one.example.text, what, one.example.source
