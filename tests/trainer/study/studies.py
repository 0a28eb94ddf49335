"""Small studies for the tests of `trainer.study`, made without any model."""

from __future__ import annotations

from t2c_engine.palettes.palette import Palette
from tests.fakes import PaletteSampler
from trainer.study.design import FormConfig, Study, StudyPlan
from trainer.study.questions.data import DataStudyRequest, Pair, data_study
from trainer.study.questions.palettes import PaletteStudyRequest, palette_study
from trainer.study.questions.wording import PALETTE_WORDING

HUMAN_PALETTES = {
    "mango and grapefruit": "#7a1f1f #d9483b #f27f4b #f9b65c #fde3a7",
    "bright life": "#1f6f8b #2fb5a8 #f2c14e #f78154 #fef6e4",
    "black rose": "#0b0608 #2a0f16 #4a1522 #7a1f35 #b23a55",
    "warm autumn": "#3b1f12 #7a3b16 #b8641f #dd9a3a #f3d9a0",
    "furious <heart>": "#1a0000 #5a0008 #a80c16 #e02b2b #ff8a6b",
    "sea & sky": "#06263d #0f4c75 #3282b8 #7fb8d8 #dff1fa",
}


class NamedSampler(PaletteSampler):
    """The fake sampler with a name and palettes of its own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def sample(self, request):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        return super().sample(replace(request, phrase=f"{self.name} {request.phrase}"))


def small_palette_study(models: int = 2, post: str = "", **form: int) -> Study:
    """Six texts, `models` models beside the human palettes."""
    human = {text: Palette.from_hex(colors) for text, colors in HUMAN_PALETTES.items()}
    names = ("shipped", "paper", "third", "fourth")[:models]
    config = FormConfig(**{"questions": 6, "checks": 2, "forms": 12, "seed": 3} | form)
    samplers = {name: NamedSampler(name) for name in names}
    return palette_study(
        PaletteStudyRequest(human, samplers, StudyPlan(PALETTE_WORDING, forms=config, post=post))  # type: ignore[arg-type]
    )


def small_data_study(pairs: int = 6, part: int = 200) -> Study:
    """Pairs of a text and one of the human palettes."""
    colors = list(HUMAN_PALETTES.values())
    given = [Pair(f"text {number}", Palette.from_hex(colors[number % len(colors)]).hex) for number in range(pairs)]
    return data_study(DataStudyRequest(given, part))
