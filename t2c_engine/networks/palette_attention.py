"""Cross-attention between pixels of a picture and colours of a palette. Must not import files or other networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PaletteAttention(nn.Module):
    """Cross-attention: each pixel attends to the palette's colours.

    Both must come normalised. Without that, scores grow without bound, each pixel ends up with one colour for good, and
    what a mask hides comes through once they are below it.
    """

    def __init__(self, width: int, token_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inner = min(width, 64) // heads * heads
        self.query = nn.Conv2d(width, self.inner, 1)
        self.key_value = nn.Linear(token_width, 2 * self.inner)
        self.output = nn.Conv2d(self.inner, width, 1)

    def forward(self, x: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """What pixels take of the palette, of the size of x.

        Args:
            x: B x C x h x w. tokens: B x K x d. mask: B x K bool, True where a token counts.
        """
        batch, _, height, width = x.shape
        query = self.query(x).view(batch, self.heads, -1, height * width)  # B x heads x d x P
        key, value = self.key_value(tokens).view(batch, -1, 2, self.heads, self.inner // self.heads).unbind(2)
        # pixels come last: a softmax over few colours is several times faster there than along rows of six, and with so
        # few keys plain products take as long as the fused attention, and a quarter of it backwards in bfloat16
        scores = (key.transpose(1, 2) * query.shape[2] ** -0.5) @ query  # B x heads x K x P
        weights = scores.masked_fill(~mask[:, None, :, None], -torch.inf).softmax(2)
        return self.output((value.permute(0, 2, 3, 1) @ weights).view(batch, self.inner, height, width))


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Tensor | None = None) -> Tensor:
    """Multi-head attention of B x Q x C to B x K x C; mask: B x K, True where a key counts."""
    parts = [part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, key, value)]
    allowed = None if mask is None else mask[:, None, None, :]
    return F.scaled_dot_product_attention(*parts, attn_mask=allowed).transpose(1, 2).flatten(2)


def feed_forward(width: int) -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))


class TokenMixer(nn.Module):
    """Self-attention among the palette's colours (pre-norm transformer layer); the identity at the start."""

    def __init__(self, token_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(token_width)
        self.qkv = nn.Linear(token_width, 3 * token_width)
        self.mix = nn.Linear(token_width, token_width)
        self.feed = feed_forward(token_width)
        for last in (self.mix, self.feed[-1]):
            for start_at_zero in last.parameters():
                nn.init.zeros_(start_at_zero)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens: B x K x d, mask: B x K."""
        query, key, value = self.qkv(self.norm(tokens)).chunk(3, -1)
        tokens = tokens + self.mix(attend(query, key, value, self.heads, mask))
        return tokens + self.feed(tokens)


class TokenLayer(nn.Module):
    """The palette's colours attend to the picture, then to each other."""

    def __init__(self, width: int, token_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.picture_norm, self.token_norm = nn.LayerNorm(width), nn.LayerNorm(token_width)
        self.query = nn.Linear(token_width, token_width)
        self.key_value = nn.Linear(width, 2 * token_width)
        self.output_tokens = nn.Linear(token_width, token_width)
        self.mixer = TokenMixer(token_width, heads)
        for start_at_zero in self.output_tokens.parameters():
            nn.init.zeros_(start_at_zero)

    def forward(self, tokens: Tensor, picture: Tensor, mask: Tensor) -> Tensor:
        """tokens: B x K x d, picture: B x P x C, mask: B x K."""
        key, value = self.key_value(self.picture_norm(picture)).chunk(2, -1)
        tokens = tokens + self.output_tokens(attend(self.query(self.token_norm(tokens)), key, value, self.heads))
        return self.mixer(tokens, mask)
