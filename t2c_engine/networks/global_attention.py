"""Self-attention among all places of a picture and, where there is one, the palette's colours (Vaswani et al. 2017).

Convolutions see a place's surroundings; which of five colours a place takes depends on the whole picture.
Must not import files or whole networks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FREQUENCIES = (1.0, 2.0, 4.0)  # half periods over the picture's height and width of `positions`
POSITION_CHANNELS = 4 * len(FREQUENCIES)


def transformer(width: int, heads: int, layers: int) -> nn.ModuleList:
    """Pre-norm encoder layers over B x N x width."""
    return nn.ModuleList(
        nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        for _ in range(layers)
    )


def positions(like: Tensor) -> Tensor:
    """Sines and cosines of where each place is: 1 x POSITION_CHANNELS x h x w for B x C x h x w."""
    height, width = like.shape[-2:]
    axes = [(torch.arange(n, device=like.device, dtype=torch.float32) + 0.5) / n for n in (height, width)]
    grids = torch.meshgrid(*axes, indexing="ij")
    waves = [wave(torch.pi * f * grid) for grid in grids for f in FREQUENCIES for wave in (torch.sin, torch.cos)]
    return torch.stack(waves)[None].to(like.dtype)


class PictureAttention(nn.Module):
    """Every place attends to all others; the identity at the start."""

    def __init__(self, inputs: int, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(inputs, width, 1)
        self.position = nn.Conv2d(POSITION_CHANNELS, width, 1, bias=False)
        self.layers = transformer(width, heads, layers)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, inputs)
        for parameter in self.expand.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """B x inputs x h x w to the same size."""
        places = (self.reduce(x) + self.position(positions(x))).flatten(2).transpose(1, 2)
        for layer in self.layers:
            places = layer(places)
        return x + self.expand(self.norm(places)).transpose(1, 2).unflatten(2, x.shape[-2:])


class PlaceEmbedding(nn.Module):
    """What `PalettePlacement` sees of a picture: features, its automatic distribution, lightness and positions."""

    def __init__(self, inputs: int, bins: int, width: int) -> None:
        super().__init__()
        self.features = nn.Conv2d(inputs, width, 1)
        self.logits = nn.Conv2d(bins, width, 1, bias=False)
        self.position = nn.Conv2d(POSITION_CHANNELS + 1, width, 1, bias=False)

    def forward(self, features: Tensor, logits: Tensor, scaled: Tensor) -> Tensor:
        """B x width x h x w.

        Args:
            features: B x inputs x h x w. logits: B x bins at a finer resolution. scaled: B x 1 x H x W, -1..1.
        """
        size = (features.shape[-2], features.shape[-1])
        probable = F.adaptive_avg_pool2d(logits.softmax(1), size)
        tones = F.adaptive_avg_pool2d(scaled, size)
        where = torch.cat((positions(features).expand(len(features), -1, -1, -1), tones.to(features.dtype)), 1)
        return self.features(features) + self.logits(probable.sqrt()) + self.position(where)


class PalettePlacement(nn.Module):
    """Places and colours attend to each other and among themselves; changes nothing at the start."""

    def __init__(self, width: int, heads: int, layers: int, token_width: int, outputs: int, hints: int) -> None:
        super().__init__()
        self.token_input = nn.Linear(token_width, width)
        self.hints = nn.Conv2d(hints, width, 1, bias=False)
        self.layers = transformer(width, heads, layers)
        self.norm = nn.LayerNorm(width)
        self.token_output = nn.Linear(width, token_width)
        self.features = nn.Linear(width, outputs)
        self.key = nn.Linear(width, width)
        self.query = nn.Linear(width, width)
        for starts_at_zero in (self.token_output, self.features, self.key):
            for parameter in starts_at_zero.parameters():
                nn.init.zeros_(parameter)

    def forward(
        self, places: Tensor, hints: Tensor | None, tokens: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Changes of features (B x outputs x h x w) and of tokens, and scores (B x K x h x w).

        Args:
            places: B x width x h x w, of `PlaceEmbedding`. hints: B x hints at a finer resolution, or None.
            tokens: B x K x token_width. mask: B x K bool, True where a token counts.
        """
        size = places.shape[-2:]
        if hints is not None:
            places = places + self.hints(F.adaptive_avg_pool2d(hints, (size[0], size[1])))
        count = tokens.shape[1]
        x = torch.cat((self.token_input(tokens), places.flatten(2).transpose(1, 2)), 1)
        hidden = F.pad(~mask, (0, x.shape[1] - count))
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=hidden)
        x = self.norm(x)
        colors, places = x[:, :count], x[:, count:]
        scores = self.key(colors) @ self.query(places).transpose(1, 2)
        features = self.features(places).transpose(1, 2)
        return features.unflatten(2, size), self.token_output(colors), scores.unflatten(2, size)
