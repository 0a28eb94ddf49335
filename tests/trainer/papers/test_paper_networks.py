"""The networks of the papers: sizes and shapes as published."""

import torch

from trainer.papers.classifier_network import ColorClassifier
from trainer.papers.pcn_network import PCN, PCNDiscriminator


def test_the_papers_network_has_its_published_size_and_shapes() -> None:
    with torch.device("meta"):
        parameters = sum(p.numel() for p in PCN().parameters())
    assert 33e6 < parameters < 36e6
    generator, discriminator = PCN(width=4), PCNDiscriminator(width=4, side=64)
    lightness, palette = torch.rand(2, 1, 64, 64) * 100, torch.rand(2, 5, 3) * 50
    ab = generator(lightness, palette)
    assert ab.shape == (2, 2, 64, 64) and ab.abs().max() <= 110
    assert discriminator(lightness, ab, palette).shape == (2,)


def test_the_papers_classifier_has_its_published_size_and_shapes() -> None:
    with torch.device("meta"):
        parameters = sum(p.numel() for p in ColorClassifier().parameters())
    assert 30e6 < parameters < 34e6
    assert ColorClassifier(width=4)(torch.rand(2, 1, 64, 96) * 100).shape == (2, 313, 16, 24)
    judge = PCNDiscriminator(width=4, side=16, palette=False)
    assert judge(torch.rand(2, 1, 16, 16) * 100, torch.rand(2, 2, 16, 16), None).shape == (2,)
