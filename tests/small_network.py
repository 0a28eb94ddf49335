"""The colour network at its smallest, for tests."""

from t2c_engine.networks.picture_encoder import ColorizerConfig

SMALL = ColorizerConfig(
    tone_widths=(8, 16, 24),
    tone_blocks=(1, 1, 1),
    pyramid_widths=(8, 8, 16, 16),
    decoder_widths=(8, 12, 16),
    decoder_blocks=(1, 1, 1),
    token_width=16,
    detail_width=6,
    detail_blocks=1,
    attention_width=16,
    attention_heads=2,
    picture_layers=1,
    placement_layers=1,
)
