"""Fuzzing of every reader: pictures, profiles, palettes, frames, weights and cards, in processes of their own.

Each input is a sound file with a few bytes changed (`fuzz_samples`). A reader must read it or refuse it with a
sentence, within 10 s and 1 GB. Prints one line a kind, keeps the inputs that failed, and exits with 1 where any did:

    python benchmarks/fuzz_readers.py [--count 10000] [--seed 0] [--only pictures] [--keep failures]

Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import logging
import os
import random
import re
import resource
import select
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import fuzz_samples  # noqa: E402  # pyright: ignore[reportMissingImports]

from t2c_engine.errors import T2CError  # noqa: E402
from t2c_engine.serving import protocol  # noqa: E402

PARTS = {"pictures": 0.5, "profiles": 0.15, "palettes": 0.15, "frames": 0.1, "weights": 0.05, "cards": 0.05}
MOST_SECONDS = 10.0
MOST_BYTES = 1 << 30
_ADDRESS_SPACE = 6 << 30  # so that a reader that takes everything harms itself only
_START_SECONDS = 120.0

log = logging.getLogger("fuzz")

Try = Callable[[bytes, random.Random], None]


@dataclass(slots=True)
class Figures:
    """What became of the inputs of one kind."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: float = 0.0
    largest: int = 0


# ------------------------------------------------------------------ worker: one reader, one input after the other


