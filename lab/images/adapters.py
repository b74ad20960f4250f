"""LoRAs as files, in the format of diffusers, so that other tools read them: save, load, mix."""

import re
from collections.abc import Mapping
from pathlib import Path

from lab.images.model import ImageModel

SUFFIX = ".safetensors"
MAX_BYTES = 2 << 30


class AdapterError(ValueError):
    """A LoRA file can't be used; the message says why and what to do."""


def save(model: ImageModel, name: str, path: Path, about: Mapping[str, str] | None = None) -> None:
    """Write an adapter to a file, in half precision, whole or not at all.

    Args:
        model: A model that has the adapter.
        name: The adapter.
        path: A file whose name ends in .safetensors.
        about: Texts to keep in the file's header, such as the task and the steps.
    """
    import os

    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    state = get_peft_model_state_dict(model.transformer, adapter_name=name)
    tensors = {
        f"transformer.{key}": tensor.detach().half().cpu().contiguous() for key, tensor in state.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        save_file(tensors, fresh, metadata={"format": "pt", "base": model.id, **(about or {})})
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def about(path: Path) -> dict[str, str]:
    """Read the texts in a file's header, without its tensors."""
    from safetensors import safe_open

    readable(path)
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata() or {})


def load(model: ImageModel, path: Path, name: str) -> None:
    """Add the adapter in a file to a model, under a name; `weigh` makes it count.

    Raises:
        AdapterError: Not a safetensors file, damaged, or made for another model.
    """
    readable(path)
    check_fits(model, path)
    if not re.fullmatch(r"[a-z0-9_]{3,60}", name):
        raise AdapterError(f"an adapter's name is 3 to 60 of a-z, 0-9 and _, got {name!r}")
    if name in getattr(model.transformer, "peft_config", {}):
        model.pipeline.delete_adapters(name)
    model.pipeline.load_lora_weights(
        path.parent, weight_name=path.name, adapter_name=name, local_files_only=True
    )
    model.transformer.requires_grad_(False)
    model.transformer.eval()


def weigh(model: ImageModel, weights: Mapping[str, float]) -> None:
    """Make these adapters count, each times its weight, and no others; {} leaves the base alone."""
    present = getattr(model.transformer, "peft_config", {})
    if not present:
        if weights:
            raise AdapterError(f"no LoRA is loaded, so {', '.join(weights)} can't be weighed: load it first")
        return
    if missing := [name for name in weights if name not in present]:
        raise AdapterError(
            f"no LoRA is called {', '.join(missing)}; choose among those loaded: {', '.join(present)}"
        )
    if not weights:
        model.transformer.disable_adapters()
        return
    model.transformer.enable_adapters()
    model.transformer.set_adapters(list(weights), list(weights.values()))


def forget(model: ImageModel, name: str) -> None:
    """Take an adapter out of the model; what is not there is forgotten already."""
    if name in getattr(model.transformer, "peft_config", {}):
        model.transformer.delete_adapters(name)


def check_fits(model: ImageModel, path: Path) -> None:
    """Compare the shapes in a file with the layers that they are for, before anything is loaded.

    Raises:
        AdapterError: A layer that the model lacks, or a shape that its layer can't take.
    """
    from safetensors import safe_open

    layers = {
        re.sub(r"\.base_layer$", "", name): module.weight.shape
        for name, module in model.transformer.named_modules()
        if hasattr(module, "weight") and module.weight is not None and module.weight.dim() == 2
    }
    n_fitting = 0
    with safe_open(path, framework="pt") as file:
        for key in file.keys():  # noqa: SIM118  # no mapping
            found = re.fullmatch(r"(?:transformer\.)?(.+)\.lora_(A|B)(?:\.default)?\.weight", key)
            if found is None:
                continue
            layer, side = found.groups()
            if layer not in layers:
                raise AdapterError(
                    f"{path.name} changes a layer {layer!r} that {model.id} lacks: it is for another model. "
                    "Load it with the model that it names."
                )
            n_out, n_in = layers[layer]
            shape = file.get_slice(key).get_shape()
            expected = n_in if side == "A" else n_out
            found_width = shape[1 if side == "A" else 0]
            if found_width != expected:
                raise AdapterError(
                    f"{path.name} is for a model whose {layer} is {found_width} wide; that of "
                    f"{model.id} is {expected}. Load it with the model that it was tuned on."
                )
            n_fitting += 1
    if not n_fitting:
        raise AdapterError(
            f"{path.name} holds no LoRA in diffusers' format (… lora_A / lora_B …). "
            "Convert it with the tool that made it."
        )


def readable(path: Path) -> None:
    """Make sure that a file is safetensors and whole.

    Raises:
        AdapterError: It is not; the message says why.
    """
    from safetensors import SafetensorError, safe_open

    if path.suffix != SUFFIX:
        raise AdapterError(
            f"{path.name} is not a .safetensors file, and the lab never unpickles weights. "
            "Convert it with the tool that made it."
        )
    if not path.is_file():
        raise AdapterError(f"{path.name} is not there; choose a file that is, or tune it again")
    if path.stat().st_size > MAX_BYTES:
        raise AdapterError(
            f"{path.name} is over 2 GB, too large for a LoRA; choose the LoRA alone, not a whole model"
        )
    try:
        with safe_open(path, framework="pt") as file:
            file.keys()
    except (SafetensorError, OSError) as error:
        raise AdapterError(
            f"{path.name} is damaged or no safetensors file ({error}). Download it again."
        ) from error
