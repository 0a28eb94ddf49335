"""What the figures before and after a fine-tuning say, in words and as a decision. Must not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trainer.photographs.judge import WAYS, Figures, interval, ratio

HARMLESS = 1.02  # ratio of errors on other photographs up to which nothing is lost


@dataclass(frozen=True, slots=True)
class Verdict:
    """ship: whether the fine-tuned model is kept. sentence: why, for a person. clear: no chance result."""

    ship: bool
    clear: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Figures of the shipped and of the fine-tuned network, on the same photographs."""

    before: Figures
    after: Figures

    def ratio(self, way: str) -> float:
        """Error after over error before."""
        return ratio(self.after.errors[way], self.before.errors[way])

    def interval(self, way: str) -> tuple[float, float]:
        """95 % interval of `ratio`."""
        return interval(self.after.errors[way], self.before.errors[way])

    @property
    def count(self) -> int:
        """Photographs."""
        return len(self.before.errors[WAYS[0]])

    def as_json(self) -> dict[str, Any]:
        """For the card."""
        values: dict[str, Any] = {"photographs": self.count}
        for way in WAYS:
            values[way] = {
                "ab_error_before": round(float(self.before.errors[way].mean()), 3),
                "ab_error_after": round(float(self.after.errors[way].mean()), 3),
                "change_percent": round(100 * (self.ratio(way) - 1), 1),
                "interval_percent": [round(100 * (one - 1), 1) for one in self.interval(way)],
                "colourfulness_before": round(self.before.colorfulness[way], 3),
                "colourfulness_after": round(self.after.colorfulness[way], 3),
            }
        return values


def judge(own: Comparison, others: Comparison | None) -> Verdict:
    """Keep what is worse in no way on the user's own held-out photographs."""
    changes = {way: own.ratio(way) for way in WAYS}
    if any(change > 1 for change in changes.values()):
        worse = " and ".join(f"{_in_words(way)} {_change(one)}" for way, one in changes.items() if one > 1)
        return Verdict(
            False,
            True,
            f"Not kept: on your held-out photographs {worse}. The shipped model stays in use. More photographs of one "
            "kind help; photographs of many kinds have little in common to learn.",
        )
    if all(own.interval(way)[1] >= 1 for way in WAYS):
        return Verdict(
            True,
            False,
            f"Too few photographs to tell: {own.count} held-out ones show no clear difference. The model is kept, and "
            "is no worse on them.",
        )
    words = ", ".join(f"{_in_words(way)} {_change(one)}" for way, one in changes.items())
    return Verdict(True, True, f"Better on yours: {words}.{_lost(others)}")


def _lost(others: Comparison | None) -> str:
    if others is None:
        return ""
    changes = [others.ratio(way) for way in WAYS]
    if max(changes) <= HARMLESS:
        return " Nothing is lost on other photographs: good."
    words = ", ".join(f"{_in_words(way)} {_change(one)}" for way, one in zip(WAYS, changes, strict=True))
    return f" On other photographs: {words}. Use the style for photographs like yours alone, or with less weight."


def _in_words(way: str) -> str:
    return {"palette": "colours with a palette are", "automatic": "automatic colours are"}[way]


def _change(change: float) -> str:
    percent = abs(100 * (change - 1))
    if percent < 0.5:
        return "unchanged"
    return f"{percent:.0f} % {'nearer to' if change < 1 else 'farther from'} the true ones"
