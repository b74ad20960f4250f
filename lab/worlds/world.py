"""What a world offers, so that one trainer, one tab and one experiment serve all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from lab.training.loop import Schedule
from lab.worlds.settings import Settings

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner


@dataclass(frozen=True)
class Curve:
    """A line of a world's plots.

    Args:
        name: Of the measure; `heads.0.3` style suffixes make one line a head.
        label: Its name in the legend.
        group: The plot it belongs to, such as "accuracy".
        what: What it measures, a sentence.
    """

    name: str
    label: str
    group: str
    what: str


class Replies(NamedTuple):
    """What a learner answered.

    Args:
        predictions: Its answers, as words.
        gold: The right ones.
        logp: Of every word that it could have said, in nats; an empty dict where it names a number.
    """

    predictions: list[str]
    gold: list[str]
    logp: list[dict[str, float]]


@dataclass(frozen=True)
class Preset:
    """Settings that bring out one behaviour.

    Args:
        name: A few words.
        settings: What differs from the world's defaults.
        look_for: What to watch, a sentence.
    """

    name: str
    settings: Mapping[str, Any]
    look_for: str


class Profile(NamedTuple):
    """Lines over something that grows or varies within a sequence, of the learner and of exact answers.

    Args:
        title: The finding, a sentence.
        x_title: What varies, such as "examples seen".
        y_title: What is measured.
        x: Where; words instead of numbers draw bars.
        lines: A value each x by the name of the line, the learner's first. NaN leaves a gap.
        points: What the sequence itself shows, (x, y) pairs drawn as dots; none in most profiles.
    """

    title: str
    x_title: str
    y_title: str
    x: Sequence[float] | Sequence[str]
    lines: Mapping[str, Sequence[float]]
    points: Sequence[tuple[float, float]] = ()


class Scatter(NamedTuple):
    """Dots and arrows in a plane.

    Args:
        title: The finding, a sentence.
        x_title: What the plane's first axis is.
        y_title: What its second is.
        dots: Places (x, y) by the name of their group.
        names: What each dot of a group is, by the group's name; groups may be left out.
        arrows: Where arrows from (0, 0) end, by the name of their group.
        lines: What the dots are compared with: places that are joined, by name.
    """

    title: str
    x_title: str
    y_title: str
    dots: Mapping[str, Sequence[tuple[float, float]]]
    names: Mapping[str, Sequence[str]] = {}
    arrows: Mapping[str, Sequence[tuple[float, float]]] = {}
    lines: Mapping[str, Sequence[tuple[float, float]]] = {}


class Own(NamedTuple):
    """How a person writes a sequence of their own.

    Args:
        label: Of the field.
        info: How it is written, a sentence.
        example: One that can be read.
        click: What a click on the drawing adds, with {x} and {y} for where it was; "" where it adds nothing.
    """

    label: str
    info: str
    example: str
    click: str = ""


class Plain:
    """What most worlds have in common; a world takes it as a parent and says only what is its own."""

    plots: ClassVar[Mapping[str, str]] = {}
    own: ClassVar[Own | None] = None

    def clamps(self, batch: Any) -> "Hooks":
        """Clamp nothing."""
        return {}

    def renew(self, learner: "Learner", step: int, generator: "torch.Generator") -> None:
        """Leave the learner as it is."""

    def met(self, step: int) -> str:
        """Learn from the same split throughout."""
        return "train"

    def plot(self, learner: "Learner", name: str) -> Profile | Scatter:
        """Draw one of `plots`, by the method of that name."""
        if name not in self.plots:
            raise ValueError(f"plot must be one of {', '.join(self.plots) or 'none'}, got {name!r}")
        found: Profile | Scatter = getattr(self, name)(learner)
        return found

    def toy(self) -> Profile | None:
        """Have no smaller model."""
        return None

    def told(self, learner: "Learner", text: str) -> Profile:
        """Refuse sequences of a person's own."""
        raise ValueError("this world takes no sequences of your own")


class World(Protocol):
    """Sequences drawn from a world, and how a learner reads and is measured on them.

    Worlds are frozen dataclasses of settings and a seed, which determines what is fixed in the world, such as
    its classes; what is drawn from it is determined by a generator.
    """

    id: ClassVar[str]
    """The id of its paper in `lab.papers`."""
    questions: ClassVar[Mapping[str, str]]
    """The splits that can be asked about, the usual one first, and how a form names them."""
    layouts: ClassVar[Mapping[str, str]]
    """How a context can be arranged while its query stays, "drawn" first, and how a form names it."""
    plots: ClassVar[Mapping[str, str]]
    """What can be drawn of a learner at any step, the usual first, and how a form names it."""
    own: ClassVar[Own | None]
    """How a person writes a sequence of their own; None where they can't."""

    @property
    def settings(self) -> Settings:
        """Return what can be changed."""
        ...

    @property
    def seed(self) -> int:
        """Return what determines the world itself."""
        ...

    @property
    def schedule(self) -> Schedule:
        """Return how long and how fast a learner learns here."""
        ...

    @property
    def n_batch(self) -> int:
        """Return how many sequences a step sees."""
        ...

    @property
    def curves(self) -> Sequence[Curve]:
        """Describe what `measure` returns."""
        ...

    def build(self) -> "Learner":
        """Return an untrained learner, its weights from torch's own random state, which the caller seeds."""
        ...

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Any:
        """Draw sequences."""
        ...

    def loss(self, learner: "Learner", batch: Any, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the loss of sequences, a scalar."""
        ...

    def clamps(self, batch: Any) -> "Hooks":
        """Return the hooks that act during training; none in most worlds."""
        ...

    def renew(self, learner: "Learner", step: int, generator: "torch.Generator") -> None:
        """Change a learner before a step, counted from 0, in place; most worlds don't."""
        ...

    def met(self, step: int) -> str:
        """Return the split that is learned from at a step, counted from 0; "train" in most worlds."""
        ...

    def plot(self, learner: "Learner", name: str) -> Profile | Scatter:
        """Draw one of `plots` of a learner.

        Raises:
            ValueError: There is no such plot, or none in these settings; says why.
        """
        ...

    def toy(self) -> Profile | None:
        """Draw how a model of a few numbers learns the same; None where the paper has none."""
        ...

    def told(self, learner: "Learner", text: str) -> Profile:
        """Draw what a learner, and what exact answers, say of a sequence of a person's own.

        Raises:
            ValueError: It can't be read; says how it is written.
        """
        ...

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure a learner on sequences of a fixed seed: a value a curve."""
        ...

    def arranged(self, batch: Any, layout: str) -> Any:
        """Arrange the contexts anew; the queries stay."""
        ...

    def reply(
        self,
        learner: "Learner",
        batch: Any,
        hooks: "Hooks | None" = None,
        cache: "Cache | None" = None,
    ) -> Replies:
        """Let a learner answer, in words; its clamps are in force, and hooks act after them."""
        ...

    def written(self, batch: Any) -> list[str]:
        """Write sequences as a person reads them."""
        ...

    def positions(self, batch: Any, row: int) -> list[str]:
        """Name what stands at each position that attention sees, of one sequence."""
        ...
