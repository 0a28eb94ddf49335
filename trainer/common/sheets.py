"""Sheets a trainer looks at: lightness, then a coloured picture for each ab map. Must not import networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from t2c_engine.color.lab import fit_gamut, lab_to_srgb
from t2c_engine.files import replacing


def color_sheet(path: Path, lightness: Tensor, abs_: Sequence[Tensor], palette: Tensor, rows: int) -> None:
    """Write a PNG: a row a picture: grey, each ab map in colour (upsampled plainly), the palette.

    Args:
        lightness: B x 1 x H x W, 0..100. abs_: each B x 2 x h x w. palette: B x 5 x 3, Lab.
    """
    lightness = lightness[:rows].float()
    height, width = lightness.shape[-2:]
    columns = [lightness.new_zeros(len(lightness), 2, height, width)]
    columns += [F.interpolate(ab[:rows].float(), size=(height, width), mode="bilinear") for ab in abs_]
    pictures = [torch.cat((lightness, ab), 1).permute(0, 2, 3, 1) for ab in columns]
    strips = palette[:rows].flip(1).repeat_interleave(height // palette.shape[1] + 1, 1)[:, :height]
    pictures.append(strips[:, :, None].expand(-1, -1, 24, -1))
    rgb = lab_to_srgb(fit_gamut(torch.cat(pictures, 2)))  # B x H x W' x 3
    sheet = Image.fromarray((rgb.flatten(0, 1).numpy() * 255).round().astype(np.uint8))
    with replacing(path) as stream:
        sheet.save(stream, "PNG")
