"""What the experiments on image sets share: their queries, prices, records, and the run itself."""

from collections.abc import Callable, Iterator
from typing import Any

from lab.experiments.events import Cost, Event, Result
from lab.experiments.panel_sweep import PanelSweep, Query
from lab.experiments.prompt_sweep import answering, is_finished
from lab.images.tasks import SetTask, task_sets
from lab.runs.environment import environment
from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.weights import Progress

SECONDS_A_PANEL = 0.3  # of 20 guided steps on two quiet cores, for the price before a run
TOKENS_A_PANEL = 80  # 64 of the picture, 16 of its text
TASK_LORA = "the task's"


def queries_of(task: SetTask, n: int, seed: int) -> list[Query]:
    """Make sets of held-out concepts, each with a seed of its own; beyond 24 the concepts come again."""
    from lab.images.emoji import atlas

    sets = task_sets(task, n, "test", seed, atlas())
    return [Query(f"{each.name} {n}", each, 1000 * seed + 10 * n) for n, each in enumerate(sets, start=1)]


def price(n_canvases: int, n_panels: int, n_steps: int) -> Cost:
    """Price canvases by their panels and steps, without loading a model."""
    n_passes = 2 * n_steps  # with and without the caption
    n_tokens = n_canvases * n_panels * TOKENS_A_PANEL * n_passes
    seconds = n_canvases * n_panels * SECONDS_A_PANEL * n_steps / 20
    return Cost(n_canvases, n_tokens, n_tokens, seconds, 400_000_000)


def load(params: Any, progress: Progress) -> None:
    """Load the embedded model, the probe and the drawings."""
    from lab.images.emoji import atlas
    from lab.images.probe import load_probe
    from lab.images.shelf import embedded

    embedded()
    load_probe()
    atlas(progress)


def record(loras: list[str]) -> dict[str, Any]:
    """Record where a run is made: machine, versions, the model and the LoRAs by their hashes."""
    from lab.images.model import EMBEDDED
    from lab.images.shelf import digest_of, embedded
    from lab.weights.manifest import sha256_of

    model = embedded()
    weights = EMBEDDED / "transformer" / "diffusion_pytorch_model.safetensors"
    known: dict[str, Any] = {
        "id": model.id,
        "revision": sha256_of(weights)[:12],
        "device": str(model.device),
        "dtype": str(model.dtype).removeprefix("torch."),
    }
    if loras:
        known["loras"] = {name: digest_of(name)[:12] for name in loras}
    return {**environment(), "model": known}


def run_sweep(
    recipe: Recipe,
    store: Store,
    cost: Cost,
    prepare: Callable[[], PanelSweep],
    loras: list[str],
    read: Callable[[], Result],
) -> Iterator[Event]:
    """Make a run, or go on with it; a finished run is read without loading a model."""
    if not is_finished(store, recipe.id):
        yield cost
        sweep = prepare()
        store.begin(recipe, record(loras))
        yield from answering([sweep], store, recipe.id)
        store.finish(recipe.id, read().summary)
    yield read()
