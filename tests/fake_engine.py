"""An engine without a network, for tests of its client: `python fake_engine.py MODE`.

Answers every method with small made-up results, at once in the mode "good"; the other modes misbehave (see MODES). Its
stderr tells what it is asked for and has answered.
Imports the protocol and the standard library only, so that any Python can run it, in any folder.
"""

from __future__ import annotations

import importlib.util
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

PROTOCOL_FILE = Path(__file__).resolve().parent.parent / "t2c_engine" / "serving" / "protocol.py"
spec = importlib.util.spec_from_file_location("t2c_protocol", PROTOCOL_FILE)
assert spec is not None and spec.loader is not None
p: Any = importlib.util.module_from_spec(spec)
sys.modules["t2c_protocol"] = p
spec.loader.exec_module(p)

MODES = {
    "good": "answers at once",
    "variations": "announces variations, each of another colour",
    "looks": "announces looks, and answers at once",
    "slow": "takes a fifth of a second over each picture, and can be cancelled",
    "endless": "shows previews at once, but never finishes another picture; can be cancelled",
    "late": "takes a cancel, then finishes the picture as if there had been none",
    "slow-palettes": "takes a second and a half over palettes",
    "silent": "never says hello",
    "old": "says hello in another version of the protocol",
    "greeting": "prints a line of text before its hello, as a noisy login shell does",
    "crash": "ends with a Python error before hello",
    "broken-library": "ends with ModuleNotFoundError before hello",
    "hang": "answers nothing after hello, not even pings, but reads",
    "busy": "answers pings, nothing else",
    "deaf": "stops reading after hello",
    "die": "ends when asked for a picture, without a word",
    "die-in-frame": "ends in the middle of the second picture's frame",
    "junk": "writes random bytes in place of an answer",
    "huge": "announces a frame of four gigabytes",
    "bad-json": "answers with a frame whose header is no JSON",
    "wrong-size": "sends pictures one byte short",
    "refuse": "answers every request with an error",
    "forgetful": "never holds the picture that it is asked to colour",
    "stubborn": "does not end when its stdin closes",
}
SOURCES: dict[str, dict[str, Any]] = {name: {} for name in ("words", "palette", "reference", "nothing")}
NATURAL = "#7a6a5a"  # of an empty palette
VARIATIONS = {"words": {}, "palette": {}, "nothing": {"variations": 20}}  # sources in the mode "variations"
LOOKS = {"night": "#202a4a", "sepia": "#8a6a3a"}  # that the mode "looks" announces, and their color
PALETTE = ["#2b2a33", "#8c2f1b", "#5b6b3a", "#d98c3f", "#f2d8a7"]  # the first of a row; of others, the first differs


def palette(row: int, locked: Any) -> list[str]:
    """A palette of five, each row's own, with the locked colours in their places."""
    own = [f"#2b2a{0x33 + row:02x}", *PALETTE[1:]]
    return [locked.get(str(place), color) for place, color in enumerate(own)]


def say(message: Any) -> None:
    p.write_message(lambda data: os.write(1, data), message)


