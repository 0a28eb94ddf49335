"""Low-rank changes of a network's weights (LoRA, Hu et al. 2022): what a fine-tuned model stores, and its use.

A matrix or kernel W (out x the rest) becomes W + amount * up @ down; a small weight or a vector W + amount * change.
Applied when weights are loaded, so that a network with changes is as fast as one without. Must not import torch, files
or networks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

UP, DOWN, CHANGE = ".up", ".down", ".change"  # endings of the stored names; the weight's own name stands before them

Arrays = Mapping[str, np.ndarray]


def changed(weights: Arrays, deltas: Sequence[tuple[Arrays, float]]) -> dict[str, np.ndarray]:
    """A network's weights with every delta added, each by its amount.

    Args:
        weights: by name, any float type. deltas: pairs of arrays named `<weight>` + UP (out x r) and DOWN (r x the
            rest), or CHANGE (the weight's shape), and an amount, 1 for the whole change.

    Returns:
        float32 where something was added; other weights as they are.

    Raises:
        ValueError: a delta names a weight that there is not, or has another shape.
    """
    result = dict(weights)
    for arrays, amount in deltas:
        for name in sorted(changed_names(arrays)):
            if name not in weights:
                raise ValueError(f"there is no weight '{name}'")
            change = _change(arrays, name, weights[name].shape)
            result[name] = np.asarray(result[name], np.float32) + np.float32(amount) * change
    return result


def changed_names(arrays: Arrays) -> set[str]:
    """Names of the weights that a delta changes.

    Raises:
        ValueError: an array's name has none of the endings.
    """
    names = set()
    for key in arrays:
        ending = next((one for one in (UP, DOWN, CHANGE) if key.endswith(one)), None)
        if ending is None:
            raise ValueError(f"'{key}' is no change of a weight")
        names.add(key.removesuffix(ending))
    return names


def _change(arrays: Arrays, name: str, shape: tuple[int, ...]) -> np.ndarray:
    whole = arrays.get(name + CHANGE)
    if whole is not None:
        if whole.shape != shape and not whole.size == 1 == int(np.prod(shape)):  # files may hold a number as a vector
            raise ValueError(f"the change of '{name}' is {whole.shape}, not {shape}")
        return np.asarray(whole, np.float32).reshape(shape)
    up, down = arrays.get(name + UP), arrays.get(name + DOWN)
    if up is None or down is None or up.ndim != 2 or down.ndim != 2 or up.shape[1] != down.shape[0]:
        raise ValueError(f"the change of '{name}' is incomplete")
    if not shape or (up.shape[0], down.shape[1]) != (shape[0], int(np.prod(shape[1:]))):
        raise ValueError(f"the change of '{name}' does not fit its {shape}")
    return (np.asarray(up, np.float32) @ np.asarray(down, np.float32)).reshape(shape)
