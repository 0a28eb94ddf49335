"""Train the paper's TPN (conditional GAN; Bahng et al. 2018, eqs. 1-3). Reads top-down like `trainer.palettes.train`.

Differs from the publication in one point: words are Numberbatch vectors, not GloVe. Only PAT is trained on. Order of
rows and chance follow from (seed, epoch), and checkpoints are written between epochs, so a resumed run is the same run.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from t2c_engine.errors import UsageError
from t2c_engine.models import ModelCard
from t2c_engine.networks.palettes.tpn import (
    Conditions,
    TpnDiscriminator,
    TpnGenerator,
    TpnPaperConfig,
    lab_to_unit,
    mean_condition,
)
from t2c_engine.palettes.palette import PALETTE_SIZE
from t2c_engine.palettes.sampler import PaletteSampler, SamplingConfig
from trainer.common.checkpoints import load_checkpoint, load_initial, restore, save_checkpoint, states_of
from trainer.common.run_log import RunLog, track
from trainer.common.settings import build_settings
from trainer.palettes.data import PaletteTable
from trainer.palettes.run import (
    SHEET_PHRASES,
    RunData,
    export,
    palette_sheet,
    prepare_data,
)

log = logging.getLogger(__name__)

LOSSES = ("discriminator", "adversarial", "huber", "kl")


@dataclass(frozen=True, slots=True)
class PaperTrainConfig:
    """Settings of a run; values and explanations stand in configs/tpn-paper.toml."""

    name: str
    version: str
    seed: int
    epochs: int
    batch: int
    learning_rate: float
    adversarial_weight: float
    huber_weight: float
    kl_weight: float
    initial_std: float
    network: TpnPaperConfig
    sampling: SamplingConfig


def make_config(table: Mapping[str, Any], path: Path) -> PaperTrainConfig:
    """Settings of a TOML table.

    Raises:
        UsageError: a setting does not exist or is missing.
    """
    values = {key: value for key, value in table.items() if key != "architecture"}
    values["network"] = build_settings(TpnPaperConfig, values.get("network", {}), path, "network")
    values["sampling"] = build_settings(SamplingConfig, values.get("sampling", {}), path, "sampling")
    return build_settings(PaperTrainConfig, values, path)


def train_paper(
    table: Mapping[str, Any],
    path: Path,
    data: Path,
    out: Path,
    init: Path | None = None,
    show_every: int = 20,
) -> ModelCard:
    """Train the paper's configuration; arguments and errors as `trainer.train_palettes.train_palette_network`."""
    # data
    config = make_config(table, path)
    state = load_checkpoint(out, "cpu")
    run = prepare_data(data, out, config.network.word_dimensions, init, ("pat",))
    rows = _usable_rows(run.train, data)
    vectors = torch.from_numpy(run.lexicon.embed(list(range(len(run.lexicon.vocabulary)))))

    # models, optimisers, resume
    generator, discriminator, optimizers = build_networks(config, init)
    parts = {"g": generator, "d": discriminator, "og": optimizers[0], "od": optimizers[1]}
    start = 0 if state is None else state["epoch"]
    if state is not None:
        restore(parts, state, out)
    batches = max(1, len(rows) // config.batch)
    steps = RunLog(out, LOSSES, start * batches)

    # loop
    for epoch in track(range(start, config.epochs), total=config.epochs, description="tpn-paper"):
        generator.train()
        rng = np.random.default_rng((config.seed, epoch))
        torch.manual_seed(int(rng.integers(2**62)))
        for index, some in enumerate(np.array_split(rng.permutation(rows), batches)):
            losses = train_step(generator, discriminator, optimizers, run.train.take(some), vectors, config)
            steps.add(epoch * batches + index, losses)
        save_checkpoint(out, states_of(parts) | {"epoch": epoch + 1})
        if (epoch + 1) % show_every == 0 or epoch + 1 == config.epochs:
            steps.note((epoch + 1) * batches, {"huber": validation_huber(generator, run.validation, vectors)})
            palette_sheet(out / "sheet.png", make_sampler(generator, run, config), SHEET_PHRASES)

    # export
    huber = round(validation_huber(generator, run.validation, vectors), 5)
    return export(
        out,
        model_tensors(generator, run),
        run.train,
        card_config(config),
        name=config.name,
        version=config.version,
        figures={"validation_huber": huber, "epochs": config.epochs},
    )


def _usable_rows(table: PaletteTable, data: Path) -> np.ndarray:
    """Rows of five colours and a known word; the published network takes no others.

    Raises:
        UsageError: there is none.
    """
    rows = np.flatnonzero((table.count == PALETTE_SIZE) & (table.words[:, 0] >= 0))
    if not len(rows):
        raise UsageError(f"No text in {data} has a known word and {PALETTE_SIZE} colours to train on.")
    return rows


def build_networks(
    config: PaperTrainConfig, init: Path | None
) -> tuple[TpnGenerator, TpnDiscriminator, list[torch.optim.Adam]]:
    """G0 and D0, from chance (G0 from `init` if given), and the optimiser of each."""
    torch.manual_seed(config.seed)
    generator, discriminator = TpnGenerator(config.network), TpnDiscriminator(config.network)
    for parameter in (*generator.parameters(), *discriminator.parameters()):
        nn.init.normal_(parameter, std=config.initial_std)
    if init is not None:
        load_initial(generator, init)
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
        for network in (generator, discriminator)
    ]
    return generator, discriminator, optimizers


