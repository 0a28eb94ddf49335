"""From a call of GIMP to new layers: checks the request, has the layer coloured, inserts the results."""

import os

import gimp
from t2c_plugin.shared import limits, settings
from t2c_plugin.shared.palettes import RequestError, check_choice, check_range, parse_palettes

from t2c_legacy import frames, insertion, layers
from t2c_legacy.engine import Engine
from t2c_legacy.texts import native, to_text
from t2c_legacy.transport import EngineError

try:
    from typing import Any, Callable, Dict, List, Optional, Sequence, Text, Tuple
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

pdb = gimp.pdb

PLUG_IN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Request(object):
    """What to do. `palettes` override `phrase`.

    Raises:
        RequestError: a value is out of its range, or there is neither phrase nor palette.
    """

    def __init__(
        self, phrase=u"", palettes=(), count=5, seed=0, strength=1.0, natural=limits.NATURAL_SHARE, device="auto", mode="colour",
        hint_reach=limits.HINT_REACH,
    ):  # fmt: skip
        # type: (Text, Sequence[Sequence[Text]], int, int, float, float, str, str, float) -> None
        if not phrase.strip() and not palettes:
            raise RequestError(u"There is nothing to color with: give a phrase such as 'autumn breeze', or palettes.")
        check_range("number of palettes", count, 1, limits.MAX_COUNT)
        check_range("seed", seed, 0, limits.MAX_SEED)
        check_range("strength", strength, 0.0, limits.MAX_STRENGTH)
        check_range("natural", natural, 0.0, 1.0)
        check_range("reach of hints", hint_reach, 0.0, 1.0)
        check_choice("device", device, limits.DEVICES)
        check_choice("result mode", mode, limits.MODES)
        self.phrase = phrase.strip()
        self.palettes = palettes
        self.count = count
        self.seed = seed
        self.strength = strength
        self.natural = natural
        self.device = device
        self.mode = mode
        self.hint_reach = hint_reach


def request_from(phrase, palettes, count, seed, strength, natural, mode, device, hint_reach):
    # type: (Optional[str], Optional[str], float, float, float, float, int, int, float) -> Request
    """From a procedure's arguments. GIMP gives whole numbers as floats, and choices as numbers.

    Raises:
        RequestError: as `Request`, or a palette cannot be read.
    """
    check_range("result mode", mode, 0, len(limits.MODES) - 1)
    check_range("device", device, 0, len(limits.DEVICES) - 1)
    return Request(
        to_text(phrase or ""),
        parse_palettes(to_text(palettes or "")),
        int(count),
        int(seed),
        float(strength),
        float(natural),
        limits.DEVICES[int(device)],
        limits.MODES[int(mode)],
        float(hint_reach),
    )


def colorize(image, drawable, request, hints):
    # type: (gimp.Image, gimp.Drawable, Request, Optional[gimp.Layer]) -> gimp.GroupLayer
    """Colour a layer and insert the results above it; returns their group.

    Args:
        hints: the layer with dabs of colour.

    Raises:
        RequestError, EngineError: it cannot be done; the image is as it was.
    """
    layer = layers.target(image, drawable)
    gimp.progress_init("Text2Colors")
    with new_engine() as engine:  # starts while the pixels are read
        picture = layers.read(layer)
        dabs = layers.read_hints(hints, layer) if hints is not None else None
        name = to_text(hints.name) if hints is not None else u""
        results = results_of(engine, request, picture, dabs, name, show_progress)
    return insertion.insert(image, layer, results, hints)


def results_of(engine, request, picture, dabs, hints, on_progress):
    # type: (Engine, Request, layers.Pixels, Optional[layers.Pixels], Text, Callable[[float, Text], None]) -> List[insertion.Result]
    """The picture under every palette of the request, in their order.

    Raises:
        EngineError: the engine cannot do it.
    """
    told = engine.hello()
    palettes, models = request.palettes, [(told.get("models") or {}).get("colorizer")]
    if not palettes:
        answer = engine.palettes(request.phrase, request.count, request.seed)
        palettes, models = answer["palettes"], [answer.get("model")] + models
        if not palettes:
            raise EngineError(u"The engine found no palette for this phrase.", u"Use other words.")
    pieces = _pieces(engine, request, picture, dabs, palettes, on_progress)
    if len(pieces) != len(palettes):
        raise EngineError(u"The engine did not give all results.", u"Run the installer again.")
    model = u" + ".join(to_text(one) for one in models if one)
    version = to_text(told.get("engine") or u"")
    results = []
    for index, palette in enumerate(palettes):
        values = (request.phrase, palette, index + 1, request.seed, request.strength, request.mode, model, version)
        rest = {"count": request.count, "natural": request.natural, "hint_reach": request.hint_reach}
        kept = insertion.record(*values, hints=hints, **rest)
        results.append(insertion.Result(*pieces[index], record=kept))
    return results


def _pieces(engine, request, picture, dabs, palettes, on_progress, again=True):
    # type: (Engine, Request, layers.Pixels, Optional[layers.Pixels], Sequence[Sequence[Text]], Callable[[float, Text], None], bool) -> Dict[int, Tuple[bytes, int, int]]
    """(pixels, width, height) by the palette's index; asked once more when the engine has dropped a picture."""
    pieces = {}
    try:
        key = engine.set_picture(picture.data, picture.width, picture.height, picture.format)
        hints = engine.set_picture(dabs.data, dabs.width, dabs.height, dabs.format) if dabs is not None else None
        for index, pixels, width, height in engine.colorize(
            key, palettes, request.strength, request.natural, request.device, request.mode, hints, request.hint_reach,
            on_progress,
        ):  # fmt: skip
            pieces[index] = (pixels, width, height)
    except EngineError as error:
        if error.code != frames.UNKNOWN_PICTURE or not again:
            raise
        return _pieces(engine, request, picture, dabs, palettes, on_progress, again=False)
    return pieces


def new_engine():
    # type: () -> Engine
    """The engine that is set for this user; its log is kept in the user's data folder.

    Raises:
        EngineError: it is not installed, or cannot be started.
    """
    return Engine(PLUG_IN_FOLDER, os.path.join(settings.data_folder(), "log", "engine.log"))


def show_progress(done, text):
    # type: (float, Text) -> None
    gimp.progress_update(done)
    if text:
        pdb.gimp_progress_set_text(native(u"Text2Colors: " + text))


def report_lines():
    # type: () -> List[Text]
    """What is right and wrong, one line each: GIMP, where the engine is set, what it says of itself."""
    lines = [u"GIMP {}".format(".".join(str(part) for part in gimp.version))]
    try:
        with new_engine() as engine:
            lines.append(u"Engine: " + engine.where)
            told = engine.hello()
            lines.append(u"The engine answers; version {}".format(told.get("engine")))
            for check in engine.doctor().get("checks", ()):
                words = u"{name}: {words} {advice}".format(
                    name=check.get("name", u""), words=check.get("words", u""), advice=check.get("advice") or u""
                )
                lines.append(u"{}  {}".format({"ok": u"ok", "warning": u"!"}.get(check.get("state"), u"x"), words).strip())
    except EngineError as error:
        lines.append(u"x  " + error.in_words())
        lines += [u"    " + line for line in error.details.splitlines()[-8:]]
    return lines
