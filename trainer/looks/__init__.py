"""Looks learned from unpaired pictures: CycleGAN for one, a StarGAN for several. Must not import evaluation."""
