"""Does it matter where a panel stands? Draw the same sets with their panels arranged anew, and read one of them.

A set's caption relates its panels ("the same thing, flat style"). Nothing about what is asked for changes when the
reference panel stands right instead of left, when the caption tells the panels in another order, or when positions
are counted within panels; a model that binds texts to places would draw the same. The asked panel is read by the
probe: its identity and style are the prediction, and a layout under which it differs has flipped it.

Source: Huang et al. 2024 (arXiv:2410.23775) for the canvas and the joint caption; Cobbina & Zhou 2025
(arXiv:2507.22887) for accuracy change and prediction change.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd

from lab.experiments.events import Cost, Event, Result
from lab.experiments.panel_sweep import PanelSweep, Query
from lab.experiments.prompt_sweep import answering, is_finished
from lab.experiments.views import floor_of, paired, split_controls
from lab.images.layout import PanelLayout, default_layouts, parse_layout
from lab.images.sampler import MODES, Settings
from lab.images.tasks import SetTask, find_task, task_sets
from lab.runs.environment import environment
from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.stats.comparisons import accuracy_table, cochran_q, compare_layouts, pairwise
from lab.stats.flips import flip_matrix
from lab.stats.verdict import comparison_sentence, sweep_sentence

if TYPE_CHECKING:
    from lab.images.model import ImageModel

N_FLOOR = 4  # canvases drawn once more, alone
SECONDS_A_PANEL = 0.5  # of 20 guided steps on two quiet cores, for the price before a run
TASK_LORA = "the task's"


@dataclass(frozen=True)
class PanelsParams:
    """Parameters of the panel lab.

    Args:
        task: A task of image sets.
        lora: A LoRA by name; "the task's" takes the shipped one, "" draws with the base alone.
        strength: How much the LoRA counts, 0 to 2.
        n_queries: How many sets are drawn; beyond 24 held-out concepts they come with new seeds.
        layouts: Which arrangements, by id; () takes one of each kind.
        reference: The layout that prediction change is counted against; "" takes the first.
        asked: Which panel is read, counted from 1; 0 takes the last.
        given: How the other panels are given: none draws them all, blend, context or fill.
        n_steps: Denoising steps.
        guidance: Guidance.
        seed: Determines the sets and the noise.
    """

    task: str = "coloured"
    lora: str = TASK_LORA
    strength: float = 1.0
    n_queries: int = 24
    layouts: tuple[str, ...] = ()
    reference: str = ""
    asked: int = 0
    given: str = "none"
    n_steps: int = 20
    guidance: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        n = self.set_task.grid.n_panels
        if not self.layouts:
            object.__setattr__(self, "layouts", default_layouts(self.set_task.grid))
        object.__setattr__(self, "layouts", tuple(layout.id for layout in self.parsed))
        if len(set(self.layouts)) < len(self.layouts):
            raise ValueError("layouts must be distinct")
        object.__setattr__(self, "reference", self.reference or self.layouts[0])
        object.__setattr__(self, "asked", self.asked or n)
        if self.reference not in self.layouts:
            raise ValueError(f"reference must be one of {', '.join(self.layouts)}, got {self.reference!r}")
        if not 1 <= self.asked <= n:
            raise ValueError(f"asked must be 1 to {n}, got {self.asked}")
        if not 1 <= self.n_queries <= 1000:
            raise ValueError(f"n_queries must be 1 to 1000, got {self.n_queries}")
        if not 0 <= self.strength <= 2:
            raise ValueError(f"strength must be 0 to 2, got {self.strength}")
        if self.given not in ("none", *MODES):
            raise ValueError(f"given must be none, {', '.join(MODES)}, got {self.given!r}")
        Settings(self.n_steps, self.guidance)

    @property
    def set_task(self) -> SetTask:
        """Return the task."""
        return find_task(self.task)

    @property
    def parsed(self) -> list[PanelLayout]:
        """Return the layouts."""
        return [parse_layout(text, self.set_task.grid.n_panels) for text in self.layouts]

    @property
    def settings(self) -> Settings:
        """Return how to denoise."""
        return Settings(self.n_steps, self.guidance)


def prepare(params: PanelsParams) -> PanelSweep:
    """Load model, LoRA and drawings, and lay out every set; nothing is drawn yet."""
    from lab.images.emoji import atlas
    from lab.images.probe import load_probe

    sets = task_sets(params.set_task, params.n_queries, "test", params.seed, atlas())
    queries = [
        Query(f"{each.name} {place + 1}", each, 1000 * params.seed + 10 * place) for place, each in enumerate(sets)
    ]
    n = params.set_task.grid.n_panels
    given = None if params.given == "none" else tuple(panel != params.asked - 1 for panel in range(n))
    mode = "blend" if params.given == "none" else params.given
    return PanelSweep(
        _model(params), load_probe(), queries, params.parsed, params.asked - 1, given, mode, params.settings, N_FLOOR
    )  # type: ignore[arg-type]


def cost(params: PanelsParams) -> Cost:
    """Price a run by its panels and steps, without loading the model."""
    n_canvases = params.n_queries * len(params.layouts) + min(N_FLOOR, params.n_queries)
    n_panels = params.set_task.grid.n_panels
    seconds = n_canvases * n_panels * SECONDS_A_PANEL * params.n_steps / 20
    n_tokens = n_canvases * n_panels * 80 * params.n_steps * 2
    return Cost(n_canvases, n_tokens, n_tokens, seconds, 300_000_000)


def run(params: PanelsParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it; a finished run is read without loading a model."""
    recipe = Recipe("panels", asdict(params))
    if not is_finished(store, recipe.id):
        yield cost(params)
        sweep = prepare(params)
        store.begin(recipe, record(sweep.model, params))
        yield from answering([sweep], store, recipe.id)
        result = read(params, store)
        store.finish(recipe.id, result.summary)
    yield read(params, store)


