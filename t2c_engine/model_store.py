"""The user's own models: put in, taken out, written to one file for a colleague and read from one.

Every kind of `models.Kind` lies in the same folder (`models.user_folder`): styles, colourisers and looks that a user
trained, and further palette models. The file for a colleague is safetensors whose header holds the card. A file from
somewhere else is checked before anything is written: size, header, card, digest, finite numbers, and what `CHECKS` says
of its kind. Must not import torch, serving or the command line.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from t2c_engine.errors import ExistsError, ModelError, UsageError
from t2c_engine.files import check_folder, write_file
from t2c_engine.models import (
    NAME,
    PACKAGE_FOLDER,
    Kind,
    ModelCard,
    card_from_json,
    export_model,
    find_model,
    load_weights,
    read_card,
    scan_models,
    user_folder,
)

MAX_FILE = 1 << 29  # bytes of a model's file
MAX_HEADER = 1 << 22  # bytes of its header, in which the card is
_CARD, _DIGEST = "text2colors.card", "text2colors.sha256"  # entries of the header

Tensors = Mapping[str, np.ndarray]


def _check_style(card: ModelCard, tensors: Tensors) -> None:
    from t2c_engine.palettes.sampler import PaletteSampler
    from t2c_engine.palettes.style import Style

    base = find_model("palette")
    weights = load_weights(base)
    plain = PaletteSampler.from_tensors(base.name, base.config, weights)
    plain.with_styles(base, weights, [(Style.from_card(card, tensors), 1.0)])


def _check_photographs(card: ModelCard, tensors: Tensors) -> None:
    from t2c_engine.colorization.color_styles import base_of, with_changes

    base = base_of(card)
    with_changes(base, load_weights(base), [(tensors, 1.0)])


def _check_look(card: ModelCard, tensors: Tensors) -> None:
    from t2c_engine.colorization.looks import look_network

    look_network(card, tensors)


# by kind: raises ModelError where a model could not be used
CHECKS: Mapping[str, Callable[[ModelCard, Tensors], None]] = {
    "style": _check_style,
    "photographs": _check_photographs,
    "look": _check_look,
}


def export_file(card: ModelCard, path: Path, overwrite: bool = False) -> Path:
    """Write an installed model to one file, whole or not at all.

    Args:
        path: a name that ends in .safetensors, or a folder, in which the file gets the model's name.

    Returns:
        The file written.

    Raises:
        UsageError: the name ends otherwise. ModelError: the weights are missing or damaged.
        OutputError: the file exists and `overwrite` is false, or it cannot be written.
    """
    from safetensors.numpy import save

    target = path / card.file if path.is_dir() else path
    if target.suffix.lower() != ".safetensors":
        raise UsageError(f"{target} is no name for a model; let it end in .safetensors.")
    check_folder(target.parent)
    tensors = load_weights(card)
    header = {_CARD: json.dumps(card.as_json(), ensure_ascii=False), _DIGEST: digest_of(tensors)}
    write_file(target, save(dict(sorted(tensors.items())), metadata=header), overwrite)
    return target


def import_file(path: Path, name: str | None = None, overwrite: bool = False) -> ModelCard:
    """Install the model of a file that `export_file` wrote.

    Args:
        name: another name for it. overwrite: replace a model of the user's that has this name.

    Raises:
        ModelError: the file is missing, too large, damaged, of another program, or of no use to this version.
        ExistsError: the name is taken.
    """
    card, tensors = read_file(path)
    return install(card, tensors, name, overwrite)


def add_model(path: Path, name: str | None = None, overwrite: bool = False) -> ModelCard:
    """Install the model of a card (.json) with its weights beside it, or of a folder with one card, as runs have.

    Args and errors: as `import_file`, and UsageError where the folder has no card or several, or the file is none.
    """
    if path.is_dir():
        cards = sorted(one for one in path.glob("*.json") if _looks_like_card(one))
        if len(cards) != 1:
            what = "holds no model card" if not cards else f"holds {len(cards)} model cards"
            raise UsageError(f"{path} {what}; name the .json file of one model.")
        path = cards[0]
    if path.suffix.lower() == ".safetensors":
        return import_file(path, name, overwrite)
    if _file_size(path) > MAX_HEADER:
        raise ModelError(f"{path} is too large for a model card; name the .json file beside the weights.")
    if path.suffix.lower() != ".json":
        raise UsageError(f"{path} is no model; name its card (.json), its run's folder, or one .safetensors file.")
    card = read_card(path)
    if card.size > MAX_FILE:
        raise ModelError(f"The model of {path} is larger than {MAX_FILE >> 20} MB; it is not installed.")
    return install(card, load_weights(card), name, overwrite)


def remove_model(name: str) -> ModelCard:
    """Remove one of the user's own models; card and weights are deleted.

    Raises:
        UsageError: no model of the user's own has that name.
    """
    cards, _ = scan_models()
    own = [card for card in own_models() if card.name == name]
    if not own:
        where = next((card.folder for card in cards if card.name == name), None)
        if where == PACKAGE_FOLDER:
            raise UsageError(f"The model '{name}' came with text2colors and stays; only your own can be removed.")
        if where is not None:
            raise UsageError(f"The model '{name}' lies in {where}, not among your own; delete its two files there.")
        raise UsageError(f"No model of yours is called '{name}'; {_listed(own_models())}.")
    for path in (own[0].folder / f"{name}.json", own[0].folder / own[0].file):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ModelError(f"{path} cannot be removed ({error.strerror}); check its permissions.") from error
    return own[0]


def own_models() -> list[ModelCard]:
    """The readable cards of the user's folder."""
    paths = sorted(user_folder().glob("*.json"))
    return [read_card(path) for path in paths if _looks_like_card(path)]


