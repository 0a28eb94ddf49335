"""Settings for all tests: property tests have no deadline, and torch one thread, which is quickest for tiny networks."""

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("project", deadline=None)
settings.load_profile("project")
