"""The networks, `nn.Module`s only, one file a network. Must not import files, pictures or the trainer."""
