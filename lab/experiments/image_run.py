"""What the experiments on image sets share: queries, prices, records, the run, the comparison of arms."""

import hashlib
import re
from dataclasses import asdict
from typing import Any, NamedTuple

import pandas as pd

from lab.experiments.events import Cost
from lab.experiments.panel_sweep import N_AGAIN, Query
from lab.experiments.views import floor_of, split_controls
from lab.images.tasks import SetTask, task_sets
from lab.runs.environment import environment
from lab.stats.comparisons import Comparison, accuracy_table, compare_layouts, pairwise
from lab.stats.flips import flip_matrix
from lab.stats.floor import Floor
from lab.stats.verdict import comparison_sentence
from lab.weights import Progress

SECONDS_A_PANEL = 0.3  # of 20 guided steps on two quiet cores, for the price before a run
TOKENS_A_PANEL = 80  # 64 of the picture, 16 of its text
TASK_LORA = "the task's"


class Compared(NamedTuple):
    """Arms on the same sets: comparisons with the reference, tables, and what a summary tells of them."""

    comparisons: list[Comparison]
    tables: dict[str, pd.DataFrame]
    summary: dict[str, Any]


def queries_of(task: SetTask, n: int, seed: int, are_seen: bool) -> list[Query]:
    """Make sets of held-out concepts, each with a seed of its own; beyond 24 the concepts come again.

    Args:
        task: A task.
        n: How many.
        seed: Determines them.
        are_seen: Whether anything looks at their pictures; if not, no drawing needs to be there.
    """
    from lab.images.emoji import atlas, no_drawings

    sets = task_sets(task, n, "test", seed, atlas() if are_seen else no_drawings())
    return [
        Query(f"{each.name} {place}", each, 1000 * seed + 10 * place)
        for place, each in enumerate(sets, start=1)
    ]


def concept_of_query(query_id: str) -> str:
    """Return the concept that a set is about; sets of one concept are no independent observations.

    >>> concept_of_query("hot air balloon 31")
    'hot air balloon'
    """
    return re.sub(r" \d+$", "", query_id)


def compared(asked: pd.DataFrame, reference: str, base: str, seed: int) -> Compared:
    """Compare arms, or layouts, with intervals that resample concepts, not sets.

    Args:
        asked: A predictions table with every set in every arm.
        reference: The arm that the others are compared with.
        base: The arm that accuracy change is counted from.
        seed: Seed of the bootstrap.
    """
    accuracies = accuracy_table(asked, base, seed, concept_of_query)
    comparisons = compare_layouts(asked, reference, seed, concept_of_query)
    tables = {
        "accuracy": accuracies,
        "comparisons": pd.DataFrame([asdict(each) for each in comparisons]),
        "pairs": pairwise(asked, seed, concept_of_query),
        "flips": flip_matrix(asked, reference),
    }
    summary = {
        "n_queries": int(asked["query_id"].nunique()),
        "n_concepts": int(asked["query_id"].map(concept_of_query).nunique()),
        "reference": reference,
        "accuracy": dict(zip(accuracies["layout"], accuracies["metric"], strict=True)),
        "comparisons": [{**asdict(each), "sentence": comparison_sentence(each)} for each in comparisons],
    }
    return Compared(comparisons, tables, summary)


def redrawn(predictions: pd.DataFrame, asked: pd.DataFrame) -> Floor | None:
    """Compare sets with the same sets drawn once more, alone; None where none were.

    Args:
        predictions: All predictions of a run.
        asked: Those that are compared.
    """
    return floor_of(asked, split_controls(predictions)[1])


def sweep_price(n_queries: int, n_arms: int, n_panels: int, n_steps: int) -> Cost:
    """Price every set in every arm, and those that are drawn once more."""
    return price(n_queries * n_arms + min(n_queries, N_AGAIN), n_panels, n_steps)


def price(n_canvases: int, n_panels: int, n_steps: int) -> Cost:
    """Price canvases by their panels and steps, without loading a model."""
    n_passes = 2 * n_steps  # with and without the caption
    n_tokens = n_canvases * n_panels * TOKENS_A_PANEL * n_passes
    seconds = n_canvases * n_panels * SECONDS_A_PANEL * n_steps / 20
    return Cost(n_canvases, n_tokens, n_tokens, seconds, 400_000_000, unit="canvases")


def load(params: Any, progress: Progress) -> None:
    """Load the embedded model, the probe, and the drawings if the run looks at any."""
    from lab.images.emoji import atlas
    from lab.images.probe import load_probe
    from lab.images.shelf import embedded

    embedded()
    load_probe()
    if params.needs_drawings:
        atlas(progress)


def weights() -> dict[str, str]:
    """Name the weights of image sets with the first digits of their SHA-256."""
    from lab.images.concepts import ASSETS
    from lab.weights.manifest import sha256_of

    files = sorted(ASSETS.rglob("*.safetensors"))
    return {path.relative_to(ASSETS).as_posix(): sha256_of(path)[:12] for path in files}


def record(loras: list[str]) -> dict[str, Any]:
    """Record where a run is made: machine, versions, the model and the LoRAs by their hashes."""
    from lab.images.shelf import digest_of, embedded

    model = embedded()
    pipeline = "".join(digest for name, digest in weights().items() if name.startswith(model.id))
    known: dict[str, Any] = {
        "id": model.id,
        "revision": hashlib.sha256(pipeline.encode()).hexdigest()[:12],
        "device": str(model.device),
        "dtype": str(model.dtype).removeprefix("torch."),
    }
    if loras:
        known["loras"] = {name: digest_of(name)[:12] for name in loras}
    return {**environment(), "model": known}
