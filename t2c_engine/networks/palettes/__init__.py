"""Networks that draw palettes for words. Must not import files, pictures or the trainer."""
