"""Picture files in and out, and the one resize. Must not import torch, palettes or networks."""
