"""Train the probe on renders of every concept in every style, half of them passed through the autoencoder.

The probe judges and does not generate, so nothing is held out of it but the very draws of size, place, turn
and ground that its accuracy is measured on.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lab.images.concepts import STYLES, concepts
from lab.images.emoji import Atlas
from lab.images.measures import panel_table, set_table
from lab.images.panels import BACKGROUNDS, SIZES, Panel, draw
from lab.images.probe import (
    PROBE,
    Reading,
    as_values,
    identity_logits,
    new_probe,
    outputs_of,
    read_panels,
)
from lab.images.tasks import TASKS, task_sets
from lab.images.train import COMMAND
from lab.images.train.views import (
    EMPTY,
    Views,
    decoded,
    held_out_random,
    held_out_views,
    nothing,
    random_views,
    weathered,
)
from lab.training.loop import Schedule, Step, train
from lab.training.record import sha256_of_array, write_record

if TYPE_CHECKING:
    import torch

SCHEDULE = Schedule(n_steps=3_600, rate=1e-3, n_warmup=100, flat=0.5, decay=0.05, ema=0.995)
BATCH = 64
N_PREPARED = 6  # views of each drawing that are made once before the first step, and decoded
_P_WORN, _P_STORM = 0.2, 0.25  # of the views; what stands in a storm is drawn slowly, and prepared only
_EMPTY = 0.5  # weight of the loss of emptiness, beside 1 for identity and 1 for the drawing


def train_probe(
    drawings: Atlas, vae, checkpoint: Path, seed: int = 0, schedule: Schedule = SCHEDULE, device: str = "cpu"
) -> "tuple[torch.nn.ModuleDict, Iterator[Step]]":
    """Return a probe and the steps that train it; read the steps to the end before using it.

    Args:
        drawings: Every concept in every style.
        vae: An AutoencoderKL, through which half of each batch has passed; None trains on renders alone.
        checkpoint: Where the state is kept.
        seed: Seeds weights and batches.
        schedule: Steps and rates.
        device: "cpu", "cuda" or "mps", for the probe; the autoencoder stays where it is.
    """
    import torch

    torch.manual_seed(seed)
    probe = new_probe().to(device)
    return probe, _steps(probe, drawings, vae, checkpoint, seed, schedule)


def _steps(probe, drawings, vae, checkpoint: Path, seed: int, schedule: Schedule) -> Iterator[Step]:
    import torch

    bank = prepared_views(drawings, vae, np.random.default_rng((seed, 1)))

    def loss_of(step: int, generator: torch.Generator) -> torch.Tensor:
        random = np.random.default_rng(generator.initial_seed())
        fresh = random_views(drawings, random, BATCH // 2, _P_WORN)
        chosen = random.integers(len(bank.style), size=BATCH // 2)
        both = Views(*(np.concatenate([new, known[chosen]]) for new, known in zip(fresh, bank, strict=True)))
        return probe_loss(probe, both._replace(pixels=weathered(both.pixels, random)))

    yield from train({"probe": probe}, loss_of, schedule, seed, checkpoint)


def prepared_views(drawings: Atlas, vae, random: np.random.Generator) -> Views:
    """Draw views with effects among them; half of what is decoded has noise on its latents."""
    n = N_PREPARED * len(drawings.pixels) * len(STYLES)
    views = random_views(drawings, random, n, _P_WORN, _P_STORM)
    if vae is None:
        return views
    noise = np.where(random.random(n) < 0.5, random.uniform(0.1, 0.3, n), 0.0)
    return views._replace(pixels=decoded(vae, views.pixels, noise, int(random.integers(2**31))))


def probe_loss(probe: "torch.nn.ModuleDict", views: Views) -> "torch.Tensor":
    """Return the loss of identity, drawing and emptiness; an empty panel has neither identity nor drawing."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, nll_loss

    device = next(probe.parameters()).device
    found = outputs_of(probe, as_values(views.pixels).to(device))
    identity, style = (torch.from_numpy(each).to(device) for each in (views.identity, views.style))
    is_empty = identity == EMPTY
    drawing = torch.where(is_empty, EMPTY, identity * len(STYLES) + style)
    logp_identity = identity_logits(found).log_softmax(dim=1)
    named = nll_loss(logp_identity, identity, ignore_index=EMPTY, reduction="sum")
    drawn = nll_loss(found.logp_drawing.flatten(1), drawing, ignore_index=EMPTY, reduction="sum")
    emptied = binary_cross_entropy_with_logits(found.logit_empty, is_empty.float())
    return (named + drawn) / max(1, int((~is_empty).sum())) + _EMPTY * emptied


