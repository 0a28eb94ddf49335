"""Photographs of other kinds, by which it is seen what a fine-tuning loses. Must not import networks."""

from __future__ import annotations

from pathlib import Path

from trainer.evaluation.report_photographs import bundled_photographs
from trainer.photographs.check import Checked, check_file, check_folder
from trainer.photographs.judge import SHORT_SIDE, HeldOut

MOST = 100  # photographs looked at


def other_photographs(folder: Path | None) -> list[HeldOut]:
    """The colour photographs of a folder, MOST at most; without one, those that come with scikit-image.

    Raises:
        UsageError: the folder does not exist or holds no picture.
    """
    found: list[Checked] = []
    if folder is not None:
        found = sorted(check_folder(folder).used, key=lambda one: one.digest)
    else:
        found = [check_file(path, path.parent) for path in bundled_photographs()]
    return [HeldOut.of(one, SHORT_SIDE) for one in found if one.fault is None][:MOST]
