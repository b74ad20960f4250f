"""Take a learner apart: what it was at any step, what each head looks at, what is lost without it."""

from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from lab.figures import attention_map, head_map
from lab.ui.opened import Opened
from lab.ui.run_controls import QUIET
from lab.ui.widgets.markup import note, stat_tiles
from lab.ui.widgets.offered import OfferedCheckboxes, OfferedDropdown
from lab.ui.widgets.plot_click import PlotClick
from lab.ui.worlds.along import training
from lab.ui.worlds.rooms import Room, kept_of, room_of
from lab.ui.worlds.view import Sight, View
from lab.ui.worlds.watch import NOT_KEPT, plotted
from lab.worlds.scores import SCORES, head_scores
from lab.worlds.shelf import Kept
from lab.worlds.world import World

N_ASKED = 500
LONG = 40  # positions
NO_HEADS = (
    "This learner is recurrent: it has no heads to switch off, and looks at nothing. Train a transformer."
)
_DRAWN_BY = 77


class Cut(NamedTuple):
    """What is to be shown.

    Args:
        step: Of the training, a share of 0 to 1.
        silenced: Heads that are switched off, as texts "layer.head".
        is_kept: Whether later layers keep looking where they did before the cut.
        head: The head whose attention is shown.
        place: Which of the asked sequences it is shown on, from 1.
    """

    step: float
    silenced: list[str]
    is_kept: bool
    head: str
    place: int


class Seen(NamedTuple):
    """What a cut learner does."""

    step: int
    n: int
    accuracy: float
    whole: float
    pattern: np.ndarray
    scores: dict[str, np.ndarray]
    tokens: list[str]
    prediction: str
    gold: str


def suits(room: Room) -> bool:
    """Tell whether a world's learners have heads that can be switched off."""
    return room.has_heads


