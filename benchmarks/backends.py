"""The colour network by several backends: time for five palettes of a 256 px picture, and how far the colours move.

Each line is a ratio to float32, eager torch, channels last, norms folded, taken in turns with it. That is what we ship
but for the match of lightness (`tilts`), whose linear systems ONNX has no operator for; the first line is with it.
Backends that are not installed (onnxruntime, openvino; onnx and onnxscript to export) are left out with a sentence.
"""

from __future__ import annotations

import importlib.util
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from skimage import data
from torch import Tensor, nn

from t2c_engine.color.lab import srgb_to_lab
from t2c_engine.colorization.colorizer import build_network
from t2c_engine.models import find_model
from t2c_engine.networks.colorizer import ColorizerNet, Condition
from t2c_engine.networks.layers import fuse_norms
from t2c_engine.palettes.palette import Palette
from t2c_engine.pictures.resize import resize

SIDE, PALETTES, RUNS = 256, 5, 15
log = logging.getLogger(__name__)

Answer = Callable[[], np.ndarray]  # ab of all palettes, 5 x 2 x 64 x 64


class Whole(nn.Module):
    """Encode once, decode for all palettes, as one graph."""

    def __init__(self, network: ColorizerNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor, palettes: Tensor) -> Tensor:
        features = self.network.encode(lightness)
        condition = Condition(palettes, torch.ones_like(palettes[..., 0]))
        return self.network.decode(features.repeat(PALETTES), condition).ab


def folded_network(*, matched: bool = False) -> ColorizerNet:
    """The shipped network with its norms folded, with or without the match of lightness."""
    network = build_network(find_model("colorizer", None)).eval()
    network.config = replace(network.config, matched=matched)
    return fuse_norms(network)


def inputs() -> tuple[Tensor, Tensor]:
    """A bundled photograph's lightness (1 x 1 x 256 x 256) and five palettes (5 x 5 x 3)."""
    light = srgb_to_lab(data.astronaut().astype(np.float32) / 255)[..., 0]
    palette = Palette.from_hex("#8c2f1b,#d98c3f,#f2d8a7,#5b6b3a,#2b2a33").lab
    turned = [np.concatenate((palette[:, :1], np.roll(palette[:, 1:], i, 0)), 1) for i in range(PALETTES)]
    return torch.from_numpy(resize(light, (SIDE, SIDE)))[None, None], torch.from_numpy(np.stack(turned)).float()


def torch_answers(whole: Whole, light: Tensor, palettes: Tensor) -> Iterator[tuple[str, Answer]]:
    def eager(model: Callable[..., Tensor], light: Tensor, half: bool = False) -> Answer:
        def run() -> np.ndarray:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                return model(light, palettes).float().numpy()

        return run

    yield "eager", eager(whole, light)
    shipped = Whole(folded_network(matched=True)).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    yield "with the match of lightness (shipped)", eager(shipped, light)
    yield "bfloat16", eager(whole, light, half=True)
    first = Whole(folded_network())
    yield "channels first", eager(first, light.contiguous())
    yield "torch.compile", eager(torch.compile(whole), light)


def exported_answers(whole: Whole, light: Tensor, palettes: Tensor) -> Iterator[tuple[str, Answer]]:
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        log.info("ONNX is left out; install %s to measure it.", ", ".join(missing))
        return
    import onnxruntime  # pyright: ignore[reportMissingImports]
    from onnxruntime.quantization import CalibrationDataReader, quantize_static  # pyright: ignore[reportMissingImports]
    from onnxruntime.quantization.shape_inference import quant_pre_process  # pyright: ignore[reportMissingImports]

    given = {"lightness": light.numpy(), "palettes": palettes.numpy()}

    class Calibration(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = [given]

        def get_next(self) -> dict[str, np.ndarray] | None:  # type: ignore[override]
            return self.left.pop() if self.left else None

    def session(model: bytes | str) -> Answer:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        runner = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return lambda: np.asarray(runner.run(None, given)[0])

    program = torch.onnx.export(whole, (light, palettes), input_names=list(given), dynamo=True, verbose=False)
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        plain, ready, small = (str(Path(folder) / f"{name}.onnx") for name in ("plain", "ready", "small"))
        program.save(plain)
        yield "ONNX Runtime", session(plain)
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        quantize_static(ready, small, Calibration(), per_channel=True, op_types_to_quantize=["Conv"])
        yield "ONNX Runtime int8 convolutions", session(small)
        if importlib.util.find_spec("openvino") is None:
            log.info("OpenVINO is left out; install openvino to measure it.")
            return
        import openvino  # pyright: ignore[reportMissingImports]

        compiled = openvino.Core().compile_model(openvino.convert_model(plain), "CPU")
        yield "OpenVINO", lambda: np.asarray(compiled(given)[0])


def seconds(answer: Answer) -> float:
    start = time.perf_counter()
    answer()
    return time.perf_counter() - start


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
    log.setLevel(logging.INFO)
    light, palettes = inputs()
    light = light.contiguous(memory_format=torch.channels_last)
    whole = Whole(folded_network()).eval()
    whole = whole.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    (_, plain), *others = torch_answers(whole, light, palettes)
    truth = plain()
    log.info("%-38s %8s %8s %10s", "backend", "ms", "ratio", "mean d(ab)")
    for make in (others, exported_answers(whole, light, palettes)):
        for name, answer in make:
            moved = float(np.linalg.norm(answer() - truth, axis=1).mean())
            pairs = [(seconds(answer), seconds(plain)) for _ in range(RUNS)]
            mine, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
            log.info("%-38s %8.1f %8.2f %10.3f   (eager %.1f ms)", name, 1000 * mine, mine / ours, moved, 1000 * ours)


if __name__ == "__main__":
    main()
