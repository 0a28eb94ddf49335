"""Settings for all tests: no deadlines, and one thread for torch, which is quickest for tiny networks."""

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("project", deadline=None)
settings.load_profile("project")
