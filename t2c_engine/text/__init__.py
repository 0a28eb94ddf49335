"""Any phrase to word vectors. Must not import torch, palettes or networks."""
