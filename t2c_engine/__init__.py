"""Text2Colors engine: palettes from phrases, colour for grey pictures. Knows nothing of GIMP or the trainer."""

import os

__version__ = "0.1.0"

# The matrices numpy multiplies here are small, or shared out to threads already; more threads below those only wait for
# one another: on a busy machine a phrase's palettes then take 290 ms in place of 14. Must be set before numpy is there.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
