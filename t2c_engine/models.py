"""What models exist: cards, weight files, where they lie, and whether the bytes are the ones the card speaks of.

A model is two files in one folder: `<name>.safetensors` and `<name>.json`, its card. Folders are searched in this
order: those named in the environment variable T2C_MODELS, the user's own (`user_folder`), the one in the package.
Weights are safetensors and nothing else; no pickle is ever opened. Must not import torch: arrays are numpy.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from platformdirs import user_data_dir

from t2c_engine.errors import ModelError
from t2c_engine.files import reason, write_files

log = logging.getLogger(__name__)

Kind = Literal["palette", "colorizer", "diverse", "style", "photographs", "look", "exemplar"]
PACKAGE_FOLDER = Path(__file__).parent / "weights"
ENVIRONMENT_VARIABLE = "T2C_MODELS"

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # a terminal would obey them
_REINSTALL = "reinstall text2colors, or copy both of the model's files again"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of one model; the JSON next to its weights, field by field, except `folder`."""

    name: str
    version: str
    kind: Kind
    file: str  # name of the weights, in the card's own folder
    sha256: str
    size: int  # bytes
    licence: str
    attribution: tuple[str, ...] = ()  # sentences that go wherever the weights go
    data: tuple[str, ...] = ()  # what it was trained on
    command: str = ""  # what made it
    figures: Mapping[str, Any] = field(default_factory=dict)  # measured, by name
    config: Mapping[str, Any] = field(default_factory=dict)  # what builds the network
    conditions: tuple[str, ...] = ()  # what it can be told: "palette", "hints" ...
    default: bool = False
    folder: Path = Path()  # where the card was found

    def as_json(self) -> dict[str, Any]:
        """The card as its file holds it."""
        values = asdict(self)
        del values["folder"]
        return values


def user_folder() -> Path:
    """Where a user's own (fine-tuned) models are kept; need not exist.

    Raises:
        ModelError: this user has no home folder.
    """
    try:
        return Path(user_data_dir("text2colors", appauthor=False)) / "models"
    except RuntimeError as error:
        raise ModelError(
            f"This user has no home folder for models; set HOME or {ENVIRONMENT_VARIABLE} to a folder."
        ) from error


def model_folders() -> list[Path]:
    """Every folder searched, first come first served."""
    named = os.environ.get(ENVIRONMENT_VARIABLE, "").split(os.pathsep)
    folders = [Path(os.path.expanduser(part)) for part in named if part]
    with contextlib.suppress(ModelError):
        folders.append(user_folder())
    return [*folders, PACKAGE_FOLDER]


def read_card(path: Path) -> ModelCard:
    """One model card.

    Raises:
        ModelError: the file cannot be read, is no JSON, or lacks or misstates a field.
    """
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"The model card {path} cannot be read ({reason(error)}); {_REINSTALL}.") from error
    return card_from_json(values, path)


def card_from_json(values: Any, path: Path) -> ModelCard:
    """The card of JSON values; `path`: the file they stand in, in whose folder the weights are.

    Raises:
        ModelError: a field is missing or misstated.
    """
    try:
        wrong = _misstated(values)
    except RecursionError:
        wrong = "it is nested too deeply"
    if wrong:
        raise ModelError(f"The model card {path} is not valid: {wrong}; {_REINSTALL}.")
    known = {one.name for one in fields(ModelCard)} - {"folder"}
    kept: dict[str, Any] = {key: value for key, value in values.items() if key in known}
    kept |= {key: tuple(value) for key, value in kept.items() if isinstance(value, list)}
    return ModelCard(**kept, folder=path.parent)


def _misstated(values: Any) -> str | None:
    """What is wrong with a card's content, in words; None when nothing is."""
    if not isinstance(values, dict):
        return "it holds no JSON object"
    types = {"size": int, "default": bool, "figures": dict, "config": dict}
    types |= dict.fromkeys(("attribution", "data", "conditions"), list)
    for one in fields(ModelCard):
        if one.name == "folder":
            continue
        kind = types.get(one.name, str)
        if one.name not in values and one.name in ("name", "version", "kind", "file", "sha256", "size", "licence"):
            return f"'{one.name}' is missing"
        if one.name in values and not isinstance(values[one.name], kind):
            return f"'{one.name}' has the wrong type"
        if kind is list and not all(isinstance(item, str) for item in values.get(one.name, [])):
            return f"'{one.name}' may hold texts only"
    if control := next((text for text in _texts(values) if _CONTROL.search(text)), None):
        return f"the text {control[:40]!r} holds control characters"
    if values["kind"] not in get_args(Kind):
        return f"the kind '{values['kind']}' is not known to this version"
    if not NAME.fullmatch(values["name"]) or not NAME.fullmatch(values["file"]):
        return "its name or file is not a plain name"
    if not values["file"].endswith(".safetensors") or not _SHA256.fullmatch(values["sha256"]):
        return "it names no .safetensors file with a sha256"
    return None


