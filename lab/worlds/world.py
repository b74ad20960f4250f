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


class World(Protocol):
    """Sequences drawn from a world, and how a learner reads and is measured on them.

    Worlds are frozen dataclasses of settings and a seed, which determines what is fixed in the world, such as
    its classes; what is drawn from it is determined by a generator.
    """

    id: ClassVar[str]
    """The id of its paper in `lab.papers`."""
    questions: ClassVar[tuple[str, ...]]
    """The splits that can be asked about, the usual one first."""
    layouts: ClassVar[tuple[str, ...]]
    """How a context can be arranged while its query stays, "drawn" first."""

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
