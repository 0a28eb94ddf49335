"""Settings for all tests: property tests have no deadline, for the machine may be busy."""

from hypothesis import settings

settings.register_profile("project", deadline=None)
settings.load_profile("project")
