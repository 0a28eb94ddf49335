"""Teach a style, from a folder to an installed model and its report. Reads top-down.

Its folder keeps the check, the cleaned copy, the checkpoint of the training and the report. A run that was killed goes
on when it is started again with the same palettes. Only `trainer.styles.train` imports torch.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.errors import UsageError
from t2c_engine.files import write_file
from t2c_engine.model_store import check_name, export_own
from t2c_engine.models import ModelCard, find_model, load_weights
from t2c_engine.palettes.palette import PALETTE_SIZE, Palette
from t2c_engine.palettes.phrases import read_phrase
from t2c_engine.palettes.sampler import PaletteSampler
from t2c_engine.palettes.style import WORDS, Style, StyleShares
from t2c_engine.text.lexicon import Lexicon
from trainer.common.checkpoints import CHECKPOINT
from trainer.common.settings import build_settings, read_settings
from trainer.palettes.data import read_texts
from trainer.styles.check import Checked, check_examples, refuse_few, write_cleaned
from trainer.styles.check_report import check_page, check_sentences
from trainer.styles.examples import Example, read_examples
from trainer.styles.measure import Comparison, best_of_five, general_examples
from trainer.styles.report import Report, Verdict, report_page, verdict
from trainer.styles.train import StyleConfig, Trained, pack_examples, split_examples, train_adapter

log = logging.getLogger(__name__)

CONFIG = Path(__file__).parent.parent / "configs" / "style.toml"
_READ, _TRAINED = 0.08, 0.65  # how far a run is after reading and after training, 0..1

Progress = Callable[[float, str], None]  # 0..1 and in words; may raise to stop


@dataclass(frozen=True, slots=True)
class StyleRequest:
    """What to teach: a folder or file of examples, under which name, and where the run and its report are kept.

    correct: take offered corrections of texts. pat: data folder with PAT, to measure what is lost on its test texts.
    overwrite: replace the user's style of this name.
    """

    source: Path
    name: str
    out: Path
    correct: bool = False
    pat: Path | None = None
    overwrite: bool = False
    config: Path = CONFIG


@dataclass(frozen=True, slots=True)
class StyleResult:
    """What became of it. `card` is None where the shipped palettes stay in use."""

    verdict: Verdict
    card: ModelCard | None
    report: Path
    check: Path
    seconds: float


@dataclass(frozen=True, slots=True)
class _Base:
    """The palette model that a style is taught on."""

    card: ModelCard
    tensors: Mapping[str, np.ndarray]
    sampler: PaletteSampler

    @property
    def lexicon(self) -> Lexicon:
        return self.sampler.lexicon

    def styled(self, style: Style) -> PaletteSampler:
        """The model with a style at weight 1."""
        return self.sampler.with_styles(self.card, self.tensors, [(style, 1.0)])


def load_base() -> _Base:
    """The installed default palette model. Raises ModelError as `find_model`."""
    card = find_model("palette")
    tensors = load_weights(card)
    return _Base(card, tensors, PaletteSampler.from_tensors(card.name, card.config, tensors))


def check_folder(request: StyleRequest, base: _Base, progress: Progress = lambda done, text: None) -> Checked:
    """Read and check the examples; check.html, cleaned.jsonl and left-out.csv in the run's folder.

    Raises:
        UsageError: the folder is not there, or holds too many palettes. OutputError: the run's cannot be written.
    """
    found = read_examples(request.source, lambda name: progress(0.02, f"Reading {name}"))
    progress(_READ / 2, "Checking the palettes")
    checked = check_examples(found, base.lexicon, request.correct)
    write_file(request.out / "check.html", check_page(checked, f"The palettes of {request.source.name}"), True)
    write_cleaned(checked, request.out)
    for sentence in check_sentences(checked):
        log.info("%s", sentence)
    return checked


def teach_style(request: StyleRequest, progress: Progress = lambda done, text: None) -> StyleResult:
    """Check, train, measure, report, and install the style if it is better than the shipped palettes.

    Raises:
        UsageError: examples, settings or name cannot be used. ExistsError: the name is taken.
        ModelError: the palette model cannot be used. OutputError: a folder cannot be written.
    """
    begun = time.monotonic()
    config = build_settings(StyleConfig, read_settings(request.config), request.config)
    check_name(request.name, "style", request.overwrite)
    base = load_base()
    checked = check_folder(request, base, progress)
    refuse_few(checked, request.source)
    places, held_places = split_examples(checked.groups, config.seed)
    examples, held_out = ([checked.kept[place] for place in some] for some in (places, held_places))
    if len(held_out) < 2:
        raise UsageError("Too few different palettes to hold some out; give palettes that differ more.")
    identity = _identity(config, base, checked)
    _begin(request.out, identity)

    def trained_so_far(step: int, steps: int) -> None:
        progress(_READ + (_TRAINED - _READ) * step / steps, "Learning")

    rows, held_rows = (pack_examples(some, base.lexicon) for some in (examples, held_out))
    shape = base.card.config["network"]
    trained = train_adapter(config, shape, base.tensors, rows, held_rows, request.out, trained_so_far)
    progress(_TRAINED, "Measuring")
    measured = _measure(request, config, base, trained, examples, held_out, progress)
    words = verdict(measured.own, measured.general)
    facts = _facts(checked, examples, held_out, base, config, identity, request)
    report = Report(
        request.name, words, checked.kept, held_out, measured.own, measured.general, measured.pat, base.sampler,
        base.styled(measured.style), trained.course, trained.best_step, facts,
    )  # fmt: skip
    write_file(request.out / "report.html", report_page(report), overwrite=True)
    card = _install(request, base, measured, facts, words, trained) if words.kept else None
    progress(1.0, "Done")
    return StyleResult(words, card, request.out / "report.html", request.out / "check.html", time.monotonic() - begun)


@dataclass(frozen=True, slots=True)
class _Measured:
    style: Style
    own: Comparison
    general: Comparison
    pat: Comparison | None


def _measure(
    request: StyleRequest,
    config: StyleConfig,
    base: _Base,
    trained: Trained,
    examples: list[Example],
    held_out: list[Example],
    progress: Progress,
) -> _Measured:
    """Choose the style's shares on random phrases, then compare on the palettes held out, and on PAT if it is there."""
    tensors = trained.tensors | {WORDS: _word_rows(examples, base.lexicon)}
    others = general_examples(base.sampler, config.general, config.seed)
    before = best_of_five(base.sampler, others)
    style = Style(request.name, base.card.sha256, StyleShares(0.0, 0.0), tensors)
    general = Comparison(before, before)
    for index, share in enumerate(config.shares):
        progress(_TRAINED + 0.2 * index / len(config.shares), "Measuring other phrases")
        shares = StyleShares(share, min(1.0, share + config.known_more))
        style = Style(request.name, base.card.sha256, shares, tensors)
        general = Comparison(before, best_of_five(base.styled(style), others))
        if general.change <= config.most_lost:
            break
    progress(_TRAINED + 0.2, "Measuring your palettes")
    styled = base.styled(style)
    own = Comparison(best_of_five(base.sampler, held_out), best_of_five(styled, held_out))
    pat = _pat(request.pat) if request.pat is not None else []
    progress(_TRAINED + 0.25, "Measuring PAT" if pat else "Writing the report")
    compared = Comparison(best_of_five(base.sampler, pat), best_of_five(styled, pat)) if pat else None
    return _Measured(style, own, general, compared)


