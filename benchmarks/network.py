"""Five palettes at 256 px by the shipped colouriser against one by the 34 M reference: prints times and their ratio."""

from __future__ import annotations

import logging
import sys

from t2c_engine.colorization.colorizer import Colorizer
from trainer.evaluation.speed import network_speed


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    for name, value in network_speed(Colorizer.load(device="cpu")).items():
        logging.info("%-18s %.4f", name, value)


if __name__ == "__main__":
    main()