def worker(kind: str, folder: Path) -> None:
    """Read (seed) lines, answer with a JSON line each: outcome, seconds, bytes of memory at most."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    logging.disable(logging.CRITICAL)
    make, act = _reader(kind, folder)
    print("ready", flush=True)
    for line in sys.stdin:
        rng = random.Random(f"{kind} {int(line)}")
        data = make(rng)
        (folder / "input").write_bytes(data)
        Path("/proc/self/clear_refs").write_text("5")
        begun, words = time.perf_counter(), ""
        try:
            act(data, rng)
            outcome = "read"
        except (T2CError, protocol.ProtocolError, protocol.MessageError) as error:
            outcome = "refused"
            if "\n" in str(error) or re.search(r"0x[0-9a-f]{6}|Error\(|Traceback", str(error)):
                outcome, words = "jargon", str(error)
        except BaseException:  # everything else is what is looked for
            outcome, words = "traceback", traceback.format_exc()
        seconds = time.perf_counter() - begun
        print(json.dumps({"outcome": outcome, "seconds": seconds, "bytes": _peak(), "words": words}), flush=True)


def _peak() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def _reader(kind: str, folder: Path) -> tuple[Callable[[random.Random], bytes], Try]:
    """What makes an input, and what reads it."""
    if kind in ("weights", "cards"):
        return _model_reader(kind, folder)
    samples = {"pictures": fuzz_samples.pictures, "profiles": fuzz_samples.profiles, "frames": fuzz_samples.frames}
    suffixed = fuzz_samples.palettes()
    suffixes = [suffix for _, suffix in suffixed]
    contents = samples[kind]() if kind in samples else [content for content, _ in suffixed]

    def make(rng: random.Random) -> bytes:
        return fuzz_samples.mutated(rng.choice(contents), contents, rng)

    def palettes(data: bytes, rng: random.Random) -> None:
        from t2c_engine.palettes.files import read_palettes

        suffix = next((one for content, one in suffixed if content[:6] == data[:6]), rng.choice(suffixes))
        path = folder / f"a{suffix}"
        path.write_bytes(data)
        for palette in read_palettes(path):
            palette.to_size()

    return make, {"pictures": _picture, "profiles": _profile, "palettes": palettes, "frames": _frames}[kind]


def _picture(data: bytes, rng: random.Random) -> None:
    """Read, take the lightness, and write a result with all metadata."""
    from t2c_engine.pictures.picture import read_picture, small_lightness, small_srgb, write_picture

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(data)
        picture = read_picture(path)
        assert np.isfinite(small_lightness(picture, 32)).all() and np.isfinite(small_srgb(picture, 32)).all()
        assert picture.alpha is None or picture.alpha.shape == picture.size
        if max(picture.size) < 500:
            pixels = picture.pixels if picture.pixels.ndim == 3 else np.repeat(picture.pixels[..., None], 3, 2)
            result = Path(folder) / f"b{rng.choice(('.jpg', '.png', '.tif', '.webp'))}"
            write_picture(result, pixels, picture)
            assert read_picture(result).size == picture.size


def _profile(data: bytes, rng: random.Random) -> None:
    """Under grey, RGB and ink, of each depth."""
    from t2c_engine.color.rgb_spaces import rgb_space
    from t2c_engine.color.samples import to_depth
    from t2c_engine.pictures.color_conversion import in_known_space
    from t2c_engine.pictures.picture import lightness

    shape = rng.choice(((9, 11), (9, 11, 3), (9, 11, 4)))
    pixels = np.random.default_rng(rng.randrange(1 << 30)).random(shape).astype(np.float32)
    pixels = to_depth(pixels, rng.choice((np.uint8, np.uint16, np.float32)))
    converted, icc = in_known_space(pixels, data, Path("a"))
    space = rgb_space(icc)
    assert space is not None and converted.dtype == pixels.dtype
    assert np.isfinite(lightness(converted, space)).all()
    assert np.isfinite(space.curve.encode(np.linspace(0, 1, 9))).all() and np.isfinite(space.from_xyz).all()


def _frames(data: bytes, rng: random.Random) -> None:
    stream, step = BytesIO(data), rng.choice((1, 7, 1 << 20))
    for frame in protocol.read_frames(lambda buffer: stream.readinto(buffer[:step])):
        with contextlib.suppress(protocol.MessageError):  # the engine answers these, and goes on
            protocol.parse(frame)


def _model_reader(kind: str, folder: Path) -> tuple[Callable[[random.Random], bytes], Try]:
    """Cards as `t2c models` reads them; weights under a card that knows them by their sha256, up to the networks."""
    from t2c_engine.colorization.colorizer import Colorizer
    from t2c_engine.models import read_card
    from t2c_engine.palettes.sampler import PaletteSampler

    os.environ["T2C_MODELS"] = str(folder)
    contents, weights = fuzz_samples.cards(), fuzz_samples.weights()

    def make(rng: random.Random) -> bytes:
        if kind == "cards":
            return fuzz_samples.mutated(rng.choice(contents), contents, rng)
        within = rng.choice((8, 400, 4000, 1 << 30))
        return fuzz_samples.mutated(weights[rng.randrange(2)][1], contents, rng, 4, within)

    def card(data: bytes, rng: random.Random) -> None:
        (folder / "a.json").write_bytes(data)
        read_card(folder / "a.json")

    def model(data: bytes, rng: random.Random) -> None:
        values = next(
            card for card, whole in weights if abs(len(whole) - len(data)) < 1 << 20 or card is weights[-1][0]
        )
        values = {**values, "name": "fuzz", "file": "fuzz.safetensors", "size": len(data)}
        values["sha256"] = hashlib.sha256(data).hexdigest()
        (folder / "fuzz.safetensors").write_bytes(data)
        (folder / "fuzz.json").write_text(json.dumps(values), "utf-8")
        if values["kind"] == "tpn":
            PaletteSampler.load("fuzz")
        else:
            Colorizer.load("fuzz", "cpu")

    return make, card if kind == "cards" else model


# ------------------------------------------------------------------ the one that gives work and keeps count


class Reader:
    """A worker process, started again whenever it had to be ended."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.process: subprocess.Popen[bytes] | None = None

    def ask(self, seed: int) -> dict[str, object]:
        """What became of one input: the worker's answer, or "hang" or "crash"."""
        process = self.process or self._start()
        assert process.stdin is not None
        begun = time.perf_counter()
        try:
            process.stdin.write(f"{seed}\n".encode())
            process.stdin.flush()
            line = self._line(MOST_SECONDS + 1)
        except BrokenPipeError:
            line = b""
        if line is None or not line.endswith(b"\n"):
            self.end()
            outcome = "hang" if line is None else f"crash {process.returncode}"
            return {"outcome": outcome, "seconds": time.perf_counter() - begun, "bytes": 0, "words": ""}
        return json.loads(line)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, __file__, "--worker", self.kind, str(self.folder)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        if self._line(_START_SECONDS) != b"ready\n":
            assert self.process.stderr is not None
            self.process.kill()
            raise SystemExit(f"The worker for {self.kind} did not start: {self.process.stderr.read().decode()}")
        assert self.process.stderr is not None
        os.set_blocking(self.process.stderr.fileno(), False)
        return self.process

    def _line(self, seconds: float) -> bytes | None:
        """One line; b"" when the process has ended, None when the time is over."""
        assert self.process is not None and self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        return self.process.stdout.readline() if ready else None

    def noise(self) -> str:
        """What libraries have printed since the last call."""
        if self.process is None or self.process.stderr is None:
            return ""
        return (self.process.stderr.read() or b"").decode("utf-8", "replace").strip()

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def fuzz(kind: str, count: int, seed: int, keep: Path) -> Figures:
    """Give `count` inputs to the readers of one kind, and keep those that fail with what was said."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(kind, Path(folder))
        for number in range(seed, seed + count):
            answer = reader.ask(number)
            outcome, seconds, memory = str(answer["outcome"]), float(str(answer["seconds"])), int(str(answer["bytes"]))
            words = str(answer["words"])
            if outcome in ("read", "refused"):
                outcome = "slow" if seconds > MOST_SECONDS else "memory" if memory > MOST_BYTES else outcome
            if noise := reader.noise():
                outcome, words = "noise" if outcome in ("read", "refused") else outcome, f"{words}\n{noise}"
            figures.outcomes[outcome] += 1
            figures.seconds += seconds
            figures.slowest = max(figures.slowest, seconds)
            figures.largest = max(figures.largest, memory)
            if outcome not in ("read", "refused"):
                keep.mkdir(parents=True, exist_ok=True)
                name = f"{kind}-{number}-{outcome.replace(' ', '')}"
                (keep / name).write_bytes((Path(folder) / "input").read_bytes())
                (keep / f"{name}.txt").write_text(words, "utf-8")
                log.warning("%s: %s", name, words.strip().splitlines()[-1] if words.strip() else "")
        reader.end()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="inputs of all kinds together")
    parser.add_argument("--seed", type=int, default=0, help="number of the first input")
    parser.add_argument("--only", choices=PARTS, help="one kind, with all inputs")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="folder for inputs that fail")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker[0], Path(options.worker[1]))
        return
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    parts = {options.only: 1.0} if options.only else PARTS
    failed = 0
    for kind, part in parts.items():
        figures = fuzz(kind, round(options.count * part), options.seed, options.keep)
        good = figures.outcomes["read"] + figures.outcomes["refused"]
        failed += figures.outcomes.total() - good
        others = {name: number for name, number in figures.outcomes.items() if name not in ("read", "refused")}
        print(
            f"{kind:9} {figures.outcomes.total():6} inputs: {figures.outcomes['read']} read, "
            f"{figures.outcomes['refused']} refused, failed {others or 'none'}; slowest {figures.slowest:.2f} s, "
            f"most memory {figures.largest / 2**20:.0f} MB, {figures.seconds:.0f} s",
            flush=True,
        )
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
