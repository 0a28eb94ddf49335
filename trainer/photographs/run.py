"""`t2c-train photographs`: check, train, judge, report, install. Must not import the command line."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from t2c_engine.errors import ExistsError, UsageError
from t2c_engine.files import make_folder, write_file
from t2c_engine.model_store import add_model
from t2c_engine.models import ModelCard, export_model, find_model, scan_models, user_folder
from trainer.common.distributed import join_world
from trainer.photographs.check import DataCheck, check_folder, check_table, counted, held_out_part
from trainer.photographs.config import PhotographsConfig
from trainer.photographs.data import training_data
from trainer.photographs.judge import SHORT_SIDE, HeldOut, measure
from trainer.photographs.others import other_photographs
from trainer.photographs.report import Outcome, write_report
from trainer.photographs.train import Base, Run, train
from trainer.photographs.verdict import Comparison, judge

log = logging.getLogger(__name__)

KIND = "photographs"
CHECK_TABLE = "check.csv"


@dataclass(frozen=True, slots=True)
class Request:
    """What to fine-tune on, and what to call it.

    folder: colour photographs, also in folders inside. out: the run's folder. base: the colouriser that is fine-tuned;
    None: the default one. others: photographs of other kinds, to see what was lost; None: a few that are bundled.
    """

    folder: Path
    name: str
    out: Path
    command: str
    base: str | None = None
    others: Path | None = None
    device: str = "cpu"
    overwrite: bool = False


def fine_tune(request: Request, config: PhotographsConfig, say: Callable[[str], None] = log.info) -> Outcome | None:
    """Fine-tune on a folder of photographs and install the result, where it is no worse than the shipped model.

    A run that was ended goes on. None in the processes that only help the first (`torchrun`).

    Raises:
        UsageError: the folder or the run cannot be used. ExistsError: the name is taken. ModelError, OutputError.
    """
    world = join_world(request.device)
    _refuse_taken(request)
    card = find_model("colorizer", request.base)
    base = Base.load(card, request.device)
    check = check_folder(request.folder)
    make_folder(request.out)
    if world.first:
        write_file(request.out / CHECK_TABLE, check_table(check.files).encode("utf-8", "replace"), overwrite=True)
        for sentence in check.sentences():
            say(sentence)
    used = sorted(check.used, key=lambda one: one.digest)  # names and places of files have no influence
    held_out = held_out_part(used, config.held_out, config.seed)
    data = training_data(used, held_out, request.device)
    run = Run(config, request.out, base, data, check.digest, world)
    small = [HeldOut.of(one, base.inference.short_side) for one, out in zip(used, held_out, strict=True) if out]
    seconds = train(run, small)
    if not world.first:
        return None
    large = [HeldOut.of(one, SHORT_SIDE) for one, out in zip(used, held_out, strict=True) if out]
    return _finish(request, run, check, large, seconds, say)


def _finish(
    request: Request, run: Run, check: DataCheck, held_out: list[HeldOut], seconds: float, say: Callable[[str], None]
) -> Outcome:
    """Figures before and after, verdict, report, and the model where it is kept."""
    arrays = _as_stored(run.best_arrays())
    before, after = run.base.colorizer(), run.base.colorizer(arrays)
    others = other_photographs(request.others)
    own = Comparison(measure(before, held_out, "before"), measure(after, held_out, "after"))
    elsewhere = Comparison(measure(before, others, "others, before"), measure(after, others, "others, after"))
    verdict = judge(own, elsewhere)
    if not arrays:
        verdict = replace(judge(own, None), ship=False, clear=True, sentence=NO_BETTER)
    outcome = Outcome(
        request.name, request.command, check, held_out, own, elsewhere, verdict, run.looks.seen, run.looks.best_step,
        seconds,
    )  # fmt: skip
    path = write_report(request.out, outcome, before, after)
    if verdict.ship:
        card = install(request, run, outcome, arrays)
        say(f"Installed {card.folder / card.file}, {card.size / 1e6:.1f} MB.")
    say(verdict.sentence)
    say(f"The report is {path}.")
    return outcome


NO_BETTER = (
    "Not kept: no step of the training was better on your held-out photographs. The shipped model stays in use. More "
    "photographs of one kind help; photographs of many kinds have little in common to learn."
)


def install(request: Request, run: Run, outcome: Outcome, arrays: dict[str, np.ndarray]) -> ModelCard:
    """Write the model into the run's folder and among the user's own.

    Raises:
        ModelError: a change is not finite. OutputError: a folder cannot be written.
    """
    card = run.base.card
    trained = len(run.data.indices)
    export_model(
        request.out,
        arrays,
        name=request.name,
        version="1",
        kind=KIND,
        licence=card.licence,
        attribution=card.attribution,
        data=(
            f"{counted(trained, 'photograph')} of the user's own, and {outcome.own.count} held out; "
            f"sha256 of all {outcome.check.digest}",
        ),
        command=request.command,
        figures={
            "held_out": outcome.own.as_json(),
            "others": outcome.others.as_json() if outcome.others else {},
            "verdict": outcome.verdict.sentence,
            "step": outcome.best_step,
            "seed": run.config.seed,
        },
        config={"base": {"name": card.name, "version": card.version, "sha256": card.sha256}, "rank": run.config.rank},
    )
    return add_model(request.out / f"{request.name}.json", overwrite=True)


def _as_stored(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """float16, as the file will hold them: what is judged is what is used."""
    return {name: array.astype(np.float16) for name, array in arrays.items()}


def _refuse_taken(request: Request) -> None:
    """Before hours of work, not after.

    Raises:
        ExistsError: a model of another kind, or one not to be replaced, has the name. UsageError: it is no plain name.
    """
    from t2c_engine.models import NAME

    if not NAME.fullmatch(request.name):
        raise UsageError(f"'{request.name}' is no name for a style; use letters, digits, '-' and '_'.")
    for card in scan_models()[0]:
        own = card.kind == KIND and card.folder == user_folder()
        if card.name == request.name and not (own and request.overwrite):
            advice = "add --overwrite to replace it, or give another --name" if own else "give another --name"
            raise ExistsError(f"A {card.kind} model is called '{request.name}' already; {advice}.")
