"""Styles of a user's own: examples, check, training of the adapter, report. Must not import trainer.study."""
