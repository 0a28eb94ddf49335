"""What the server that workers are forked from loads: torch and the color network's code, in one thread.

Imported by its name, in that server alone. It touches no device: a forked process cannot use CUDA that was touched.
"""

import importlib
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
for name in ("albums.worker", "batch.previews", "colorization.colorizer", "colorization.composition"):
    importlib.import_module(f"t2c_engine.{name}")
