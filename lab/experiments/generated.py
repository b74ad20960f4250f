"""Does a generated LoRA do what a trained one does?

A network reads a few examples of a task and makes a LoRA for it; nothing is tuned. The same held-out sets,
from the same noise, are drawn by the base, by the LoRA that was tuned on a hundred sets of the task, by the
generated one, and by what costs as little: the nearest other LoRA, the mean of all, one tuned for 20 steps on
the same examples, and one generated from the examples of another task. All have the same shared A and the
same rank. A set succeeds if the probe reads the right identity and style in every panel.

Source: Shao et al. 2025, In-Context Meta LoRA Generation (arXiv:2501.17635), which measures language models
and detection; gated success after Liang et al. 2024, IDEA-Bench (arXiv:2412.11767).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd

from lab.experiments.events import Cost, Event, Result
from lab.experiments.image_run import compared, concept_of_query, queries_of, record, redrawn, sweep_price
from lab.experiments.making import run_sweep
from lab.experiments.panel_sweep import Arm, PanelSweep
from lab.experiments.views import paired
from lab.images import icm, shelf
from lab.images.icm import HELD_OUT, Cvae, Trained
from lab.images.layout import PanelLayout
from lab.images.sampler import Settings
from lab.images.sets import ImageSet
from lab.images.task_vector import N_EXAMPLES, task_vector
from lab.images.tasks import TASKS, SetTask, find_task, task_sets
from lab.runs.recipe import Recipe
from lab.runs.store import Store
from lab.stats.flips import wide
from lab.stats.gain import gain_ratio
from lab.stats.verdict import sweep_sentence

if TYPE_CHECKING:
    import torch

    from lab.images.model import ImageModel

BASE, TRAINED, GENERATED = "base", "trained", "generated"
NEAREST, MEAN, FEW_STEPS, WRONG = "nearest", "mean", "steps-20", "wrong-vector"
ARMS = (BASE, TRAINED, GENERATED, NEAREST, MEAN, FEW_STEPS, WRONG)
N_FEW_STEPS = 20
_FEW_STEPS_RATE = 8e-3  # few steps need a high rate, or the arm would lose by its settings
_FIRST_EXAMPLES = 1000  # seeds of examples begin here: the collection was made with lower ones


@dataclass(frozen=True)
class GeneratedParams:
    """Parameters of the study.

    Args:
        task: A task of image sets; the generator never saw a LoRA of sandstorm and rendered.
        arms: What draws: base, trained, generated, nearest, mean, steps-20, wrong-vector; base and
            trained are needed, since the gain is counted between them.
        n_queries: How many sets are drawn; beyond 24 held-out concepts they come with new seeds.
        n_examples: Sets that the task vector is read from, 1 to 20, of concepts that are not drawn.
        n_steps: Denoising steps.
        guidance: Guidance.
        seed: Determines sets, noise, examples and the generator's latents.
    """

    task: str = "coloured"
    arms: tuple[str, ...] = ARMS
    n_queries: int = 72
    n_examples: int = N_EXAMPLES
    n_steps: int = 20
    guidance: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        if unknown := [arm for arm in self.arms if arm not in ARMS]:
            raise ValueError(f"an arm is one of {', '.join(ARMS)}, got {unknown[0]!r}")
        if len(set(self.arms)) < len(self.arms) or not {BASE, TRAINED} < set(self.arms):
            raise ValueError(f"arms must be different: {BASE}, {TRAINED} and one more, got {self.arms}")
        if not 1 <= self.n_queries <= 1000:
            raise ValueError(f"n_queries must be 1 to 1000, got {self.n_queries}")
        if not 1 <= self.n_examples <= 20:
            raise ValueError(f"n_examples must be 1 to 20, got {self.n_examples}")
        find_task(self.task)
        Settings(self.n_steps, self.guidance)

    @property
    def set_task(self) -> SetTask:
        """Return the task."""
        return find_task(self.task)

    @property
    def needs_drawings(self) -> bool:
        """Tell that the examples show drawings."""
        return True

    def lora_of(self, arm: str) -> str:
        """Name the LoRA that is lent for an arm; the same parameters name the same one."""
        return f"{arm}/{self.task}/{self.n_examples}/{self.seed}"

    @property
    def parsed(self) -> list[Arm]:
        """Return the arms."""
        whole = PanelLayout(tuple(range(self.set_task.grid.n_panels)))
        return [Arm(arm, whole, {} if arm == BASE else {self.lora_of(arm): 1.0}) for arm in self.arms]


def wrong_task(task: SetTask) -> SetTask:
    """Return the task whose examples are the wrong ones: a seen one, of the same grid if there is any.

    >>> wrong_task(find_task("coloured")).id, wrong_task(find_task("sparklers")).id
    ('couple', 'style-sheet')
    """
    others = [other for other in TASKS if other.id not in HELD_OUT and other != task]
    return next((other for other in others if other.grid == task.grid), others[0])


def vector_of(
    arm: str, params: GeneratedParams, model: "ImageModel", cvae: Cvae, trained: Mapping[str, Trained]
) -> "torch.Tensor":
    """Make the LoRA of an arm, shape (n_numbers,).

    Args:
        arm: Any but the base.
        params: The task, the number of examples, the seed.
        model: The base.
        cvae: The generator.
        trained: The tuned LoRA of every task.
    """
    import torch

    seen = {task: each for task, each in trained.items() if task not in HELD_OUT}
    if arm == TRAINED:
        return trained[params.task].vector
    if arm == MEAN:
        return torch.stack([each.vector for each in seen.values()]).mean(0)
    if arm == WRONG:
        wrong = task_vector(model, _examples(wrong_task(params.set_task), params))
        return icm.generate(cvae, wrong, params.seed)
    examples = _examples(params.set_task, params)
    if arm == FEW_STEPS:
        return _tuned_shortly(model, examples, params)
    here = task_vector(model, examples)
    if arm == NEAREST:
        others = {task: each for task, each in seen.items() if task != params.task}
        return others[icm.nearest(cvae, here, others)].vector
    return icm.generate(cvae, here, params.seed)


def prepare(params: GeneratedParams) -> PanelSweep:
    """Load model, generator and probe, and make every LoRA and set; nothing is drawn yet."""
    from lab.images.lora_vector import fingerprint
    from lab.images.probe import load_probe

    model = shelf.embedded()
    cvae, trained = icm.load(icm.FOLDER, fingerprint(model))
    for arm in params.arms:
        if arm != BASE:
            shelf.lend(params.lora_of(arm), vector_of(arm, params, model, cvae, trained))
    queries = queries_of(params.set_task, params.n_queries, params.seed, are_seen=False)
    asked = range(params.set_task.grid.n_panels)
    return PanelSweep(load_probe(), queries, params.parsed, asked, Settings(params.n_steps, params.guidance))


def cost(params: GeneratedParams) -> Cost:
    """Price a run."""
    n_panels = params.set_task.grid.n_panels
    return sweep_price(params.n_queries, len(params.arms), n_panels, params.n_steps)


def run(params: GeneratedParams, store: Store) -> Iterator[Event]:
    """Make the run, or go on with it; a finished run is read without loading a model."""
    loras = [params.lora_of(arm) for arm in params.arms if arm != BASE]
    recipe = Recipe("generated", asdict(params))
    yield from run_sweep(
        recipe,
        store,
        cost(params),
        lambda: prepare(params),
        lambda: record(loras),
        lambda: read(params, store),
    )


def read(params: GeneratedParams, store: Store) -> Result:
    """Turn the stored predictions of a run, finished or not, into its result."""
    run_id = Recipe("generated", asdict(params)).id
    return summarise(store.predictions(run_id), params, run_id)


def summarise(predictions: pd.DataFrame, params: GeneratedParams, run_id: str) -> Result:
    """Compare the arms of a predictions table."""
    from lab.experiments.drawing import panels_figures

    asked = paired(predictions, params.arms)
    if asked.empty:
        return Result(run_id, predictions, {}, {}, "No set is drawn in every arm yet.", {})
    found = compared(asked, TRAINED, BASE, params.seed)
    gains = gain_table(asked, params.seed)
    floor = redrawn(predictions, asked)
    verdict = f"{_gain_sentence(gains, params)} {sweep_sentence(found.comparisons, floor)}"
    summary = {
        "experiment": "generated",
        "task": params.task,
        "is_held_out": params.task in HELD_OUT,
        "n_predictions": len(predictions),
        **found.summary,
        "gain_ratio": _gains_as_json(gains),
        "floor": asdict(floor) if floor else None,
        "verdict": verdict,
    }
    figures = panels_figures(found.tables["accuracy"], found.comparisons, floor)
    return Result(run_id, predictions, found.tables | {"gains": gains}, figures, verdict, summary)


def gain_table(asked: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Say how much of the trained LoRA's gain every other arm reaches.

    Args:
        asked: A predictions table with every set in every arm.
        seed: Seed of the bootstrap.

    Returns:
        One row an arm but base and trained: layout, gain (over the base, -1..1), ratio, low, high (95 %); the
        last three are NaN where the trained LoRA's own gain is not clear.
    """
    metric = wide(asked, "correct").astype(float)
    concepts = metric.index.map(concept_of_query)
    rows = []
    for arm in [name for name in metric if name not in (BASE, TRAINED)]:
        found = gain_ratio(metric[BASE], metric[TRAINED], metric[arm], seed=seed, cluster=concepts)
        gain = float((metric[arm] - metric[BASE]).mean())
        rows.append((arm, gain, *(found or (float("nan"),) * 3)))
    return pd.DataFrame(rows, columns=["layout", "gain", "ratio", "low", "high"])


