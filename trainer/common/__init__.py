"""What every training run uses. Must not import the other folders of the trainer."""
