"""Styles in the engine: weights, mixing, and adapters that do not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2c_engine.errors import ModelError, UsageError
from t2c_engine.model_store import export_own, import_file
from t2c_engine.models import export_model, find_model, user_folder
from t2c_engine.palettes.sampler import PaletteRequest, PaletteSampler
from t2c_engine.palettes.style import StyleShares, StyleWeight, parse_styles, styles_text
from t2c_engine.serving.service import Job, Service
from tests.command_line import lines, t2c

WIDTH = 128


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.delenv("T2C_MODELS", raising=False)


def tensors(seed: int = 0, **changes: np.ndarray) -> dict[str, np.ndarray]:
    """An adapter that moves the network's head and source."""
    rng = np.random.default_rng(seed)
    head = 160
    found = {
        "high.head": rng.normal(0, 0.2, (head, 4)), "low.head": rng.normal(0, 0.2, (4, WIDTH)),
        "bias.head": rng.normal(0, 0.3, head), "source": rng.normal(0, 0.1, WIDTH),
        "words": np.array([3, 77], dtype=np.int32),
    }  # fmt: skip
    return {key: value for key, value in (found | changes).items() if value is not None}


def install(name: str, seed: int = 0, base: str | None = None, shares: object = None, **changes: np.ndarray):
    config = {"base": {"sha256": base or find_model("palette").sha256}}
    config["shares"] = shares or {"unknown": 0.5, "known": 0.75}  # type: ignore[assignment]
    return export_own(tensors(seed, **changes), name=name, kind="style", version="1", licence="MIT", config=config)


def palettes(style: str, phrase: str = "old harbour"):
    return PaletteSampler.load(styles=parse_styles(style)).sample(PaletteRequest(phrase)).palettes


def test_weight_zero_is_the_shipped_model_byte_for_byte():
    install("studio")
    assert palettes("studio:0") == palettes("") != palettes("studio")
    assert palettes("studio:0", "xqzv") == palettes("", "xqzv")


def test_styles_mix_by_their_weights():
    install("studio", 1)
    install("winter", 2)
    assert palettes("studio,winter:0") == palettes("studio")
    assert palettes("studio:0.7,winter:0.3") == palettes("winter:0.3,studio:0.7")
    assert len({palettes(one) for one in ("studio", "winter", "studio:0.7,winter:0.3", "studio:2", "studio:0.3")}) == 5


@pytest.mark.parametrize(
    "text", ["studio:3", "studio:-1", "studio:nan", "studio:x", "a b", "../x", "a,a", ",".join("abcdefghi"), ":1"]
)
def test_texts_that_name_no_styles_are_refused(text):
    with pytest.raises(UsageError):
        parse_styles(text)


@given(st.lists(st.tuples(st.from_regex(r"[a-z][a-z0-9._-]{0,9}", fullmatch=True), st.integers(0, 200)), max_size=8,
                unique_by=lambda pair: pair[0]))  # fmt: skip
def test_styles_are_read_as_they_are_written(pairs):
    styles = tuple(StyleWeight(name, weight / 100) for name, weight in pairs)
    assert parse_styles(styles_text(styles)) == styles


@given(st.floats(0, 2), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_shares_grow_with_weight_and_familiarity(weight, familiarity, low, more):
    shares = StyleShares(low, low + (1 - low) * more)
    assert (
        0 <= shares.at(weight, familiarity) <= 1 and shares.at(0, familiarity) == 0 and shares.at(2, familiarity) == 1
    )
    assert shares.at(weight, familiarity) >= shares.at(weight * 0.9, familiarity * 0.9) - 1e-9


@pytest.mark.parametrize(
    "changes",
    [
        {"high.head": np.zeros((160, 5))},
        {"high.head": np.zeros((150, 4))},
        {"low.head": None},
        {"low.head": np.zeros((4, 9))},
        {"high.head": np.zeros((160, 99)), "low.head": np.zeros((99, WIDTH))},
        {"high.nothing": np.zeros((3, 4)), "low.nothing": np.zeros((4, 3))},
        {"bias.head": np.zeros(3)},
        {"source": np.zeros((2, WIDTH))},
        {"other": np.zeros(3)},
        {"words": np.array([10**7], dtype=np.int32)},
        {"words": np.zeros((2, 2), dtype=np.int32)},
    ],
)
def test_an_adapter_that_does_not_fit_is_neither_used_nor_imported(tmp_path, changes):
    card = install("studio", **changes)
    with pytest.raises(ModelError, match=r"style 'studio'.* train"):
        palettes("studio")
    from t2c_engine.model_store import export_file

    path = export_file(card, tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="train"):
        import_file(path, name="other")


def test_styles_of_another_model_or_without_shares_are_refused():
    install("old", base="0" * 64)
    with pytest.raises(ModelError, match="another palette model"):
        palettes("old")
    install("wrong", shares={"unknown": 0.9, "known": 0.1})
    install("none", shares={"some": 1})
    for name in ("wrong", "none"):
        with pytest.raises(ModelError, match="card of style"):
            palettes(name)
    with pytest.raises(ModelError, match="nowhere"):
        palettes("nowhere:0")


def test_the_command_line_takes_styles():
    install("studio")
    plain, styled, zero = (
        lines(t2c("palette", "old harbour", "--json", *words).stdout)[0]
        for words in ((), ("--style", "studio:0.7"), ("--style", "studio:0"))
    )
    assert plain == zero and styled["palettes"] != plain["palettes"] and "studio:0.7" in styled["model"]
    assert "no style with a weight" in t2c("palette", "sea", "--style", "studio:9", code=2).stderr
    assert "there are: studio" in t2c("palette", "sea", "--style", "winter", code=1).stderr
    assert "for palettes drawn" in t2c("palette", "--from-image", "x.png", "--style", "studio", code=2).stderr


def job(**params: object) -> Job:
    return Job(params, b"", lambda method, values, blob: None, lambda: False)


def test_the_engine_lists_styles_and_draws_with_them():
    service = Service()
    assert service.styles(job()) == {"styles": []}
    first = install("studio")
    assert service.styles(job()) == {"styles": [{"name": "studio", "verdict": ""}]}
    from t2c_engine.serving.server import hello

    assert hello()["styles"] == ["studio"]
    drawn = service.palettes(job(phrase="old harbour", style="studio"))["palettes"]
    assert drawn == [list(one.hex) for one in palettes("studio")]
    assert service.palettes(job(phrase="old harbour", style=""))["palettes"] == [list(one.hex) for one in palettes("")]
    export_model(
        user_folder(), tensors(5), name="studio", kind="style", version="1", licence="MIT", config=first.config
    )
    assert service.palettes(job(phrase="old harbour", style="studio"))["palettes"] != drawn, "taught again meanwhile"
    with pytest.raises(UsageError, match="there are: studio"):
        service.palettes(job(phrase="sea", style="nowhere"))
