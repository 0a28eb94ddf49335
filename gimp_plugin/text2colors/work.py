"""The job itself: palettes for a request, colours for pictures, results ready to be inserted.

Works with an Engine and with pixels only, so that it runs in a worker thread as well as without any dialog. Must not
import gi.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from client import Engine, EngineError, ErrorCode
from client_settings import user_data_folder
from request import Palette, Record, Request, Result

log = logging.getLogger(__name__)

OnProgress = Callable[[float, str], None]
Answer = TypeVar("Answer")


class PictureLike(Protocol):
    """Pixels as the engine takes them; `layers.Picture` is one."""

    @property
    def pixels(self) -> bytes: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def format(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Drawn:
    """Palettes for a phrase. `note` is the engine's remark for the user, such as a word it does not know."""

    palettes: tuple[Palette, ...]
    model: str
    note: str | None


def new_engine() -> Engine:
    """The engine that is set for this user; its log is kept in the user's data folder."""
    return Engine(log=log_folder() / "engine.log")


def log_folder() -> Path:
    """Where the plug-in and its engine write what happens; need not exist."""
    return user_data_folder() / "log"


def draw(engine: Engine, request: Request, turn: int = 0) -> Drawn:
    """The request's own palettes, or new ones for its phrase.

    Args:
        turn: which of several layers with palettes of their own this is; it moves the seed.

    Raises:
        EngineError: the engine cannot be used, or has no palette for the phrase.
    """
    if request.palettes:
        return Drawn(request.palettes, "", None)
    answer = engine.palettes(request.phrase, count=request.count, seed=request.seed + turn)
    palettes = tuple(tuple(palette) for palette in answer["palettes"])
    if not palettes:
        raise EngineError("The engine found no palette for this phrase.", "Use other words.")
    return Drawn(palettes, str(answer.get("model") or ""), answer.get("note"))


def colour(
    engine: Engine,
    request: Request,
    pictures: Sequence[PictureLike],
    on_progress: OnProgress,
    models: str = "",
    numbers: Sequence[int] = (),
    hints: Sequence[PictureLike | None] = (),
) -> list[list[Result]]:
    """Every picture under every palette: one list a picture, in the palettes' order.

    Args:
        on_progress: called with 0..1 and a few words; what it raises stops the work.
        models: name of the palettes' model where the request holds palettes that were drawn before.
        numbers: how each palette is called in its layer's name; 1, 2, ... when left out.
        hints: the dabs of colour for each picture, "RGBA u8"; none at all when left out.

    Raises:
        EngineError: the engine cannot do it (EngineCancelled: it was stopped).
    """
    version = str(engine.hello().get("engine", ""))
    drawn = draw(engine, request)
    results = []
    for turn, picture in enumerate(pictures):
        if turn and not request.same_palettes and not request.palettes:
            drawn = draw(engine, request, turn)
        where = f"layer {turn + 1} of {len(pictures)}" if len(pictures) > 1 else "colouring"

        def step(done: float, text: str, turn: int = turn, where: str = where) -> None:
            on_progress((turn + done) / len(pictures), f"{where}: {text}" if text else where)

        step(0.0, "")
        dabs = hints[turn] if hints else None
        pieces = insisting(partial(_ask, engine, request, picture, dabs, drawn.palettes, step))
        records = [
            Record(
                phrase=request.phrase,
                palette=palette,
                number=numbers[index] if index < len(numbers) else index + 1,
                seed=request.seed + (0 if request.same_palettes else turn),
                strength=request.strength,
                mode=request.mode,
                model=_model(engine, drawn.model or models),
                version=version,
                hints=request.hints if dabs else "",
            )
            for index, palette in enumerate(drawn.palettes)
        ]
        results.append([Result(*pieces[index], record) for index, record in enumerate(records)])
    on_progress(1.0, "")
    return results


Piece = tuple[bytes, int, int, str]


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


def _ask(
    engine: Engine,
    request: Request,
    picture: PictureLike,
    dabs: PictureLike | None,
    palettes: Sequence[Palette],
    step: OnProgress,
) -> dict[int, Piece]:
    """The picture under each palette, by the palette's index."""
    key = engine.set_picture(picture.pixels, picture.width, picture.height, picture.format)
    hints = engine.set_picture(dabs.pixels, dabs.width, dabs.height, dabs.format) if dabs else None
    pieces: dict[int, Piece] = {}
    answers = engine.colorize(
        key, palettes, request.strength, request.device, request.mode, on_progress=step, hints=hints
    )
    for index, pixels, width, height, layout in answers:
        pieces[index] = (pixels, width, height, layout)
    missing = [index for index in range(len(palettes)) if index not in pieces]
    if missing:
        raise EngineError("The engine did not give all results.", "Run the installer again.")
    return pieces


def _model(engine: Engine, palettes: str) -> str:
    """The models that made a result, in words: the colouriser's as the engine names it, and the palettes'."""
    told = engine.hello().get("models")
    colouriser = str(told.get("colorizer") or "") if isinstance(told, dict) else ""
    return " + ".join(name for name in (palettes, colouriser) if name)
