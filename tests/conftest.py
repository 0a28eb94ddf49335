"""Settings for all tests: no deadlines, and one thread for torch, which is quickest for tiny networks."""

import os

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("project", deadline=None)
settings.load_profile("project")


@pytest.fixture
def fake_networks(tmp_path, monkeypatch):
    """Fake networks, no models, and an empty current folder."""
    from t2c_engine import models
    from tests import fakes

    fakes.use(monkeypatch)
    monkeypatch.setattr(models, "model_folders", lambda: [tmp_path / "models"])
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