def train_step(
    generator: TpnGenerator,
    discriminator: TpnDiscriminator,
    optimizers: list[torch.optim.Adam],
    rows: PaletteTable,
    vectors: Tensor,
    config: PaperTrainConfig,
) -> dict[str, float]:
    """One step of D0 (1), then one of G0 (2)."""
    conditions, real = encode_rows(generator, rows, vectors)
    fake = generator(conditions)
    condition = mean_condition(conditions)
    ones, zeros = torch.ones(len(real)), torch.zeros(len(real))

    score = F.binary_cross_entropy_with_logits
    real_score = discriminator(condition.detach(), real)
    d_loss = score(real_score, ones) + score(discriminator(condition.detach(), fake.detach()), zeros)
    optimizers[1].zero_grad(set_to_none=True)
    d_loss.backward()
    optimizers[1].step()

    adversarial = -score(discriminator(condition, fake), zeros)  # E[log(1 - D0)], minimised as published
    huber = F.huber_loss(fake, real, delta=1.0)  # (3)
    kl = kl_loss(conditions)
    optimizers[0].zero_grad(set_to_none=True)
    (config.adversarial_weight * adversarial + config.huber_weight * huber + config.kl_weight * kl).backward()
    optimizers[0].step()
    values = (d_loss, adversarial, huber, kl)
    return {name: float(value.detach()) for name, value in zip(LOSSES, values, strict=True)}


def encode_rows(generator: TpnGenerator, rows: PaletteTable, vectors: Tensor) -> tuple[Conditions, Tensor]:
    """Conditions of the rows' texts with fresh noise, and their true palettes (B x 5 x 3, 0..1)."""
    lengths = np.maximum((rows.words >= 0).sum(1), 1)
    words = torch.from_numpy(rows.words[:, : lengths.max()]).long()
    inputs = vectors[words.clamp(min=0)] * (words >= 0)[..., None]
    noise = torch.randn(*words.shape, generator.config.hidden)
    return generator.encode(inputs, torch.from_numpy(lengths), noise), lab_to_unit(torch.from_numpy(rows.colors))


def kl_loss(conditions: Conditions) -> Tensor:
    """KL(N(mu, Sigma) || N(0, I)), mean over words and dimensions."""
    mean, log_variance = conditions.mean, conditions.log_variance
    each = 0.5 * (mean * mean + log_variance.exp() - 1 - log_variance).mean(-1)
    return each[conditions.mask].mean()


@torch.no_grad()
def validation_huber(generator: TpnGenerator, rows: PaletteTable, vectors: Tensor) -> float:
    """Huber loss on the validation rows, the same noise every time."""
    generator.eval()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        conditions, real = encode_rows(generator, rows, vectors)
        return float(F.huber_loss(generator(conditions), real, delta=1.0))


def card_config(config: PaperTrainConfig) -> dict[str, Any]:
    """What a card says of how the model is built."""
    return {"architecture": "tpn-paper", "network": asdict(config.network), "sampling": asdict(config.sampling)}


def model_tensors(generator: TpnGenerator, run: RunData) -> dict[str, np.ndarray]:
    """Network and lexicon, as a weight file holds them."""
    return {key: value.numpy() for key, value in generator.state_dict().items()} | run.lexicon.to_tensors()


def make_sampler(generator: TpnGenerator, run: RunData, config: PaperTrainConfig) -> PaletteSampler:
    """The network as users would have it."""
    return PaletteSampler.from_tensors(config.name, card_config(config), model_tensors(generator, run))