def size_of(params: Any, pictures: dict[Any, Any]) -> tuple[int, int]:
    """Width and height of the result: at most 2048, or `max_side` of a preview."""
    width, height = pictures.get(params["key"], (6, 4))
    scale = min(1.0, params.get("max_side", 2048) / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def colour(mode: str, request: Any, pictures: dict[Any, Any], frames: Any) -> None:
    """Send one flat picture for each palette, in its fourth colour, with the dabs of the hints on it."""
    width, height = size_of(request.params, pictures)
    pictures["hint_reach"] = request.params.get("hint_reach")
    palettes = request.params["palettes"]
    for index, palette in enumerate(palettes):
        told = {"id": request.id, "done": index / len(palettes), "text": f"Colorizing {index + 1} of {len(palettes)}"}
        say(p.Notification("progress", told))
        endless = mode in ("endless", "late") and request.method == "colorize"
        if mode == "late" and endless:
            cancelled(frames, for_ever=True)
        elif mode == "slow" or endless:
            time.sleep(0.2)
            if cancelled(frames, for_ever=endless):
                return say(p.Failure(request.id, p.ErrorCode.CANCELLED, "The job was stopped."))
        natural = pictures["middle", request.params["reference"]] if request.params.get("reference") else NATURAL
        color = palette[min(3, len(palette) - 1)] if palette else natural
        if not palette and "variation" in request.params:
            one = request.params["variation"]
            color = f"#{40 + 20 * one['index']:02x}{(60 + one['seed']) % 256:02x}{one['count']:02x}"
        color = LOOKS.get(request.params.get("look"), color)
        pixels = bytes.fromhex(color[1:]) * (width * height)
        if request.params.get("hints"):
            pixels = dabbed(pixels, width, height, *pictures["hints", request.params["hints"]])
        if mode == "wrong-size":
            pixels = pixels[:-1]
        told = {"id": request.id, "index": index, "width": width, "height": height, "format": "RGB u8"}
        if mode == "die-in-frame" and index == 1:
            os.write(1, b"".join(p.encode(p.Notification("picture", told, pixels)))[:-5])
            os._exit(3)
        say(p.Notification("picture", told, pixels))
    say(p.Result(request.id, {"seconds": 0.0}))


def middle_of(pixels: bytes, width: int, height: int) -> str:
    """The color in the middle of a picture, which stands for a reference."""
    place = 3 * (height // 2 * width + width // 2)
    return "#" + bytes(pixels[place : place + 3]).hex()


def dabbed(pixels: bytes, width: int, height: int, dabs: bytes, wide: int, high: int) -> bytes:
    """RGB pixels with the colour of the nearest pixel of `dabs` (RGBA) where that is opaque."""
    result = bytearray(pixels)
    for place in range(width * height):
        x, y = place % width * wide // width, place // width * high // height
        *colour, opacity = dabs[(y * wide + x) * 4 : (y * wide + x) * 4 + 4]
        if opacity > 127:
            result[place * 3 : place * 3 + 3] = bytes(colour)
    return bytes(result)


def cancelled(frames: Any, for_ever: bool) -> bool:
    """Whether a cancel waits on stdin, or `for_ever`, once it comes (Unix only)."""
    import select

    while for_ever or select.select([0], [], [], 0)[0]:
        message = p.parse(next(frames))
        if message.method == "cancel":
            return True
        if message.method == "ping":
            say(p.Notification("pong"))
    return False


def misbehave(mode: str, request: Any) -> bool:
    """What a mode does in place of an answer; False when it answers after all."""
    if mode == "die" and request.method in ("colorize", "preview"):
        print("about to die", file=sys.stderr, flush=True)
        os._exit(3)
    if mode == "junk":
        os.write(1, bytes(range(7, 250)) * 9)
    elif mode == "huge":
        os.write(1, struct.pack("<II", 0xFFFFFFFF, 20) + b"{}")
    elif mode == "bad-json":
        os.write(1, struct.pack("<II", 9, 5) + b"{oops")
    elif mode == "refuse":
        say(p.Failure(request.id, p.ErrorCode.USAGE, f"The engine will not do '{request.method}' today."))
    elif mode == "forgetful" and request.method == "colorize":
        say(p.Failure(request.id, p.ErrorCode.UNKNOWN_PICTURE, "The picture is no longer held; send it again."))
    else:
        return mode in ("busy", "hang") and request.method != "ping"
    return True


def answer(mode: str, request: Any, pictures: dict[Any, Any], frames: Any) -> None:
    params = request.params
    if request.method in ("colorize", "preview"):
        return colour(mode, request, pictures, frames)
    value: Any = {}
    if request.method == "palettes":
        if mode == "slow-palettes":
            time.sleep(1.5)
        palettes = [palette(row, params["locked"]) for row in range(params["count"])]
        value = {"phrase": params["phrase"], "seed": params["seed"], "model": "fake 1", "note": None}
        value["palettes"] = palettes
        if params.get("style"):
            value["note"] = f"in the style {params['style']}"
    elif request.method == "set_picture":
        pictures[params["key"]] = params["width"], params["height"]
        if params["format"] == "RGB u8":
            pictures["middle", params["key"]] = middle_of(request.blob, params["width"], params["height"])
        if params["format"] == "RGBA u8":
            pictures["hints", params["key"]] = bytes(request.blob), params["width"], params["height"]
        pictures["received"] = pictures.get("received", 0) + len(request.blob)
        value = {"key": params["key"]}
    elif request.method == "fit":
        value = {"palettes": [one[::2][:5] for one in params["palettes"]]}
    elif request.method == "teach":
        say(p.Notification("progress", {"id": request.id, "done": 0.5, "text": "Learning"}))
        first = params["palettes"][0]
        words = f"{params['name']} of {len(params['palettes'])}, {first['text']} {first['colors'][0]}"
        value = {"verdict": words, "kept": True, "report": "/report.html", "check": "/check.html"}
    elif request.method == "doctor":
        value = {"ok": True, "environment": sorted(os.environ), "received": pictures.get("received", 0)}
        value["hint_reach"] = pictures.get("hint_reach")
    say(p.Result(request.id, value))


def main(mode: str) -> None:
    if mode == "crash":
        raise RuntimeError("the fake engine crashed on purpose")
    if mode == "broken-library":
        raise ModuleNotFoundError("No module named 'torch'")
    if mode == "greeting":
        os.write(1, b"Welcome to gpubox!\n")
    if mode != "silent":
        version = p.PROTOCOL + (mode == "old")
        looks = [{"name": name, "title": name.title()} for name in LOOKS]
        known = {"variations": VARIATIONS, "looks": SOURCES | {"look": {"looks": looks}}}.get(mode, SOURCES)
        told = {"protocol": version, "engine": "fake", "models": {}, "pid": os.getpid(), "sources": known}
        say(p.Notification("hello", told))
    if mode in ("deaf", "silent"):
        time.sleep(60)
    pictures: dict[Any, Any] = {}
    frames = p.read_frames(lambda buffer: os.readv(0, [buffer]))
    for frame in frames:
        request = p.parse(frame)
        if not isinstance(request, p.Request):
            if request.method == "ping" and mode != "hang":
                say(p.Notification("pong"))
        elif not misbehave(mode, request):
            print("asked for", request.method, file=sys.stderr, flush=True)
            if request.method == "preview":
                print("preview of", request.params["max_side"], "px", file=sys.stderr, flush=True)
            answer(mode, request, pictures, frames)
            print("answered", request.method, file=sys.stderr, flush=True)
    if mode == "stubborn":
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1])