def _pat(data: Path) -> list[Example]:
    """PAT's test texts, which nothing is trained on."""
    rows = [row for row in read_texts(data, pat_only=True) if row.split == "test" and len(row.lab) == PALETTE_SIZE]
    return [Example(row.text, Palette.from_lab(row.lab), "PAT") for row in rows]


def _word_rows(examples: list[Example], lexicon: Lexicon) -> np.ndarray:
    """Rows of the vocabulary that the texts use (n, int32)."""
    words = {word for example in examples for word in read_phrase(lexicon, example.text).words}
    return np.array(sorted(lexicon.vocabulary.rows(words)), dtype=np.int32)


def _identity(config: StyleConfig, base: _Base, checked: Checked) -> dict[str, Any]:
    """What a run depends on: settings, palette model, palettes."""
    digest = hashlib.sha256()
    for example in checked.kept:
        digest.update(f"{example.text}\t{' '.join(example.palette.hex)}\n".encode("utf-8", "surrogatepass"))
    settings = json.loads(json.dumps(asdict(config)))
    return {"settings": settings, "base": base.card.sha256, "data": digest.hexdigest()}


def _begin(folder: Path, identity: Mapping[str, Any]) -> None:
    """Forget a run of other palettes, settings or another model in this folder."""
    path = folder / "run.json"
    try:
        known = json.loads(path.read_text("utf-8")) if path.exists() else None
    except (OSError, ValueError):
        known = None
    if known != identity:
        if (folder / CHECKPOINT).exists():
            log.info("The palettes or settings are others than in the run before; training begins anew.")
            (folder / CHECKPOINT).unlink()
        write_file(path, (json.dumps(identity, indent=2) + "\n").encode(), overwrite=True)


def _facts(
    checked: Checked,
    examples: list[Example],
    held_out: list[Example],
    base: _Base,
    config: StyleConfig,
    identity: Mapping[str, Any],
    request: StyleRequest,
) -> dict[str, str]:
    """What the report and the card say of a run."""
    return {
        "palettes": f"{len(examples)} learned from, {len(held_out)} held out, {len(checked.left_out)} left out",
        "data sha256": identity["data"],
        "palette model": f"{base.card.name} {base.card.version}, sha256 {base.card.sha256}",
        "seed": str(config.seed),
        "command": command_of(request),
    }


def command_of(request: StyleRequest) -> str:
    """The command that makes the style again."""
    source = request.source.name
    source = f"'{source}'" if re.search(r"[^\w./-]", source) else source
    return f"t2c-train style {source} --name {request.name}{' --correct' if request.correct else ''}"


def _install(
    request: StyleRequest,
    base: _Base,
    measured: _Measured,
    facts: Mapping[str, str],
    words: Verdict,
    trained: Trained,
) -> ModelCard:
    """Put the style among the user's models."""
    parts = {"held_out": measured.own, "random_phrases": measured.general, "pat_test": measured.pat}
    figures: dict[str, Any] = {"verdict": words.sentence}
    for name, one in parts.items():
        if one is not None:
            before, after = (round(float(scores.mean()), 3) for scores in (one.shipped, one.styled))
            figures[name] = {
                "texts": len(one.shipped),
                "before": before,
                "after": after,
                "change": round(one.change, 4),
            }
    return export_own(
        measured.style.tensors,
        name=request.name,
        version="1",
        kind="style",
        licence=base.card.licence,
        attribution=base.card.attribution,
        data=(f"{request.source.name}: {facts['palettes']}", f"sha256 {facts['data sha256']}"),
        command=command_of(request),
        figures=figures,
        config={
            "base": {"name": base.card.name, "version": base.card.version, "sha256": base.card.sha256},
            "shares": asdict(measured.style.shares),
            "seed": int(facts["seed"]),
            "steps": trained.best_step,
        },
        overwrite=request.overwrite,
    )
