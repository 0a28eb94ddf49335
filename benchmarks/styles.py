"""Teach styles on public sets of palettes and write what they gain and lose to docs/results/styles.md.

    python benchmarks/styles.py DATA -o docs/results/styles.md

DATA is the data folder with text/. Of every set a fifth is held out from everything; `t2c-train style` gets the rest.
Palettes nearly the same stay on one side. Models and finished sets are kept in the folder of `--work`, so that a run
that was stopped goes on. `--split val` measures on PAT's validation texts, by which settings are chosen; the figures of
docs are those of its test texts.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from t2c_engine.files import write_file
from t2c_engine.palettes.palette import PALETTE_SIZE, Palette
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from t2c_engine.palettes.style import StyleWeight
from trainer.palettes.data import read_texts
from trainer.styles.check import check_examples
from trainer.styles.examples import Example, Found
from trainer.styles.measure import Comparison, best_of_five
from trainer.styles.teach import StyleRequest, load_base, teach_style
from trainer.styles.train import split_examples

TAGS = ("pastel", "neon", "vintage", "space")  # of Color Hunt
TIMED = 200  # palettes of the timed run, and phrases of the timed draws


@dataclass(frozen=True, slots=True)
class StyleFigures:
    """Figures of one set."""

    name: str
    what: str
    taught: int
    own: Comparison
    pat: Comparison
    size: int
    seconds: float
    processor_seconds: float
    verdict: str


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def tagged(data: Path, tag: str) -> list[Example]:
    """Color Hunt's palettes with a tag; their other tags are the text, so that no word names the style."""
    rows = [row for row in lines(data / "text" / "colorhunt_multitag.jsonl") if tag in row["tags"]]
    texts = [" ".join(word for word in row["tags"] if word != tag) for row in rows]
    return [Example(text, Palette.from_hex(row["hex"]), tag) for text, row in zip(texts, rows, strict=True) if text]


def kuler(data: Path) -> list[Example]:
    """The titled themes of Kuler, which the shipped model was not trained on."""
    return [
        Example(row["text"], Palette.from_hex(row["hex"]), "kuler")
        for row in lines(data / "text" / "kuler_titles.jsonl")
    ]


def sets(data: Path) -> dict[str, tuple[str, Callable[[], list[Example]]]]:
    found: dict[str, tuple[str, Callable[[], list[Example]]]] = {
        tag: (f"Color Hunt, tag {tag} (the tag is not in the text)", lambda tag=tag: tagged(data, tag)) for tag in TAGS
    }
    return found | {"kuler": ("Kuler themes with their titles", lambda: kuler(data))}


def kept(path: Path, measured: Callable[[], StyleFigures]) -> StyleFigures:
    """The figures in a file; else measured and kept there."""
    if path.exists():
        values = json.loads(path.read_text("utf-8"))
        for key in ("own", "pat"):
            values[key] = Comparison(*(np.array(values[key][part]) for part in ("shipped", "styled")))
        return StyleFigures(**values)
    figures = measured()
    values = asdict(figures)
    for key in ("own", "pat"):
        values[key] = {part: array.tolist() for part, array in values[key].items()}
    write_file(path, json.dumps(values).encode(), overwrite=True)
    return figures


def measure(
    name: str,
    what: str,
    read: Callable[[], list[Example]],
    pat: Sequence[Example],
    before: Callable[[], np.ndarray],
) -> StyleFigures:
    """Teach a set without its held-out fifth, then compare on that fifth and on PAT."""
    base = load_base()
    checked = check_examples(Found(read()), base.lexicon)
    taught, held = ([checked.kept[place] for place in some] for some in split_examples(checked.groups, seed=0))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{name}.jsonl"
        write_examples(source, taught)
        begun, spent = time.monotonic(), time.process_time()
        result = teach_style(StyleRequest(source, name, Path(folder) / "run", overwrite=True))
        seconds, processor = time.monotonic() - begun, time.process_time() - spent
    if result.card is None:
        raise SystemExit(f"{name}: {result.verdict.sentence}")
    styled = PaletteSampler.load(styles=[StyleWeight(name)])
    own = Comparison(best_of_five(base.sampler, held), best_of_five(styled, held))
    figures = Comparison(before(), best_of_five(styled, pat))
    return StyleFigures(
        name, what, len(taught), own, figures, result.card.size, seconds, processor, result.verdict.sentence
    )


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    text = "".join(json.dumps({"text": one.text, "hex": list(one.palette.hex)}) + "\n" for one in examples)
    path.write_text(text, "utf-8")


def equal_at_zero(name: str, pat: Sequence[Example]) -> bool:
    """Whether a style of weight 0 gives the shipped palettes, byte for byte."""
    plain, zero = PaletteSampler.load(), PaletteSampler.load(styles=[StyleWeight(name, 0.0)])
    return all(plain.sample(PaletteRequest(one.text)) == zero.sample(PaletteRequest(one.text)) for one in pat[:TIMED])


