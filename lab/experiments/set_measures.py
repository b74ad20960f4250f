"""What can be read from the canvases of a finished run: panels, whole sets, copies of given panels.

Works on the pictures that a run of `sets` or `panels` has stored, without drawing any. Two rows bound the
arms: "true" are the true sets as the autoencoder shows them, which is the best that any arm can do and the
worst that the probe does; "shuffled" reads the reference arm's canvases against the captions of other sets.

Source: gated success after Liang et al. 2024, IDEA-Bench (arXiv:2412.11767); within-set less across-set
similarity after Wu et al. 2025, UNO (arXiv:2504.02160).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lab.experiments.image_run import concept_of_query, queries_of
from lab.experiments.panel_sweep import Arm, Query
from lab.experiments.panels import PanelsParams
from lab.experiments.sets import SetsParams
from lab.images import measures
from lab.images.panels import Panel
from lab.images.pictures import from_png
from lab.images.tasks import task_sets
from lab.runs.store import Store
from lab.stats.intervals import Estimate, estimate

if TYPE_CHECKING:
    import torch

    from lab.images.model import ImageModel

TRUE, SHUFFLED = "true", "shuffled"
N_TRAINING_SETS = 100  # a shipped LoRA has seen these: seed 0 of the split "train"


def measured_sets(run_id: str, params: SetsParams, store: Store) -> pd.DataFrame:
    """Measure every arm of a finished run of `sets`, and the two bounds.

    Args:
        run_id: The run.
        params: Its parameters.
        store: Where its canvases are.

    Returns:
        One row an arm and measure: layout, measure, value, low, high, n. Measures of panels that were drawn:
        concept, concept_among_5, concept_within_group, style; of sets: success, one_concept, one_style, and
        cohesion, the cosine within a set less that across sets; of given panels' copies none; of drawn panels
        beside given ones psnr in dB and edge_iou; copy_distance, how far in grey levels the nearest training
        canvas is. Intervals are of 95 % and resample concepts.

    Raises:
        ValueError: The run has no canvases.
    """
    from lab.images.emoji import atlas
    from lab.images.probe import load_probe
    from lab.images.shelf import embedded

    queries = queries_of(params.set_task, params.n_queries, params.seed, are_seen=True)
    canvases = _canvases(run_id, store)
    probe = load_probe()
    training = task_sets(params.set_task, N_TRAINING_SETS, "train", 0, atlas())
    seen = np.stack([each.canvas for each in training])
    rows: list[dict[str, Any]] = []
    for arm in params.parsed:
        drawn = np.stack([canvases[query.id, arm.id] for query in queries])
        rows += _measured(arm.id, queries, drawn, probe, seen, arm)
    true = _as_decoded(embedded(), queries)
    rows += _measured(TRUE, queries, true, probe, seen)
    reference = np.stack([canvases[query.id, params.reference] for query in queries])
    rows += _measured(SHUFFLED, queries, np.roll(reference, 1, axis=0), probe, None)
    return pd.DataFrame(rows)


def binding(run_id: str, params: PanelsParams, store: Store, moved: str) -> Estimate:
    """Estimate how often all panels follow their texts when these change places, the noise unchanged.

    Args:
        run_id: A finished run of `panels`.
        params: Its parameters; they hold the reference layout and `moved`.
        store: Where its canvases are.
        moved: A layout in which panels stand in other places.

    Returns:
        The share of sets whose readings move along, with a 95 % interval that resamples concepts.

    Raises:
        ValueError: A layout is not part of the run, or nothing moves between them.
    """
    from lab.images.probe import load_probe

    by_id = {layout.id: layout for layout in params.parsed}
    if missing := [each for each in (params.reference, moved) if each not in by_id]:
        raise ValueError(f"the run has no layout {missing[0]!r}; it has {', '.join(by_id)}")
    queries = queries_of(params.set_task, params.n_queries, params.seed, are_seen=False)
    canvases, probe = _canvases(run_id, store), load_probe()
    read = []
    for layout in (params.reference, moved):
        drawn = np.stack([canvases[query.id, layout] for query in queries])
        read.append(_labels(drawn, queries, probe))
    first, second = (list(by_id[layout].places) for layout in (params.reference, moved))
    order = [first.index(panel) for panel in second]
    follows = measures.binding_at_flip(read[0], read[1], order)
    return estimate(follows, [concept_of_query(query.id) for query in queries])


def _canvases(run_id: str, store: Store) -> dict[tuple[str, str], np.ndarray]:
    answers = store.answers(run_id)
    found = {
        (row.query_id, row.layout): from_png(row.answer)
        for row in answers.itertuples()
        if str(row.answer).startswith("data:image/png;base64,")
    }
    if not found:
        raise ValueError(f"run {run_id} has no canvases: it is no finished run of image sets")
    return found


def _measured(
    name: str,
    queries: Sequence[Query],
    drawn: np.ndarray,
    probe: "torch.nn.ModuleDict",
    seen: np.ndarray | None,
    arm: Arm | None = None,
) -> list[dict[str, Any]]:
    """Measure the canvases of one arm, a row a measure; panels that were given do not count."""
    from lab.images.probe import read_panels

    grid = queries[0].image_set.grid
    panels = grid.split(drawn)  # (sets, panels, side, side, 3)
    is_drawn = np.ones(grid.n_panels, bool) if arm is None or arm.given is None else ~np.array(arm.given)
    truth = [[panel for panel in query.image_set.panels if isinstance(panel, Panel)] for query in queries]
    reading = read_panels(panels.reshape(-1, *panels.shape[2:]), probe)
    concept = np.array([concept_of_query(query.id) for query in queries])
    ids = np.repeat(np.arange(len(queries)), grid.n_panels)
    table = measures.panel_table(
        reading,
        [panel.word for each in truth for panel in each],
        [panel.style for each in truth for panel in each],
        ids,
    )
    counted = table[np.tile(is_drawn, len(queries))]
    by_panel = np.repeat(concept, int(is_drawn.sum()))
    sets = measures.set_table(table)
    found = {
        "concept": (counted["is_identity"], by_panel),
        "concept_among_5": (counted["is_among_5"], by_panel),
        "concept_within_group": (counted["is_within_group"], by_panel),
        "style": (counted["is_style"], by_panel),
        "success": (sets["is_success"], concept),
        "one_concept": (sets["is_one_identity"], concept),
        "one_style": (sets["is_one_style"], concept),
    }
    if grid.n_panels > 1 and len(queries) > 1:
        found["cohesion"] = (measures.cohesion(reading.embedding, ids).difference, concept)
    if arm is not None and arm.given is not None:
        true = np.stack([query.image_set.pixels for query in queries])[:, is_drawn]
        true, mine = (each.reshape(-1, *each.shape[2:]) for each in (true, panels[:, is_drawn]))
        found["psnr"] = (measures.psnr(mine, true), by_panel)
        found["edge_iou"] = (measures.edge_iou(mine, true), by_panel)
    if seen is not None:
        found["copy_distance"] = (measures.nearest_distance(drawn, seen).distance, concept)
    return [
        {"layout": name, "measure": measure, **estimate(values, of)._asdict(), "n": len(values)}
        for measure, (values, of) in found.items()
    ]


def _as_decoded(model: "ImageModel", queries: Sequence[Query]) -> np.ndarray:
    """Pass the true canvases through the autoencoder, as every drawn one has been."""
    grid = queries[0].image_set.grid
    canvases = np.stack([query.image_set.canvas for query in queries])
    return model.to_pixels(model.to_latents(canvases), grid)


def _labels(drawn: np.ndarray, queries: Sequence[Query], probe: "torch.nn.ModuleDict") -> np.ndarray:
    """Read every panel as one label, shape (sets, panels)."""
    from lab.images.probe import read_panels

    panels = queries[0].image_set.grid.split(drawn)
    reading = read_panels(panels.reshape(-1, *panels.shape[2:]), probe)
    labels = [f"{word} · {style}" for word, style in zip(reading.words, reading.styles, strict=True)]
    return np.array(labels).reshape(panels.shape[:2])