def probe_accuracy(probe: "torch.nn.ModuleDict", drawings: Atlas, vae=None, seed: int = 0) -> dict:
    """Measure the probe on views that it was not trained on, one of each concept, style and size.

    Returns:
        "renders": size -> accuracies, each with "by_style". "panels": the same for panels as the model should
        draw them, in the middle and on a named ground; training may have drawn a part of these too. With an
        autoencoder also "decoded", the panels after it, and "decoded_noisy", with noise of 0.2 in latents.
        "floor": the large renders with their labels shuffled. "empty": the share of empty panels that is
        found, and the share of the large renders that is taken for one.
    """
    random = held_out_random(seed)
    found: dict = {
        name: {} for name in ("renders", "panels", *(() if vae is None else ("decoded", "decoded_noisy")))
    }
    for size in SIZES:
        views = held_out_views(drawings, size, seed)
        panels = _panels(len(drawings.pixels), size, random)
        plain = views._replace(pixels=np.stack([draw(panel, drawings) for panel in panels]))
        shown = {"renders": views, "panels": plain}
        if vae is not None:
            for name, noise in (("decoded", 0.0), ("decoded_noisy", 0.2)):
                latent_noise = np.full(len(panels), noise)
                shown[name] = plain._replace(pixels=decoded(vae, plain.pixels, latent_noise, seed))
        for name, these in shown.items():
            found[name][size] = _accuracies(read_panels(these.pixels, probe), these)
    large = held_out_views(drawings, "large", seed)
    reading, order = read_panels(large.pixels, probe), random.permutation(len(large.style))
    shuffled = Views(large.pixels, large.identity[order], large.style[order])
    grounds = weathered(np.stack([nothing(random) for _ in range(200)]), random)
    shares = {
        "found": (read_panels(grounds, probe).p_empty >= 0.5).mean(),
        "false_alarm": (reading.p_empty >= 0.5).mean(),
    }
    return found | {
        "floor": _accuracies(reading, shuffled),
        "empty": {name: round(float(share), 4) for name, share in shares.items()},
    }


def task_accuracy(
    probe: "torch.nn.ModuleDict", drawings: Atlas, vae=None, n: int = 24, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Measure the probe on true sets of every task, also decoded ones: the most that a model can reach there.

    Args:
        probe: What reads.
        drawings: The atlas, of all concepts.
        vae: Passes the panels through it; None reads them as drawn.
        n: Sets a task, of held-out concepts.
        seed: Fixes the sets.

    Returns:
        Task -> identity_at_1 and style over panels, and set_success.
    """
    found = {}
    for task in TASKS:
        sets = task_sets(task, n, "test", seed, drawings)
        pixels = np.concatenate([each.pixels for each in sets])
        panels = [panel for each in sets for panel in each.panels if panel is not None]
        if vae is not None:
            pixels = decoded(vae, pixels, np.zeros(len(pixels)))
        ids = np.repeat(np.arange(n), task.grid.n_panels)
        words, styles = [panel.word for panel in panels], [panel.style for panel in panels]
        table = panel_table(read_panels(pixels, probe), words, styles, ids)
        found[task.id] = {
            "identity_at_1": round(float(table["is_identity"].mean()), 4),
            "style": round(float(table["is_style"].mean()), 4),
            "set_success": round(float(set_table(table)["is_success"].mean()), 4),
        }
    return found


def save_probe(
    probe: "torch.nn.ModuleDict",
    drawings: Atlas,
    vae,
    curve_path: Path,
    seed: int = 0,
    schedule: Schedule = SCHEDULE,
    folder: Path = PROBE,
) -> None:
    """Measure a trained probe and write model.safetensors, in half precision, and training.json.

    Args:
        probe: Trained.
        drawings: What it was trained on.
        vae: What half of that passed through, or None.
        curve_path: Where `record.curve` wrote its losses.
        seed: Of the training.
        schedule: Steps and rates.
        folder: Where both files go.
    """
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.to(torch.float16).contiguous() for name, tensor in probe.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    probe.load_state_dict({name: tensor.float() for name, tensor in weights.items()})  # as it will be read
    tasks = {"tasks": task_accuracy(probe, drawings, seed=seed)}
    if vae is not None:
        tasks["tasks_decoded"] = task_accuracy(probe, drawings, vae, seed=seed)
    write_record(
        folder / "training.json", f"{COMMAND} probe", schedule, seed, sha256_of_array(drawings.pixels),
        curve_path, n_parameters=sum(tensor.numel() for tensor in probe.parameters()), batch=BATCH,
        is_decoded=vae is not None, accuracy=probe_accuracy(probe, drawings, vae, seed) | tasks,
    )  # fmt: skip


def _accuracies(reading: Reading, views: Views) -> dict:
    words = [concepts()[place].word for place in views.identity]
    table = panel_table(reading, words, [STYLES[place] for place in views.style])
    columns = {
        "is_identity": "identity_at_1",
        "is_among_5": "identity_at_5",
        "is_within_group": "within_group_at_1",
        "is_style": "style",
        "is_right": "both",
    }
    named = table.rename(columns={"style": "true_style"}).rename(columns=columns)
    by_style = named.groupby("true_style", sort=False)[["identity_at_1", "style"]].mean()
    return {
        "n": len(named),
        **{name: round(float(named[name].mean()), 4) for name in columns.values()},
        "by_style": by_style.round(4).to_dict("index"),
    }


def _panels(n_concepts: int, size: str, random: np.random.Generator) -> list[Panel]:
    grounds = list(BACKGROUNDS)
    return [
        Panel(concept.word, style, grounds[random.integers(len(grounds))], size)
        for concept in concepts()[:n_concepts]
        for style in STYLES
    ]