def _texts(value: Any) -> Iterator[str]:
    """Every text of a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (key, *_texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def scan_models() -> tuple[list[ModelCard], list[ModelError]]:
    """All readable cards, in the order of `model_folders`, and one error for every card that is not.

    A name found twice (of one kind) counts where it is found first.
    """
    cards: dict[tuple[str, str], ModelCard] = {}
    problems: list[ModelError] = []
    for folder in model_folders():
        try:
            paths = sorted(folder.glob("*.json"))
        except OSError as error:
            problems.append(
                ModelError(f"The model folder {folder} cannot be read ({reason(error)}); check its permissions.")
            )
            continue
        for path in paths:
            try:
                card = read_card(path)
            except ModelError as error:
                problems.append(error)
                continue
            cards.setdefault((card.kind, card.name), card)
    return list(cards.values()), problems


def find_model(kind: Kind, name: str | None = None) -> ModelCard:
    """The model of that kind and name; without a name, the first whose card says default, else the first.

    Raises:
        ModelError: there is none, with the names that there are.
    """
    cards, problems = scan_models()
    ours = [card for card in cards if card.kind == kind]
    wanted = [card for card in ours if (card.default if name is None else card.name == name)]
    if not wanted and name is None:
        wanted = ours
    if wanted:
        return wanted[0]
    for problem in problems:
        if not ours or f"{name}.json" in str(problem):
            raise problem
    if ours:
        raise ModelError(f"No {kind} model is called '{name}'; there are: {', '.join(card.name for card in ours)}.")
    if kind in ("style", "photographs", "look") and name is not None:
        raise ModelError(f"No {kind} is called '{name}', and none is installed; 't2c models' lists what there is.")
    places = ", ".join(str(folder) for folder in model_folders())
    raise ModelError(f"No {kind} model is installed (looked in {places}); {_REINSTALL}.")


def weights_path(card: ModelCard) -> Path:
    """The card's weight file, after its bytes have been checked (again only when the file changes).

    Raises:
        ModelError: the file is missing, unreadable, or not the one the card speaks of.
    """
    path = card.folder / card.file
    try:
        status = path.stat()
        digest = _sha256(path, status.st_mtime_ns, status.st_size)
    except FileNotFoundError as error:
        raise ModelError(f"The weights of model '{card.name}' are missing at {path}; {_REINSTALL}.") from error
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read ({reason(error)}); check its permissions.") from error
    if status.st_size != card.size or digest != card.sha256:
        raise ModelError(
            f"The weights {path} are not those of model '{card.name}' {card.version} (the sha256 differs), "
            f"so they are not loaded; {_REINSTALL}."
        )
    return path


@cache
def _sha256(path: Path, modified: int, size: int) -> str:
    """Digest of a file; `modified` and `size` are there so that a changed file is read again."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load_weights(card: ModelCard) -> dict[str, np.ndarray]:
    """The checked weights by name, in the types stored (floats as float16).

    Raises:
        ModelError: as `weights_path`, or the file is no safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = weights_path(card)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"The weights {path} are no readable safetensors file ({reason(error)}); {_REINSTALL}."
        ) from error


def export_model(
    folder: Path,
    tensors: Mapping[str, np.ndarray],
    *,
    name: str,
    version: str,
    kind: Kind,
    licence: str,
    attribution: Sequence[str] = (),
    data: Sequence[str] = (),
    command: str = "",
    figures: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    conditions: Sequence[str] = (),
    default: bool = False,
) -> ModelCard:
    """Write a model: weights (float arrays as float16, others as they are) and card, each whole or not at all.

    A model of the same name in that folder is replaced. The same arguments give the same bytes.

    Raises:
        ModelError: a weight is NaN, infinite or beyond float16, or a text of the card is not usable.
        OutputError: the folder cannot be written.
    """
    from safetensors.numpy import save

    content = save({key: _as_half(key, tensors[key]) for key in sorted(tensors)})
    card = ModelCard(
        name=name,
        version=version,
        kind=kind,
        file=f"{name}.safetensors",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence=licence,
        attribution=tuple(attribution),
        data=tuple(data),
        command=command,
        figures=dict(figures or {}),
        config=dict(config or {}),
        conditions=tuple(conditions),
        default=default,
        folder=folder,
    )
    write_files({folder / card.file: content, folder / f"{name}.json": _card_json(card)}, overwrite=True)
    return card


def _card_json(card: ModelCard) -> bytes:
    """The card as its file holds it.

    Raises:
        ModelError: a text of it is not usable.
    """
    text = json.dumps(card.as_json(), indent=2, ensure_ascii=False) + "\n"
    if wrong := _misstated(json.loads(text)):
        raise ModelError(f"The model '{card.name}' cannot be exported: {wrong}.")
    return text.encode()


def _as_half(key: str, array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array)
    if not np.issubdtype(array.dtype, np.floating):
        return array
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    if not np.isfinite(half).all():
        raise ModelError(f"The weight '{key}' is not finite in float16, so nothing is exported; check the training.")
    return half
