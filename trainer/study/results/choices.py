"""Choices of all observers as arrays, and resampled weights of them. Must not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from t2c_engine.errors import UsageError
from trainer.study.design import Prompt, Role, Study
from trainer.study.sessions import Session


@dataclass(frozen=True, slots=True)
class Choices:
    """n choices among m methods.

    `shown` (n x m bool) are the methods side by side, `chosen` (n) the index of the one chosen. `observer` (n),
    `question` (n) and `prompt` (n) are indices: questions about one text or picture have one prompt.
    """

    methods: tuple[str, ...]
    shown: np.ndarray
    chosen: np.ndarray
    observer: np.ndarray
    question: np.ndarray
    prompt: np.ndarray

    def __len__(self) -> int:
        return len(self.chosen)

    @property
    def observers(self) -> int:
        """How many observers chose."""
        return len(np.unique(self.observer))

    @property
    def won(self) -> np.ndarray:
        """n x m bool: the chosen one."""
        return np.arange(len(self.methods)) == self.chosen[:, None]

    def sets(self) -> tuple[np.ndarray, np.ndarray]:
        """The different sets of methods shown (s x m bool), and which of them each choice was from (n)."""
        found, index = np.unique(self.shown, axis=0, return_inverse=True)
        return found, index.reshape(-1)

    def resampled(self, draws: int, rng: np.random.Generator) -> np.ndarray:
        """How often each choice counts in each resample (3 x draws x n).

        The first resamples draw observers, the second prompts, the third single choices, all with replacement.
        """
        weights = np.empty((3, draws, len(self)))
        for row, groups in zip(weights, (self.observer, self.prompt, np.arange(len(self))), strict=True):
            present, index = np.unique(groups, return_inverse=True)
            row[:] = rng.multinomial(len(present), np.full(len(present), 1 / len(present)), size=draws)[:, index]
        return weights


def make_choices(study: Study, sessions: Sequence[Session]) -> Choices:
    """The counted choices of sessions.

    Raises:
        UsageError: there is none.
    """
    methods = study.methods
    column = {name: index for index, name in enumerate(methods)}
    counted = [question for question in study.questions if question.role is Role.QUESTION]
    number = {question.id: index for index, question in enumerate(counted)}
    prompts: dict[Prompt, int] = {}
    of_question = [prompts.setdefault(one.prompt, len(prompts)) for one in counted]
    rows = [(index, choice) for index, one in enumerate(sessions) for choice in one.choices]
    if not rows:
        raise UsageError("No observer is left whose answers count; ask more people, or look at why they are left out.")
    shown = np.zeros((len(rows), len(methods)), dtype=bool)
    for row, (_, choice) in enumerate(rows):
        shown[row, [column[name] for name in counted[number[choice.question]].methods]] = True
    question = np.array([number[choice.question] for _, choice in rows])
    return Choices(
        methods,
        shown,
        np.array([column[choice.method] for _, choice in rows]),
        np.array([index for index, _ in rows]),
        question,
        np.array(of_question)[question],
    )