def read(params: PanelsParams, store: Store) -> Result:
    """Turn the stored predictions of a run, finished or not, into its result."""
    run_id = Recipe("panels", asdict(params)).id
    return summarise(store.predictions(run_id), params, run_id)


def summarise(predictions: pd.DataFrame, params: PanelsParams, run_id: str) -> Result:
    """Compare the layouts of a predictions table."""
    from lab.experiments.drawing import panels_figures

    asked, again, _ = split_controls(predictions)
    asked = paired(asked, params.layouts)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No set is drawn under every layout yet.", {})
    several = len(params.layouts) > 1
    comparisons = compare_layouts(asked, params.reference, params.seed) if several else []
    floor = floor_of(asked, again)
    accuracies = accuracy_table(asked, params.reference, params.seed)
    tables = {
        "accuracy": accuracies,
        "comparisons": pd.DataFrame([asdict(each) for each in comparisons]),
        "pairs": pairwise(asked, params.seed) if several else pd.DataFrame(),
        "flips": flip_matrix(asked, params.reference),
    }
    verdict = sweep_sentence(comparisons, floor)
    summary = {
        "experiment": "panels",
        "task": params.task,
        "lora": params.lora,
        "n_queries": int(asked["query_id"].nunique()),
        "n_predictions": len(predictions),
        "reference": params.reference,
        "accuracy": dict(zip(accuracies["layout"], accuracies["metric"], strict=True)),
        "comparisons": [{**asdict(each), "sentence": comparison_sentence(each)} for each in comparisons],
        "cochran_q": cochran_q(asked)._asdict() if several else None,
        "floor": asdict(floor) if floor else None,
        "verdict": verdict,
    }
    figures = panels_figures(accuracies, comparisons, floor)
    return Result(run_id, predictions, tables, figures, verdict, summary)


def record(model: "ImageModel", params: PanelsParams) -> dict:
    """Record where a run is made: machine, versions, the model and the LoRA by their hashes."""
    from lab.images.model import EMBEDDED
    from lab.images.shelf import path_of
    from lab.weights.manifest import sha256_of

    weights = EMBEDDED / "transformer" / "diffusion_pytorch_model.safetensors"
    known = {"id": model.id, "revision": sha256_of(weights)[:12], "device": str(model.device), "dtype": str(model.dtype)}
    if name := lora_of(params):
        known["lora"] = f"{name} {sha256_of(path_of(name))[:12]}"
    return {**environment(), "model": known}


def lora_of(params: PanelsParams) -> str:
    """Return the name of the LoRA that a run draws with, "" for none."""
    return params.task if params.lora == TASK_LORA else params.lora


def _model(params: PanelsParams) -> "ImageModel":
    from lab.images.shelf import load_weighed

    return load_weighed({lora_of(params): params.strength} if lora_of(params) else {})
