"""What the engine process can do, method by method: palettes, pictures, previews, colours, doctor.

Knows params and pixels, nothing of frames, pipes and queues (`server`). Loads the networks once, torch only when a
picture is to be coloured or `warm_up` is called. Must not import torch at module level.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from t2c_engine.colorization.color_styles import KIND as COLOR_STYLES
from t2c_engine.colorization.looks import LookChoice
from t2c_engine.errors import ModelError, T2CError, UsageError
from t2c_engine.files import reason
from t2c_engine.models import find_model
from t2c_engine.palettes.style import StyleWeight, installed_styles, styles_text
from t2c_engine.pictures.picture import Picture
from t2c_engine.serving import params
from t2c_engine.serving.params import Params
from t2c_engine.serving.picture_store import PictureStore, format_of, read_pixels
from t2c_engine.serving.protocol import (
    COLOR_LAYER_SIDE,
    DEFAULT_COUNT,
    DEFAULT_HINT_REACH,
    DEFAULT_NATURAL,
    DEFAULT_PREVIEW_SIDE,
    DEFAULT_VARIETY,
    DEVICES,
    MAX_PALETTES,
    MAX_PREVIEW_SIDE,
    MAX_SEED,
    MAX_STRENGTH,
    MIN_PREVIEW_SIDE,
    MODES,
    Buffer,
)

log = logging.getLogger(__name__)

MAX_STYLED = 4  # networks with styles that are kept
_PATIENCE = 0.3  # seconds between two signs of life while the network loads

# picture, ab, lightness, curve of lightness or None, and what to call now and then, which may raise
Render = Callable[[Picture, np.ndarray, np.ndarray, np.ndarray | None, Callable[[], None]], np.ndarray]
Notify = Callable[[str, Params, Buffer], None]


class CancelledError(Exception):
    """The editor has stopped the job."""


@dataclass(frozen=True, slots=True)
class Job:
    """One request under way. `notify` sends a notification about it; `cancelled` says whether to give up."""

    params: Params
    blob: Buffer
    notify: Notify
    cancelled: Callable[[], bool]

    def raise_if_cancelled(self) -> None:
        """Nothing, unless it has been cancelled.

        Raises:
            CancelledError: it has.
        """
        if self.cancelled():
            raise CancelledError

    def progress(self, done: float, text: str) -> None:
        """Tell how far the job is, 0..1 and in words; gives up when it has been cancelled.

        Raises:
            CancelledError: it has.
        """
        self.raise_if_cancelled()
        self.notify("progress", {"done": round(done, 4), "text": text}, b"")


def _load_sampler(styles: Sequence[StyleWeight] = ()) -> Any:
    from t2c_engine.palettes.sampler import PaletteSampler

    return PaletteSampler.load(styles=styles)


def _load_colorizer(device: str, styles: tuple[StyleWeight, ...] = ()) -> Any:
    try:
        from t2c_engine.devices import pick_device

        if styles:
            from t2c_engine.colorization.colorizer import Colorizer

            return Colorizer.load(device=device, styles=styles)
        return _colorizer_on(str(pick_device(device)))
    except (ImportError, OSError) as error:  # OSError: a library of torch's is missing or damaged
        raise ModelError(
            f"The colour network cannot run, torch is not usable ({reason(error)}); reinstall it."
        ) from error


@cache
def _colorizer_on(device: str) -> Any:
    """One for each device, so that "auto" is not loaded beside what it stands for."""
    from t2c_engine.colorization.colorizer import Colorizer

    return Colorizer.load(device=device)


def _render(
    picture: Picture, ab: np.ndarray, lightness: np.ndarray, curve: np.ndarray | None, at_block: Callable[[], None]
) -> np.ndarray:
    from t2c_engine.rendering.guided_upsampling import render

    return render(picture, ab, lightness=lightness, curve=curve, at_block=at_block)


Methods = Mapping[str, Callable[[Job], Params]]


class Service:
    """The methods, the networks and the pictures held. Quick and slow methods may run side by side.

    Args:
        load_sampler, load_colorizer, render: where palettes and colours come from, for tests.
    """

    def __init__(
        self,
        load_sampler: Callable[..., Any] = _load_sampler,
        load_colorizer: Callable[..., Any] = _load_colorizer,
        render: Render = _render,
    ) -> None:
        self._load_sampler = load_sampler
        self._load_colorizer = load_colorizer
        self._render = render
        self._sampler: Any = None
        self._styled: dict[tuple[str, ...], Any] = {}
        self._colorizers: dict[str, Any] = {}
        self._styled_colorizers: OrderedDict[tuple[str, ...], Any] = OrderedDict()
        self._sampler_lock = threading.Lock()
        self._colorizer_lock = threading.Lock()
        self._picture_lock = threading.Lock()
        self._pictures = PictureStore()
        self.status: Params = {"colorizer": "loading"}
        # done while reading, so that later requests find the picture; the others wait in two lanes
        self.at_once: Methods = {"set_picture": self.set_picture}
        self.quick: Methods = {"palettes": self.palettes, "fit": self.fit, "styles": self.styles}
        self.slow: Methods = {
            "colorize": self.colorize,
            "preview": self.preview,
            "doctor": self.doctor,
            "teach": self.teach,
        }

    def warm_up(self, device: str, on_status: Callable[[Params], None]) -> None:
        """Load everything, the palettes first; what cannot be loaded is told in the status, and again when needed."""
        try:
            self.sampler()
        except T2CError as error:
            log.error("%s", error)
        begun = time.perf_counter()
        try:
            colorizer = self.colorizer(device)
        except T2CError as error:
            log.error("%s", error)
            self.status = {"colorizer": str(error)}
        else:
            log.info("colouriser ready after %.1f s", time.perf_counter() - begun)
            used = str(getattr(colorizer, "device", ""))
            self.status = {"colorizer": "ready", "model": colorizer.model, "device": used}
        on_status(self.status)

    def sampler(self) -> Any:
        """The palette sampler, loaded once. Errors as `PaletteSampler.load`."""
        with self._sampler_lock:
            if self._sampler is None:
                self._sampler = self._load_sampler()
            return self._sampler

    def styled_sampler(self, styles: Sequence[StyleWeight]) -> Any:
        """The palette sampler with styles; the last one is kept until a style changes. Errors as `sampler`."""
        key = (styles_text(styles), *(find_model("style", one.name).sha256 for one in styles))
        with self._sampler_lock:
            if key not in self._styled:
                self._styled = {key: self._load_sampler(styles)}
            return self._styled[key]

    def colorizer(
        self, device: str, on_wait: Callable[[], None] = lambda: None, styles: tuple[StyleWeight, ...] = ()
    ) -> Any:
        """The colouriser of a device, loaded once; `on_wait` is called now and then while another loads.

        styles: of colours, whose weights are applied; the last few such networks are kept.

        Errors as `Colorizer.load`, and what `on_wait` raises.
        """
        if device not in DEVICES:
            raise UsageError(f"There is no device '{device}'; choose one of {', '.join(DEVICES)}.")
        while not self._colorizer_lock.acquire(timeout=_PATIENCE):
            on_wait()
        try:
            if styles:
                return self._styled_colorizer(device, styles)
            if device not in self._colorizers:
                self._colorizers[device] = self._load_colorizer(device)
            return self._colorizers[device]
        finally:
            self._colorizer_lock.release()

    def _styled_colorizer(self, device: str, styles: tuple[StyleWeight, ...]) -> Any:
        """By the styles' digests too, so that one trained anew is loaded anew."""
        key = (device, styles_text(styles), *(find_model(COLOR_STYLES, one.name).sha256 for one in styles))
        if key not in self._styled_colorizers:
            self._styled_colorizers[key] = self._load_colorizer(device, styles)
        self._styled_colorizers.move_to_end(key)
        while len(self._styled_colorizers) > MAX_STYLED:
            self._styled_colorizers.popitem(last=False)
        return self._styled_colorizers[key]

    def palettes(self, job: Job) -> Params:
        """params: phrase, count, seed, variety (0..1), locked ({"0".."9": "#rrggbb"}), colors (3..10), avoid and like
        (lists of "#rrggbb"), style ("studio:0.7,winter:0.3"; "" for none).

        Returns phrase, seed, model, palettes (hex), note (what was guessed, or null).
        """
        from t2c_engine.palettes.sampler import PaletteRequest

        phrase = params.text(job.params, "phrase")
        count = params.whole(job.params, "count", DEFAULT_COUNT, 1, MAX_PALETTES)
        seed = params.whole(job.params, "seed", 0, 0, MAX_SEED)
        variety = params.number(job.params, "variety", DEFAULT_VARIETY, 0.0, 1.0)
        styles, _ = params.styles_of(job.params)
        sampler = self.styled_sampler(styles) if styles else self.sampler()
        result = sampler.sample(PaletteRequest(phrase, count, seed, variety, params.steering_of(job.params)))
        colors = [list(palette.hex) for palette in result.palettes]
        return {"phrase": phrase, "seed": seed, "model": result.model, "palettes": colors, "note": result.note}

    def fit(self, job: Job) -> Params:
        """params: palettes (hex). Returns the same as they are used: each brought to five colours."""
        return {"palettes": [list(one.hex) if one else [] for one in params.palettes_of(job.params)]}

    def styles(self, job: Job) -> Params:
        """Returns styles: of each its name, and in words what was measured ("verdict")."""
        return {"styles": installed_styles()}

    def teach(self, job: Job) -> Params:
        """params: name, palettes (list of {"text", "colors": hex list}), overwrite. Trains a style in another process.

        Returns verdict (a sentence), kept (whether there is such a style now), report and check (paths of pages).
        """
        from t2c_engine.serving.teaching import teach

        name, overwrite = params.text(job.params, "name"), job.params.get("overwrite") is True
        return teach(name, params.examples_of(job.params), overwrite, job.progress)

    def set_picture(self, job: Job) -> Params:
        """params: key, width, height, format; the pixels are the raw bytes. Returns the key."""
        key, format = params.text(job.params, "key"), params.text(job.params, "format")
        width, height = (params.whole(job.params, name, 0, 0, 2**31) for name in ("width", "height"))
        self._pictures.put(key, read_pixels(job.blob, width, height, format))
        return {"key": key}

    def colorize(self, job: Job) -> Params:
        """params: key, palettes (hex), strength (0..2) and natural (0..1) as in `Encoded.ab_maps`, device, mode
        ("colour" or "normal"), hints (key), hint_reach (0..1), style (as `parse_styles`; those of palettes are not
        used here). Palettes without colors stand for what one of these gives: reference (key of the picture whose
        colors they take), or variation (index, count and seed of a draw); without both, for the network's own colors.
        look (a name; strength is the look's then), tones (whether it changes lightness too; if not said, in mode
        "normal" only).

        Tells `picture` once a palette: index, width, height, format, and the pixels. "colour": RGB u8, at most
        COLOR_LAYER_SIDE px a side; "normal": the whole picture in its own type. Returns model and seconds.
        """
        mode = params.choice(job.params, "mode", MODES)
        return self._colorize(job, COLOR_LAYER_SIDE if mode == MODES[0] else None, tones=mode != MODES[0])

    def preview(self, job: Job) -> Params:
        """As `colorize` without mode; RGB u8 of at most `max_side` px a side (MIN_PREVIEW_SIDE..MAX_PREVIEW_SIDE)."""
        side = params.whole(job.params, "max_side", DEFAULT_PREVIEW_SIDE, MIN_PREVIEW_SIDE, MAX_PREVIEW_SIDE)
        return self._colorize(job, side, tones=False)

    def _colorize(self, job: Job, max_side: int | None, tones: bool) -> Params:
        begun = time.perf_counter()
        palettes = params.palettes_of(job.params)
        strength = params.number(job.params, "strength", 1.0, 0.0, MAX_STRENGTH)
        look = LookChoice(params.text(job.params, "look"), strength) if job.params.get("look") else None
        strength, tones = 1.0 if look else strength, params.flag(job.params, "tones", tones)
        natural = params.number(job.params, "natural", DEFAULT_NATURAL, 0.0, 1.0)
        held = self._pictures.get(params.text(job.params, "key"))
        reach = params.number(job.params, "hint_reach", DEFAULT_HINT_REACH, 0.0, 1.0)
        hints = self._pictures.get(params.text(job.params, "hints")).hints(reach) if job.params.get("hints") else None
        instead = params.instead_of_palette(job.params, self._pictures)
        device = params.text(job.params, "device") if "device" in job.params else "auto"
        _, styles = params.styles_of(job.params)
        wait = partial(job.progress, 0.0, "Loading the network")
        colorizer = self.colorizer(device, wait, styles)
        with self._picture_lock:
            job.progress(0.0, "Looking at the picture")
            target = held.picture if max_side is None else held.reduced(max_side)
            encoded = held.encoded(colorizer)
            sources = [instead if one is None else one for one in palettes]
            for index, ab in enumerate(encoded.ab_maps(sources, hints, strength, natural=natural)):
                job.progress((index + 0.5) / (len(palettes) + 0.5), f"Colorizing {index + 1} of {len(palettes)}")
                curve = None
                if look is not None:
                    toned = encoded.toned(ab, look)
                    ab, curve = toned.ab, toned.curve if tones else None
                light = encoded.lightness
                pixels = np.ascontiguousarray(self._render(target, ab, light, curve, job.raise_if_cancelled))
                height, width = pixels.shape[:2]
                told = {"index": index, "width": width, "height": height, "format": format_of(pixels)}
                job.raise_if_cancelled()
                job.notify("picture", told, pixels.data.cast("B"))
        return {"model": colorizer.model, "seconds": round(time.perf_counter() - begun, 4)}

    def doctor(self, job: Job) -> Params:
        """Returns ok, checks (name, state, words, advice) and the status of the colouriser."""
        from t2c_engine.doctor import examine

        checks = []
        for check in examine():
            job.progress(0.0, check.name)
            checks.append(check.as_json())
        ok = all(check["state"] != "problem" for check in checks)
        return {"ok": ok, "checks": checks, "status": dict(self.status)}