def installed(name: str) -> ModelCard:
    """The model of that name, of any kind; the user's own first.

    Raises:
        UsageError: there is none.
    """
    cards, _ = scan_models()
    for card in [*own_models(), *cards]:
        if card.name == name:
            return card
    raise UsageError(f"No model is called '{name}'; {_listed(cards)}.")


def install(card: ModelCard, tensors: Tensors, name: str | None = None, overwrite: bool = False) -> ModelCard:
    """Check a model and put it into the user's folder; it never becomes a default one.

    Args:
        name: in place of the card's own. overwrite: replace a model of the user's of that name and kind.

    Raises:
        ExistsError: the name is taken. ModelError: the model cannot be used.
    """
    _check_numbers(card, tensors)
    if card.kind in CHECKS:
        CHECKS[card.kind](card, tensors)
    kept = {
        key: value for key, value in card.as_json().items() if key not in ("name", "file", "sha256", "size", "default")
    }
    return export_own(tensors, name=name or card.name, overwrite=overwrite, **kept)


def export_own(tensors: Tensors, *, name: str, kind: Kind, overwrite: bool = False, **fields: Any) -> ModelCard:
    """Write a model into the user's folder; `fields` as of `models.export_model`. It never becomes a default one.

    Raises:
        ExistsError: the name is taken. ModelError, OutputError: as `export_model`.
    """
    check_name(name, kind, overwrite)
    return export_model(user_folder(), tensors, name=name, kind=kind, **fields)


def check_name(name: str, kind: Kind, overwrite: bool = False) -> None:
    """Refuse a name that another model has, unless it is the user's own, of that kind, and `overwrite` is true.

    Raises:
        ExistsError: the name is taken. UsageError: it is no plain name.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"'{name[:70]}' is no name for a model; use letters, digits, '-', '_' and '.', at most 64.")
    for other in scan_models()[0]:
        if other.name != name:
            continue
        own = other.folder != PACKAGE_FOLDER and other.kind == kind
        if not (own and overwrite):
            advice = "add --overwrite to replace it, or choose another with --name" if own else "choose another name"
            raise ExistsError(f"A {other.kind} model is called '{name}' already; {advice}.")


def read_file(path: Path) -> tuple[ModelCard, dict[str, np.ndarray]]:
    """The card and the weights in a file of `export_file`; nothing in it is run.

    Raises:
        ModelError: as `import_file`.
    """
    from safetensors import SafetensorError, safe_open

    _check_head(path)
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            if _CARD not in header:
                raise ModelError(
                    f"{path} holds no model card, so nobody knows what it is; export it with 't2c models'."
                )
            card = card_from_json(json.loads(header[_CARD]), path)
            tensors = {key: file.get_tensor(key) for key in list(file.keys())}
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ModelError(f"{path} is no readable model ({reason}); copy or download it again.") from error
    if header.get(_DIGEST) != digest_of(tensors):
        raise ModelError(f"The weights in {path} are damaged or were changed (the sha256 differs); copy it again.")
    return card, tensors


def digest_of(tensors: Tensors) -> str:
    """SHA-256 of names, types, shapes and values, in the names' order."""
    digest = hashlib.sha256()
    for key in sorted(tensors):
        array = np.ascontiguousarray(tensors[key])
        digest.update(f"{key}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _check_head(path: Path) -> None:
    """Refuse by size and by the length that the first eight bytes say the header has."""
    if path.is_dir():
        raise ModelError(f"{path} is a folder; name the .safetensors file of a model, or use 't2c models add'.")
    size = _file_size(path)
    if size > MAX_FILE:
        raise ModelError(f"{path} is larger than {MAX_FILE >> 20} MB, so it is not read as a model.")
    with path.open("rb") as stream:
        start = stream.read(8)
    length = struct.unpack("<Q", start)[0] if len(start) == 8 else MAX_FILE
    if length > min(size, MAX_HEADER):
        raise ModelError(f"{path} is no safetensors file, or its header is damaged; copy or download it again.")


def _file_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"The model {path} cannot be read ({reason}); check its name.") from error


def _check_numbers(card: ModelCard, tensors: Tensors) -> None:
    if not tensors:
        raise ModelError(f"The model '{card.name}' holds no weights; it is not installed.")
    for key, array in tensors.items():
        if array.dtype.kind not in "fiub":
            raise ModelError(f"The weight '{key}' of model '{card.name}' holds no numbers; it is not installed.")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelError(f"The weight '{key}' of model '{card.name}' is not finite; it is not installed.")


def _looks_like_card(path: Path) -> bool:
    """Whether a .json file holds a model's card; other files of a run are passed over."""
    try:
        if path.stat().st_size > MAX_HEADER:
            return False
        read_card(path)
    except (OSError, ModelError):
        return False
    return True


def _listed(cards: list[ModelCard]) -> str:
    return f"there are: {', '.join(card.name for card in cards)}" if cards else "there is none"
