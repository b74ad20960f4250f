"""Which worlds the tab has, in the order in which they stand there."""

from typing import NamedTuple

from lab.experiments.worlds import grown
from lab.ui.opened import Opened
from lab.worlds import (
    abrupt,
    automata,
    factors,
    forgetting,
    induction,
    linear,
    metaopt,
    prism,
    properties,
    shelf,
    shipped,
    softmax,
    urns,
    window,
)
from lab.worlds.settings import Settings
from lab.worlds.shelf import Kept
from lab.worlds.world import Plain, Preset, World


class Room(NamedTuple):
    """A world as the tab shows it.

    Args:
        id: The id of its experiment.
        title: What it is called.
        question: What it asks, and what one sees; a sentence or two.
        world: Its class.
        settings: The class of its settings.
        presets: Settings that bring out one behaviour each, the first the default.
        has_heads: Whether its learners are transformers, whose heads can be switched off.
        has_matrices: Whether they are single layers of attention whose matrices say it all.
    """

    id: str
    title: str
    question: str
    world: type[World]
    settings: type[Settings]
    presets: tuple[Preset, ...]
    has_heads: bool = True
    has_matrices: bool = False

    @property
    def has_toy(self) -> bool:
        """Tell whether the world's paper has a model of a few numbers."""
        return self.world.toy is not Plain.toy


ROOMS = (
    Room(
        "induction",
        "Induction heads",
        "**What needs to go right for an induction head?** Two items with labels, then one of the items: "
        "which label? Three subcircuits have to come together. Give one of them away, and see what it costs.",
        induction.Induction,
        induction.InductionSettings,
        induction.PRESETS,
    ),
    Room(
        "abrupt",
        "Context or weights",
        "**When is the answer looked up in the context, and when known by heart?** The data decide: many "
        "classes in bursty contexts bring the one, all at once; few classes bring the other.",
        abrupt.Abrupt,
        abrupt.AbruptSettings,
        abrupt.PRESETS,
    ),
    Room(
        "properties",
        "Data properties",
        "**Which properties of the data bring in-context learning?** Bursts, many rare classes, items of a "
        "class that differ, labels with several senses: turn each up and down, or take a recurrent learner.",
        properties.Properties,
        properties.PropertiesSettings,
        properties.PRESETS,
    ),
    Room(
        "linear",
        "Linear regression",
        "**What does attention compute when it learns to regress?** With two heads, one step of gradient "
        "descent on the points less their mean; with one head it can't take the mean off.",
        linear.Linear,
        linear.LinearSettings,
        linear.PRESETS,
        has_heads=False,
        has_matrices=True,
    ),
    Room(
        "softmax",
        "Softmax regression",
        "**Does attention answer a softmax regression as a step of gradient descent would?** A hidden vector "
        "gives every row its share. One layer learns to name the shares of new rows, in the direction of one "
        "step; how near it comes depends on whether a head looks away from the query.",
        softmax.Softmax,
        softmax.SoftmaxSettings,
        softmax.PRESETS,
        has_heads=False,
        has_matrices=True,
    ),
    Room(
        "metaopt",
        "Context and tuning",
        "**Do demonstrations act on a learner as gradient descent on them would?** The same query is asked "
        "alone, in context, and after tuning on the pairs of that context. What both change in attention is "
        "alike, more than chance; an untrained learner shows how little that may mean.",
        metaopt.MetaOpt,
        metaopt.MetaOptSettings,
        metaopt.PRESETS,
    ),
    Room(
        "prism",
        "Bayesian prism",
        "**Does a transformer answer as Bayes does?** Functions are drawn from a known prior, so that the "
        "best answer can be computed. Give points of your own, and see both go on from there.",
        prism.Prism,
        prism.PrismSettings,
        prism.PRESETS,
    ),
    Room(
        "window",
        "Sequential functions",
        "**Can a function of the last few inputs be learned from a context?** Each y depends on its own x "
        "and on those before it. Who takes the pairs as a set can't foretell them: shuffle them, and see.",
        window.Window,
        window.WindowSettings,
        window.PRESETS,
    ),
    Room(
        "urns",
        "Balls and urns",
        "**Known by heart, or counted?** Balls are drawn from one of a few urns, or of many: what is next? "
        "A learner can know the urns (M) or count (G). Which it does depends on how many there are, and on "
        "how long it has trained.",
        urns.Urns,
        urns.UrnsSettings,
        urns.PRESETS,
    ),
    Room(
        "automata",
        "Random languages",
        "**Can a model learn a language from a few strings?** Every context holds strings of a language that "
        "it never met. Attention becomes n-gram heads, which look at what followed before; a recurrent "
        "network can be given them.",
        automata.Automata,
        automata.AutomataSettings,
        automata.PRESETS,
    ),
    Room(
        "forgetting",
        "Forgetting embeddings",
        "**Known by heart, or read?** Which of two words is the adjective: it may be known, or told by where "
        "the words stand. Forget the embeddings every few steps, and the learner has to read.",
        forgetting.PartsOfSpeech,
        forgetting.PartsOfSpeechSettings,
        forgetting.PRESETS,
    ),
    Room(
        "factors",
        "Factors of pictures",
        "**Is it easier to learn from a context when one knows already what to look at?** Shape, hue or size "
        "decides the labels of a sequence; which of them, only the context tells. Sequences with known "
        "labels teach what the factors are, and looking up follows. Without them it waits.",
        factors.Factors,
        factors.FactorsSettings,
        factors.PRESETS,
    ),
)


def room_of(opened: Opened) -> Room:
    """Return where a run is at home."""
    return next(each for each in ROOMS if each.id == opened.experiment)


def world_of(opened: Opened) -> World:
    """Return the world of a run."""
    room = room_of(opened)
    return grown.world_of(room.world, room.settings, opened.params)


def kept_of(opened: Opened | None) -> Kept | None:
    """Return the learner of a run, from this process or from what is shipped; None where it is gone."""
    if opened is None:
        return None
    return shelf.find(opened.run_id) or shipped.find(opened.run_id, world_of(opened))
