"""Whole jobs: palettes for a request, colors for pictures, results ready to be inserted.

Works with an Engine and with pixels only, so that it runs in a worker thread as well as without any dialog. Must not
import gi.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from t2c_plugin.engine.client import Engine, EngineError, ErrorCode
from t2c_plugin.engine.settings import user_data_folder
from t2c_plugin.pixels import Pixels
from t2c_plugin.request import (
    Coloring,
    Inputs,
    PaletteAnswer,
    Record,
    Request,
    Result,
    format_extra,
    is_picture,
    parse_extra,
)

log = logging.getLogger(__name__)

OnProgress = Callable[[float, str], None]
Answer = TypeVar("Answer")


def new_engine() -> Engine:
    """The engine that is set for this user; its log is kept in the user's data folder."""
    return Engine(log=log_folder() / "engine.log")


def log_folder() -> Path:
    """Where the plug-in and its engine write what happens; need not exist."""
    return user_data_folder() / "log"


def draw_palettes(engine: Engine, request: Request, turn: int = 0) -> PaletteAnswer:
    """The request's own palettes, or new ones for its phrase.

    Args:
        turn: which of several layers with palettes of their own this is; it moves the seed.

    Raises:
        EngineError: the engine cannot be used, or has no palette for the phrase.
    """
    if request.palettes:
        return PaletteAnswer(request.palettes)
    extra = {"style": request.style} if request.style else None
    locked, seed = dict(request.locked), request.seed + turn
    answer = engine.palettes(request.phrase, count=request.count, seed=seed, locked=locked, extra=extra)
    if not answer.palettes:
        raise EngineError("The engine found no palette for this phrase.", "Use other words.")
    return answer


def color_pictures(
    engine: Engine,
    request: Request,
    inputs: Inputs,
    on_progress: OnProgress,
    models: str = "",
    numbers: Sequence[int] = (),
) -> list[list[Result]]:
    """Every picture under every palette: one list a picture, in the palettes' order.

    Args:
        on_progress: called with 0..1 and a few words; what it raises stops the work.
        models: name of the palettes' model where the request holds palettes that were drawn before.
        numbers: how each palette is called in its layer's name; 1, 2, ... when left out.

    Raises:
        EngineError: the engine cannot do it (EngineCancelled: it was stopped).
    """
    answer = draw_palettes(engine, request)
    results = []
    for turn, picture in enumerate(inputs.pictures):
        if turn and not request.same_palettes and not request.palettes:
            answer = draw_palettes(engine, request, turn)
        step = _progress_of(turn, len(inputs.pictures), on_progress)
        step(0.0, "")
        hints = inputs.hints_of(turn)
        colorings = request.colorings(answer.palettes)
        pictures = insisting(partial(_ask, engine, request, picture, hints, colorings, inputs.others, step))
        kept = request if hints else replace(request, hints="")
        records = _records(engine, kept, colorings, turn, numbers, answer.model or models)
        results.append([Result(pictures[index], record) for index, record in enumerate(records)])
    on_progress(1.0, "")
    return results


def _progress_of(turn: int, total: int, on_progress: OnProgress) -> OnProgress:
    """The progress of one picture of several as that of the whole job."""
    where = f"Layer {turn + 1} of {total}: " if total > 1 else ""

    def step(done: float, text: str) -> None:
        on_progress((turn + done) / total, where + (text or "Colorizing"))

    return step


def _records(
    engine: Engine, request: Request, colorings: Sequence[Coloring], turn: int, numbers: Sequence[int], models: str
) -> list[Record]:
    """What is kept with each result of the picture `turn`, in the colorings' order."""
    version = str(engine.hello().get("engine", ""))
    model = _model(engine, models)
    return [
        Record(
            phrase=request.phrase,
            palette=coloring.palette,
            number=numbers[index] if index < len(numbers) else index + 1,
            seed=request.seed + (0 if request.same_palettes else turn),
            strength=request.strength,
            natural=request.natural,
            hint_reach=request.hint_reach,
            mode=request.mode,
            model=model,
            version=version,
            hints=request.hints,
            count=request.count,
            locked=request.locked,
            extra=coloring.extra,
        )
        for index, coloring in enumerate(colorings)
    ]


def insisting(ask: Callable[[], Answer]) -> Answer:
    """What the engine answers; asked once more when it has dropped a picture for newer ones, which is then sent again.

    Raises:
        EngineError: as `ask`.
    """
    try:
        return ask()
    except EngineError as error:
        if error.code != ErrorCode.UNKNOWN_PICTURE:
            raise
        log.info("the engine no longer holds the picture; sending it again")
        return ask()


def preview(
    engine: Engine,
    picture: Pixels,
    hints: Pixels | None,
    colorings: Sequence[Coloring],
    others: Mapping[str, Pixels],
    **options: Any,
) -> list[Pixels]:
    """The picture, small, in each coloring ("RGB u8"); `options` as `Engine.preview` has them. Errors as there."""
    key = engine.set_picture(picture)
    hints_key = engine.set_picture(hints) if hints else None
    shown: dict[int, Pixels] = {}
    for places, extra in _alike(engine, colorings, others):
        given = [colorings[place].palette for place in places]
        pictures = engine.preview(key, given, hints=hints_key, extra=extra, **options)
        shown |= dict(zip(places, pictures, strict=True))
    return [shown[place] for place in sorted(shown)]


def _ask(
    engine: Engine,
    request: Request,
    picture: Pixels,
    hints: Pixels | None,
    colorings: Sequence[Coloring],
    others: Mapping[str, Pixels],
    step: OnProgress,
) -> dict[int, Pixels]:
    """The picture in each coloring, by the coloring's index."""
    key = engine.set_picture(picture)
    hints_key = engine.set_picture(hints) if hints else None
    pictures: dict[int, Pixels] = {}
    for places, extra in _alike(engine, colorings, others):

        def part(done: float, text: str, begun: int = len(pictures), share: int = len(places)) -> None:
            step((begun + done * share) / len(colorings), text)

        found = engine.colorize(
            key,
            [colorings[place].palette for place in places],
            request.strength,
            request.device,
            request.mode,
            on_progress=part,
            hints=hints_key,
            natural=request.natural,
            hint_reach=request.hint_reach,
            extra=extra,
        )
        pictures |= {places[index]: one for index, one in found}
    if len(pictures) != len(colorings):
        raise EngineError("The engine did not give all results.", "Run the installer again.")
    return pictures


def _alike(
    engine: Engine, colorings: Sequence[Coloring], others: Mapping[str, Pixels]
) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """Places of the colorings that one request can ask for, and its further parameters; pictures have been sent."""
    by_extra: dict[str, list[int]] = {}
    for place, coloring in enumerate(colorings):
        by_extra.setdefault(format_extra(coloring.params()), []).append(place)
    for text, places in by_extra.items():
        params = parse_extra(text)
        for name, value in params.items():
            if is_picture(value):
                params[name] = engine.set_picture(others[format_extra(value)])
        yield places, params


def _model(engine: Engine, palettes: str) -> str:
    """The models that made a result, in words: the coloriser's as the engine names it, and the palettes'."""
    models = engine.hello().get("models")
    colorizer = str(models.get("colorizer") or "") if isinstance(models, dict) else ""
    return " + ".join(name for name in (palettes, colorizer) if name)
