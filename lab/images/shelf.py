"""Where LoRAs are kept: those that come with the lab, and those tuned or uploaded by a person."""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lab.images.adapters import SUFFIX, AdapterError, load, weigh
from lab.images.concepts import ASSETS
from lab.images.lora_vector import from_vector
from lab.images.model import ImageModel, load_embedded
from lab.images.tasks import TASKS, SetTask
from lab.learners.load import choose_device
from lab.place import home, is_shared
from lab.weights.manifest import sha256_of

if TYPE_CHECKING:
    import torch

SHIPPED = ASSETS / "loras"
OWN = "own/"
"""Leads the name of a LoRA that is a person's own."""
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


def own_folder() -> Path:
    """Return where a person's LoRAs are kept."""
    return home() / "loras"


def names() -> list[str]:
    """List the LoRAs that can be chosen: shipped ones by their task, then own ones as "own/NAME"."""
    shipped = sorted(path.stem for path in SHIPPED.glob(f"*{SUFFIX}"))
    own = sorted(path.stem for path in own_folder().glob(f"*{SUFFIX}"))
    return [*shipped, *(OWN + name for name in own)]


def tuned_tasks() -> list[SetTask]:
    """List the tasks that a shipped LoRA is there for."""
    known = names()
    return [task for task in TASKS if task.id in known]


def path_of(name: str) -> Path:
    """Return the file of a LoRA.

    Raises:
        AdapterError: There is none of this name; lists those there are.
    """
    if name in names():
        own = name.startswith(OWN)
        return (own_folder() if own else SHIPPED) / f"{name.removeprefix(OWN)}{SUFFIX}"
    listed = ", ".join(names()) or "none yet; to train those of the lab: python -m lab.images.train loras"
    raise AdapterError(f"no LoRA is called {name!r}; there are: {listed}")


def own_path(name: str) -> Path:
    """Return where a person's LoRA of this name goes, without the leading "own/".

    Raises:
        AdapterError: The name can't be a file's, or strangers share this lab.
    """
    if is_shared():
        raise AdapterError(
            "this lab is shared by strangers, who would see each other's LoRAs: run your own copy to "
            "tune or bring one"
        )
    if not _SLUG.fullmatch(name):
        raise AdapterError(
            f"a LoRA's name is 1 to 41 of a-z, 0-9 and -, beginning with a letter or digit, got {name!r}"
        )
    return own_folder() / f"{name}{SUFFIX}"


def adapter_name(name: str) -> str:
    """Return what the model calls a LoRA; diffusers mistakes names that occur in a layer's."""
    return f"iclora_{re.sub('[^a-z0-9]', '_', name)}"


def lend(name: str, vector: "torch.Tensor") -> None:
    """Let a LoRA that is in no file be chosen by a name, as long as this process lives.

    Args:
        name: Its name; an earlier one of this name is replaced. `names` does not list it.
        vector: What `lab.images.lora_vector.from_vector` takes.
    """
    _lent[name] = vector
    _loaded.pop(name, None)


def digest_of(name: str) -> str:
    """Return the SHA-256 of a LoRA's file, or of the numbers of one that was lent.

    Raises:
        AdapterError: There is none of this name.
    """
    if name in _lent:
        return hashlib.sha256(_lent[name].numpy().tobytes()).hexdigest()
    return sha256_of(path_of(name))


def load_weighed(weights: Mapping[str, float]) -> ImageModel:
    """Return the embedded model with these LoRAs, by name, each times its weight, and no others counting."""
    model = embedded()
    for name in weights:
        known = getattr(model.transformer, "peft_config", {})
        if name in _lent:
            if adapter_name(name) not in known or name not in _loaded:
                from_vector(model, _lent[name], adapter_name(name))
                _loaded[name] = 0
            continue
        path = path_of(name)
        if adapter_name(name) not in known or _loaded.get(name) != path.stat().st_mtime_ns:
            load(model, path, adapter_name(name))
            _loaded[name] = path.stat().st_mtime_ns
    weigh(model, {adapter_name(name): weight for name, weight in weights.items()})
    return model


@cache
def embedded() -> ImageModel:
    """Return the embedded model, loaded once, on the GPU if there is one."""
    return load_embedded(device=choose_device())


_loaded: dict[str, int] = {}  # what is in the model, by the time its file was written; 0 for what is lent
_lent: "dict[str, torch.Tensor]" = {}