def build(opened: gr.State) -> View:
    """Place the part inside the current block."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            step = training("worlds-step")
            silenced = OfferedCheckboxes(
                [], label="Switch heads off", elem_id="worlds-silenced",
                info="layer.head, both from 0: what it gathers is replaced by nothing.",
            )  # fmt: skip
            is_kept = gr.Checkbox(
                False, label="Later heads keep looking where they did", elem_id="worlds-fixed",
                info="Shows what a head itself brings, not what others look at without it.",
            )  # fmt: skip
            head = OfferedDropdown(
                [], label="Show the attention of", elem_id="worlds-head",
                info="Rows look, columns are looked at.",
            )  # fmt: skip
            place = gr.Slider(
                1, 20, 1, step=1, label="Sequence", info="One of those that are asked.",
                elem_id="worlds-place",
            )  # fmt: skip
            score = gr.Radio(
                [(words, name) for name, words in SCORES.items()], value="induction",
                label="What every head does", elem_id="worlds-score",
                info="Colours the heads; a click on one switches it off, or on again.",
            )  # fmt: skip
            heads = gr.Plot(show_label=False, label="Heads", elem_id="worlds-heads")
            clicked = PlotClick("worlds-heads")
        with gr.Column(scale=5, min_width=320):
            tiles = gr.HTML(elem_id="worlds-cut", padding=False)
            plot = gr.Plot(show_label=False, label="Attention", elem_id="worlds-attention")

    def show(sight: Sight, *values: Any) -> list[Any]:
        """Offer the heads that there are; those of a new learner are all on."""
        cut = Cut(*values[:-1])
        kept = _kept(sight.run)
        names = heads_of(kept) if kept else []
        off = [] if sight.is_new else [name for name in cut.silenced if name in names]
        chosen = cut.head if cut.head in names else names[-1] if names else ""
        offered = [
            gr.CheckboxGroup(choices=names, value=off),
            gr.Dropdown(choices=names, value=chosen or None),
        ]
        return [*offered, *draw(sight.run, *cut._replace(silenced=off, head=chosen), values[-1])]

    def draw(run: Opened | None, *values: Any) -> list[Any]:
        kept = _kept(run)
        if kept is None:
            return [note("info", NOT_KEPT if run else "Train a learner first."), plotted(None), plotted(None)]
        if not heads_of(kept):
            return [note("info", NO_HEADS), plotted(None), plotted(None)]
        cut, chosen = Cut(*values[:-1]), values[-1]
        return _drawn(seen(kept, cut), cut, chosen)

    def toggle(run: Opened | None, off: list[str], event: gr.EventData) -> list[str]:
        kept, named = _kept(run), f"{event.y}.{event.x}"
        if kept is None or named not in heads_of(kept):
            return off
        return [each for each in off if each != named] if named in off else sorted([*off, named])

    controls = [step, silenced, is_kept, head, place, score]
    shown = [tiles, plot, heads]
    gr.on(
        [step.change, silenced.input, is_kept.input, head.input, place.change, score.input],
        draw, [opened, *controls], shown, **QUIET,
    )  # fmt: skip
    clicked.select(toggle, [opened, silenced], silenced, **QUIET).then(
        draw, [opened, *controls], shown, **QUIET
    )
    return View(controls, [silenced, head, *shown], show)


def heads_of(kept: Kept) -> list[str]:
    """Name every head, "layer.head"."""
    names = [name for name in kept.learner.body.hook_names if name.endswith("attn.hook_pattern")]
    n_heads = kept.learner.body.config.n_heads if names else 0
    return [f"{layer}.{head}" for layer in range(len(names)) for head in range(n_heads)]


def seen(kept: Kept, cut: Cut) -> Seen:
    """Ask a learner as it was at a step, whole and cut.

    What arrives from a browser is only looked up: heads that there are not are left out.
    """
    import torch

    from lab.worlds.core.surgery import kept as kept_patterns
    from lab.worlds.core.surgery import silenced, together

    world = kept.world
    step, learner = kept.at(cut.step)
    n = n_asked(world)
    batch = world.sample(n, torch.Generator().manual_seed(_DRAWN_BY), next(iter(world.questions)))
    known = heads_of(kept)
    heads = [tuple(map(int, name.split("."))) for name in cut.silenced if name in known]
    with torch.no_grad():
        before: dict[str, Any] = {}
        whole = world.reply(learner, batch, None, before)
        cache: dict[str, Any] = {}
        hooks = silenced(heads)  # type: ignore[arg-type]
        if cut.is_kept and heads:
            hooks = together(hooks, kept_patterns(before, after=min(layer for layer, _ in heads)))
        replies = world.reply(learner, batch, hooks, cache) if heads else whole
    layer, head = map(int, (cut.head if cut.head in known else known[-1]).split("."))
    row = min(max(int(cut.place), 1), n) - 1
    pattern = (cache or before)[f"blocks.{layer}.attn.hook_pattern"][row, head].numpy()
    return Seen(
        step,
        n,
        _share(replies),
        _share(whole),
        pattern,
        head_scores(world, batch, cache or before),
        world.positions(batch, row),
        replies.predictions[row],
        replies.gold[row],
    )


def n_asked(world: World) -> int:
    """Return how many sequences are asked: all activations are held at once, so that long ones are fewer."""
    import torch

    one = world.sample(1, torch.Generator().manual_seed(_DRAWN_BY), next(iter(world.questions)))
    return N_ASKED if len(world.positions(one, 0)) <= LONG else N_ASKED // 5


def _share(replies: Any) -> float:
    return float(
        np.mean([said == gold for said, gold in zip(replies.predictions, replies.gold, strict=True)])
    )


def _kept(run: Opened | None) -> Kept | None:
    return kept_of(run) if run is not None and room_of(run).has_heads else None


def _drawn(found: Seen, cut: Cut, score: str) -> list[Any]:
    off = f"without {', '.join(cut.silenced)}" if cut.silenced else "with all heads"
    tiles = [
        ("Step", f"{found.step:,}", "the nearest at which a snapshot was kept"),
        ("Answered right", f"{found.accuracy:.0%}", f"{off}, {found.n} sequences"),
        ("All heads on", f"{found.whole:.0%}", "the same sequences"),
        ("This sequence", found.prediction, f"right is {found.gold}"),
    ]
    key = int(found.pattern[-1].argmax())
    title = f"Head {cut.head}: the last position looks at {found.tokens[key]}, {found.pattern[-1, key]:.0%}"
    name = score if score in SCORES else "induction"
    heads = head_map(found.scores[name], f"{name.replace('_', ' ')} score", cut.silenced)
    pattern = attention_map(found.pattern, found.tokens, title)
    return [stat_tiles(tiles), plotted(pattern), plotted(heads)]
