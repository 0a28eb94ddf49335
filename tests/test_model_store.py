"""The user's own models: installed, removed, given away in one file, and all that can be wrong with it."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from t2c_engine import models
from t2c_engine.errors import ExistsError, ModelError, T2CError, UsageError
from t2c_engine.model_store import add_model, export_file, import_file, installed, own_models, remove_model
from t2c_engine.models import export_model, find_model, load_weights
from tests.command_line import lines, t2c

TENSORS = {"layer.weight": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), "words": np.arange(6, dtype=np.int8)}


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """An empty folder of the user's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.delenv("T2C_MODELS", raising=False)
    return models.user_folder()


def run_folder(folder: Path, name: str = "light", **changes: Any) -> models.ModelCard:
    values: dict[str, Any] = {"version": "1.0", "kind": "colorizer", "licence": "MIT", "data": ["mine (é)"]}
    return export_model(folder, TENSORS, name=name, **{**values, **changes})


def test_a_model_goes_to_a_colleague_in_one_file(tmp_path, own_folder):
    run_folder(tmp_path / "run", default=True, figures={"before": 20.0})
    (tmp_path / "run/log.json").write_text("[1, 2]")
    card = add_model(tmp_path / "run")
    assert card == find_model("colorizer", "light") and card.folder == own_folder and not card.default
    path = export_file(installed("light"), tmp_path)
    assert path == tmp_path / "light.safetensors" and remove_model("light") == card
    assert own_models() == [] and list(own_folder.iterdir()) == []
    again = import_file(path, name="evening")
    assert again.figures == card.figures and again.data == card.data and again.sha256 == card.sha256
    np.testing.assert_array_equal(load_weights(again)["layer.weight"], TENSORS["layer.weight"].astype(np.float16))


def test_the_command_line_adds_exports_imports_and_removes(tmp_path):
    run_folder(tmp_path / "run")
    assert "Installed the colorizer model 'light'" in t2c("models", "add", tmp_path / "run" / "light.json").stdout
    assert "exists and is kept" not in t2c("models", "export", "light", "-o", tmp_path / "a.safetensors").stderr
    assert "exists and is kept" in t2c("models", "export", "light", "-o", tmp_path / "a.safetensors", code=1).stderr
    assert "end in .safetensors" in t2c("models", "export", "light", "-o", tmp_path / "a.zip", code=2).stderr
    assert "called 'light' already" in t2c("models", "import", tmp_path / "a.safetensors", code=1).stderr
    t2c("models", "import", tmp_path / "a.safetensors", "--overwrite")
    t2c("models", "import", tmp_path / "a.safetensors", "--name", "dusk")
    assert {card["name"] for card in lines(t2c("models", "--json").stdout)} >= {"light", "dusk", "palette-set"}
    assert "Removed the colorizer model 'dusk'" in t2c("models", "remove", "dusk").stdout
    assert "No model of yours" in t2c("models", "remove", "dusk", code=2).stderr


def test_shipped_models_stay_and_are_not_shadowed(tmp_path):
    with pytest.raises(UsageError, match="came with text2colors"):
        remove_model("palette-set")
    path = export_file(find_model("palette"), tmp_path)
    with pytest.raises(ExistsError, match="choose another name"):
        import_file(path, overwrite=True)
    assert import_file(path, name="copy").sha256 == find_model("palette", "palette-set").sha256
    assert find_model("palette").name == "palette-set"


def test_a_picture_is_no_model_and_needs_no_other_installation(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(UsageError, match=r"photo\.jpg is no model; name its card"):
        add_model(tmp_path / "photo.jpg")


def test_a_folder_must_hold_one_card(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(UsageError, match="no model card"):
        add_model(tmp_path / "run")
    run_folder(tmp_path / "run", "one")
    run_folder(tmp_path / "run", "two")
    with pytest.raises(UsageError, match="2 model cards"):
        add_model(tmp_path / "run")


def rewritten(path: Path, **changes: Any) -> Path:
    """The file with other fields in its card."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    card = json.loads(header["__metadata__"]["text2colors.card"]) | changes
    header["__metadata__"]["text2colors.card"] = json.dumps(card)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "../../evil"}, "plain name"),
        ({"kind": "virus"}, "not known to this version"),
        ({"licence": "MIT\x1b[2J"}, "control characters"),
        ({"config": {"a": {"b": "\u202egnp"}}}, "control characters"),
        ({"data": 3}, "wrong type"),
        ({"figures": [1]}, "wrong type"),
    ],
)
def test_a_hostile_card_is_refused(tmp_path, changes, words):
    run_folder(tmp_path / "run")
    path = rewritten(export_file(add_model(tmp_path / "run"), tmp_path / "a.safetensors"), **changes)
    with pytest.raises(ModelError, match=words):
        import_file(path, name="other")


def test_weights_that_are_no_finite_numbers_are_refused(tmp_path):
    run_folder(tmp_path / "run")
    path = export_file(add_model(tmp_path / "run"), tmp_path / "a.safetensors")
    content = bytearray(path.read_bytes())
    content[-7] ^= 64
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged or were changed"):
        import_file(path, name="other")
    save_file({"w": np.array([np.nan], dtype=np.float32)}, tmp_path / "b.safetensors")
    with pytest.raises(ModelError, match="holds no model card"):
        import_file(tmp_path / "b.safetensors")


@pytest.mark.parametrize("content", [b"", b"\x80\x04K", b"PK\x03\x04" * 9, struct.pack("<Q", 1 << 60) + b"{}" * 9])
def test_what_is_no_model_is_refused(tmp_path, content):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.safetensors is no"):
        import_file(tmp_path / "a.safetensors")
    for path in (tmp_path, tmp_path / "missing.safetensors"):
        with pytest.raises(ModelError, match="name"):
            import_file(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 2000), value=st.integers(0, 255), cut=st.integers(0, 2000))
def test_no_damage_gets_through(tmp_path, own_folder, place, value, cut):
    whole = tmp_path / "whole.safetensors"
    if not whole.exists():
        run_folder(tmp_path / "run")
        export_file(add_model(tmp_path / "run"), whole)
        remove_model("light")
    content = bytearray(whole.read_bytes())
    content[place % len(content)] = value
    (tmp_path / "harmed.safetensors").write_bytes(content[: len(content) - cut % len(content)])
    try:
        card = import_file(tmp_path / "harmed.safetensors", overwrite=True)
    except T2CError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
    else:  # the damage was in a text of the card, or none
        np.testing.assert_array_equal(load_weights(card)["words"], TENSORS["words"])
        remove_model(card.name)
