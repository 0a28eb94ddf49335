"""Text2Colors engine: palettes from phrases, colour for grey pictures. Knows nothing of GIMP or the trainer."""

import os

from t2c_engine.environment import set_threads

__version__ = "0.1.0"

set_threads(os.environ)  # before numpy and torch are there
