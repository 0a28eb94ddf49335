"""Attention between positions of a picture and colours of a palette. Must not import files or other networks."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class PaletteAttention(nn.Module):
    """Each pixel looks at the palette's colours and takes what suits it (cross-attention, additive output)."""

    def __init__(self, width: int, token_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inner = min(width, 64) // heads * heads
        self.query = nn.Conv2d(width, self.inner, 1)
        self.key_value = nn.Linear(token_width, 2 * self.inner)
        self.output = nn.Conv2d(self.inner, width, 1)

    def forward(self, x: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        query = self.query(x).view(batch, self.heads, -1, height * width).transpose(2, 3)  # B x heads x P x d
        key, value = self.key_value(tokens).view(batch, -1, 2, self.heads, self.inner // self.heads).unbind(2)
        # with so few keys plain products take as long as the fused attention, and a quarter of it backwards in bfloat16
        scores = query @ key.permute(0, 2, 3, 1) * query.shape[-1] ** -0.5  # B x heads x P x K
        mixed = scores.masked_fill(~mask[:, None, None], -1e4).softmax(-1) @ value.transpose(1, 2)
        return x + self.output(mixed.transpose(2, 3).reshape(batch, self.inner, height, width))


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Tensor | None = None) -> Tensor:
    """Multi-head attention of B x Q x C to B x K x C; mask: B x K, True where a key counts."""
    parts = [part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, key, value)]
    allowed = None if mask is None else mask[:, None, None, :]
    return F.scaled_dot_product_attention(*parts, attn_mask=allowed).transpose(1, 2).flatten(2)


def feed_forward(width: int) -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))


class TokenLayer(nn.Module):
    """The palette's colours look at the picture and at each other: what there is for each of them to colour.

    They keep what they are until it has learned.
    """

    def __init__(self, width: int, token_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.picture_norm, self.token_norm = nn.LayerNorm(width), nn.LayerNorm(token_width)
        self.query = nn.Linear(token_width, token_width)
        self.key_value = nn.Linear(width, 2 * token_width)
        self.look = nn.Linear(token_width, token_width)
        self.mix_norm = nn.LayerNorm(token_width)
        self.qkv = nn.Linear(token_width, 3 * token_width)
        self.mix = nn.Linear(token_width, token_width)
        self.feed = feed_forward(token_width)
        for last in (self.look, self.mix, self.feed[-1]):
            for start_at_zero in last.parameters():
                nn.init.zeros_(start_at_zero)

    def forward(self, tokens: Tensor, picture: Tensor, mask: Tensor) -> Tensor:
        """tokens: B x K x d, picture: B x P x C, mask: B x K."""
        key, value = self.key_value(self.picture_norm(picture)).chunk(2, -1)
        tokens = tokens + self.look(attend(self.query(self.token_norm(tokens)), key, value, self.heads))
        query, key, value = self.qkv(self.mix_norm(tokens)).chunk(3, -1)
        tokens = tokens + self.mix(attend(query, key, value, self.heads, mask))
        return tokens + self.feed(tokens)


class GlobalLayer(nn.Module):
    """A transformer layer over all positions of the deepest map and the palette: who takes which colour.

    Both sides look at each other: positions at colours, then colours at positions (as in two-way mask decoders).
    """

    def __init__(self, width: int, token_width: int, heads: int) -> None:
        super().__init__()
        self.palette = PaletteAttention(width, token_width, heads)
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.heads = heads
        self.feed = feed_forward(width)
        self.tokens = TokenLayer(width, token_width, heads)

    def forward(self, x: Tensor, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        x = self.palette(x, tokens, mask)
        flat = x.flatten(2).transpose(1, 2)  # B x P x C
        query, key, value = self.qkv(self.norm(flat)).chunk(3, -1)
        flat = flat + self.output(attend(query, key, value, self.heads))
        flat = flat + self.feed(flat)
        return flat.transpose(1, 2).reshape(x.shape), self.tokens(tokens, flat, mask)
