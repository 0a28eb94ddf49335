"""Training of the transfer sub-net (Xu et al. 2020): data, losses, loop, validation, export."""