def added_time(name: str, pat: Sequence[Example]) -> tuple[float, float]:
    """Milliseconds of processor time a phrase takes without a style, and how many a style adds (medians)."""
    plain, styled = PaletteSampler.load(), PaletteSampler.load(styles=[StyleWeight(name)])
    spent = np.zeros((TIMED, 2))
    for row, one in enumerate(pat[:TIMED]):
        for column, sampler in enumerate((plain, styled)):
            begun = time.process_time()
            sampler.sample(PaletteRequest(one.text))
            spent[row, column] = (time.process_time() - begun) * 1e3
    return float(np.median(spent[:, 0])), float(np.median(spent[:, 1] - spent[:, 0]))


def timed_run(data: Path) -> tuple[float, float]:
    """Seconds, and seconds of processor time, to teach `TIMED` palettes from check to report."""
    examples = tagged(data, "vintage")[:TIMED]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "timed.jsonl"
        write_examples(source, examples)
        begun, spent = time.monotonic(), time.process_time()
        teach_style(StyleRequest(source, "timed", Path(folder) / "run", overwrite=True))
        return time.monotonic() - begun, time.process_time() - spent


def report(
    figures: Sequence[StyleFigures], split: str, zero: bool, draws: tuple[float, float], run: tuple[float, float]
) -> str:
    """The page of docs/results."""
    rows = [_row(one) for one in figures]
    mean, lost = np.mean([one.own.change for one in figures]), max(one.pat.change for one in figures)
    pat = figures[0].pat
    words = f"""# Styles: what they gain and lose

Written by `python benchmarks/styles.py DATA` ({platform.machine()}, {os.cpu_count()} cores, a busy machine).
best-of-5 is the distance of the best of five palettes to the true one: mean CIEDE2000 of a colour, seed 0, with as many
colours as the true one has. A fifth of every set was held out from everything. The 95 % interval is of a paired
bootstrap over the texts. PAT: {len(pat.shipped)} {split} texts; the shipped model's best-of-5 is
{pat.shipped.mean():.2f}.

| set | taught | held out | shipped | with style | change | 95 % | PAT, weight 1 | file |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

Mean change on held-out palettes: {mean:+.1%}. Most lost on PAT at weight 1: {lost:+.1%}.
At weight 0 the first {TIMED} PAT texts give {"equal bytes" if zero else "OTHER BYTES"}.
A phrase takes {draws[0]:.1f} ms of processor time; a style adds {draws[1]:+.1f} ms.
Teaching {TIMED} palettes takes {run[1]:.0f} s of processor time on one thread, from the check to the report
({run[0]:.0f} s by the clock of the busy machine).

{chr(10).join(f'- **{one.name}**: {one.what}. The trainer said: "{one.verdict}"' for one in figures)}

The shipped model was trained on all Color Hunt palettes, those held out here among them, with all their tags.
It was not trained on Kuler's themes. Seen palettes make the shipped model better on them, so the gains are rather too
small than too large. The tag that makes a set is not in its texts: a studio's texts do not name its own style.
Single colours, such as names of pastel colours, are no palettes; the check leaves them out.
"""
    return words


def _row(one: StyleFigures) -> str:
    own, (low, high) = one.own, one.own.interval
    cells = [one.name, str(one.taught), str(len(own.shipped)), f"{own.shipped.mean():.2f}", f"{own.styled.mean():.2f}"]
    cells += [f"{own.change:+.1%}", f"{low:+.0%} to {high:+.0%}", f"{one.pat.change:+.1%}", f"{one.size / 1e3:.0f} KB"]
    return f"| {' | '.join(cells)} |"


def main(
    data: Annotated[Path, typer.Argument(help="The data folder, with text/.")],
    out: Annotated[Path, typer.Option("-o", "--out")] = Path("docs/results/styles.md"),
    split: Annotated[str, typer.Option("--split", help="Of PAT: test or val.")] = "test",
    finished: Annotated[bool, typer.Option("--finished", help="Report the sets finished before, and no more.")] = False,
    work: Annotated[Path, typer.Option("--work", help="Folder for models and finished sets.")] = Path("runs/styles"),
) -> None:
    """Measure all sets and write the page."""
    rows = [row for row in read_texts(data, pat_only=True) if row.split == split and len(row.lab) == PALETTE_SIZE]
    pat = [Example(row.text, Palette.from_lab(row.lab), "PAT") for row in rows]
    os.environ["XDG_DATA_HOME"] = str(work.absolute())
    before = cache(lambda: best_of_five(load_base().sampler, pat))
    figures = []
    for name, (what, read) in sets(data).items():
        path = work / f"{name}-{split}.json"
        if finished and not path.exists():
            continue
        figures.append(kept(path, partial(measure, name, what, read, pat, before)))
        own, lost = figures[-1].own.change, figures[-1].pat.change
        typer.echo(f"{name}: {own:+.3f} PAT {lost:+.3f}", err=True)
    name = figures[0].name
    text = report(figures, split, equal_at_zero(name, pat), added_time(name, pat), timed_run(data))
    if missing := sorted(set(sets(data)) - {one.name for one in figures}):
        text += f"\nNot measured yet: {', '.join(missing)}. The same command without `--finished` measures them.\n"
    write_file(out, text.encode(), overwrite=True)


if __name__ == "__main__":
    typer.run(main)