def _examples(task: SetTask, params: GeneratedParams) -> list[ImageSet]:
    from lab.images.emoji import atlas

    return task_sets(task, params.n_examples, "train", _FIRST_EXAMPLES + params.seed, atlas())


def _tuned_shortly(model: "ImageModel", examples: list[ImageSet], params: GeneratedParams) -> "torch.Tensor":
    """Tune a LoRA with the shared A for `N_FEW_STEPS` steps on the examples."""
    from lab.images.adapters import forget
    from lab.images.lora_vector import RANK, tune_shared
    from lab.images.tune import TuneSettings

    name = shelf.adapter_name("tuned-shortly")
    forget(model, name)
    settings = TuneSettings(RANK, N_FEW_STEPS, _FEW_STEPS_RATE, seed=params.seed)
    *_, last = tune_shared(model, examples, settings, name, n_snapshots=1)
    forget(model, name)
    model.transformer.requires_grad_(False)
    assert last.vector is not None  # the last step always carries one
    return last.vector


def _gain_sentence(gains: pd.DataFrame, params: GeneratedParams) -> str:
    arm = GENERATED if GENERATED in params.arms else gains["layout"].iloc[0]
    row = gains.set_index("layout").loc[arm]
    unseen = ", a task whose LoRAs the generator never saw," if params.task in HELD_OUT else ""
    if pd.isna(row["ratio"]):
        return f"On {params.task}{unseen} the trained LoRA's own gain is not clear, so that no share is told."
    return (
        f"On {params.task}{unseen} {arm} reaches {100 * row['ratio']:.0f} % of the trained LoRA's gain "
        f"(95 % {100 * row['low']:.0f} to {100 * row['high']:.0f})."
    )


def _gains_as_json(gains: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    told = gains.astype(object).where(gains.notna(), None)  # JSON knows no NaN
    return {row.pop("layout"): row for row in told.to_dict("records")}
