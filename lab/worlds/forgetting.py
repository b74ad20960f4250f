"""Can a learner know words by heart and still read what the context says of them?

Each sentence says of a noun that it has a quality, in one of two forms: `is adjective noun` or
`noun is adjective`. Then one of both words is asked for, and three blanks follow: the adjective first, then
twice the word asked for. Which word is the adjective can be known by heart, or read from where it stands.
Plain training ends with words known by heart. When their embeddings are forgotten every few steps there is
nothing to know, and the learner has to read; when that stops in time it may do both.

| here | paper | what |
|---|---|---|
| `forgetting`, `every`, `until` | active, temporary; k, N | when embeddings are drawn anew |
| `zipf` | α | the word of rank r is met in proportion to r^-α |
| `ambiguous` | | share of words that are met as nouns and as adjectives |
| switched | switch | nouns stand where adjectives do, and the other way round |
| unseen | holdout | words whose embeddings are random |
| by the context, by heart | structural, in-weights | what the two strategies answer |

Source: Anand et al. 2024 (arXiv:2406.00053) and its code, github.com/surajK610/dual_process. Differences: 80
words for 100 to 20,000, two layers for six, steps of 64 for 128 and 1,400 for 62,500, a rate of 0.001 for
0.00005, and embeddings that learn several times as fast as the rest; they are drawn anew, while what the
optimiser remembers of them stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from lab.training.loop import Schedule
from lab.worlds.items import drawn, zipf
from lab.worlds.probes import left_out_accuracy, principal_plane
from lab.worlds.sentences import EXAMPLE, N_UNSEEN, Sentences, Vocabulary
from lab.worlds.settings import Settings, choice, number
from lab.worlds.world import Curve, Own, Plain, Preset, Profile, Replies, Scatter

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_MEASURED = 512
N_ANSWERS = 3
SPLITS = {
    "head": "frequent words",
    "head_switch": "frequent words, switched",
    "tail": "rare words",
    "tail_switch": "rare words, switched",
    "unseen": "unseen words",
}
_WIDTH = 64
_LENGTH = 4 + N_ANSWERS
_PLACE = 0.5  # standard deviation of places at first, of words as they are used 1
_ENLARGED = 10.0  # what embeddings are multiplied with when used: they learn as much faster than the rest
_PENALTY = float(_WIDTH)  # of the probe: as long as an embedding is at first


@dataclass(frozen=True)
class PartsOfSpeechSettings(Settings):
    """What can be changed in this world."""

    forgetting: str = choice(
        "temporary", ("none", "temporary", "active"), "Forgetting", "Whether embeddings are drawn anew."
    )
    every: int = number(10, 1, 400, "Every", "Steps from one forgetting to the next.", is_log=True)
    until: int = number(800, 100, 8000, "Until", "The step after which temporary forgetting ends.")
    n_words: int = number(80, 40, 400, "Words", "Half of them nouns, half adjectives.", is_log=True)
    zipf: float = number(0.0, 0.0, 2.0, "Zipf exponent", "0: all words alike; 1: a few are met very often.")
    ambiguous: float = number(0.0, 0.0, 0.5, "Ambiguous words", "Share of words met as either.")
    rate: float = number(1e-3, 1e-4, 3e-3, "Learning rate", "Of AdamW.", is_log=True)
    n_steps: int = number(1400, 100, 8000, "Steps", "Training steps of 64 sentences.")


PRESETS = (
    Preset("Temporary forgetting", {}, "It reads, and goes on reading: switched and unseen words are right."),
    Preset(
        "No forgetting",
        {"forgetting": "none", "n_steps": 400},
        "Words are known by heart: switched ones are wrong, and the probe finds what they are.",
    ),
    Preset(
        "Active forgetting",
        {"forgetting": "active", "every": 40, "n_steps": 1600},
        "There is little to know: the probe stays near chance, and unseen words are answered.",
    ),
    Preset(
        "Some words are met often",
        {"forgetting": "none", "zipf": 1.0, "n_words": 400, "n_steps": 1000},
        "Frequent words are known by heart while rare ones are read: compare the two switched lines.",
    ),
)


@dataclass(frozen=True)
class PartsOfSpeech(Plain):
    """The world of `is adjective noun` and `noun is adjective`."""

    settings: PartsOfSpeechSettings = PartsOfSpeechSettings()
    seed: int = 0
    id: ClassVar[str] = "weight-forgetting"
    questions: ClassVar[Mapping[str, str]] = SPLITS | {"train": "such as it learns from"}
    layouts: ClassVar[Mapping[str, str]] = {
        "drawn": "as drawn",
        "other-form": "in the other of both forms",
        "swapped": "adjective and noun change places",
        "reversed": "backwards",
    }
    plots: ClassVar[Mapping[str, str]] = {
        "profile": "beside both strategies",
        "embeddings": "embeddings in a plane",
    }
    own: ClassVar[Own | None] = Own(
        "A sentence and a word of it",
        "“is adjective noun” or “noun is adjective”, then one of both words; nouns are n1, n2 …, adjectives "
        "a1, a2 …, unseen words x1, x2 …",
        EXAMPLE,
    )
    n_batch = 64
    curves = (
        *(
            Curve(name, label, "accuracy", "All three answers right.")
            for name, label in SPLITS.items()
        ),
        Curve("probe", "part of speech by a linear probe", "in the embeddings",
              "Right on words left out one at a time; chance is .5."),
    )  # fmt: skip

    @property
    def schedule(self) -> Schedule:
        """Return AdamW at a constant rate."""
        return Schedule(self.settings.n_steps, self.settings.rate, n_warmup=1, flat=1.0, clip=100)

    def build(self) -> "Learner":
        """Return two layers of two heads that see the whole sentence; embeddings are used again to answer."""
        from torch import nn

        from lab.worlds.core.learner import Learner, new_body
        from lab.worlds.core.transformer import TransformerConfig

        body = new_body(
            TransformerConfig(_WIDTH, 2, 2, 128, positions="none", is_causal=False, max_length=_LENGTH)
        )
        parts = {"word": nn.Embedding(self.words.n_met, _WIDTH), "place": nn.Embedding(_LENGTH, _WIDTH)}
        nn.init.normal_(parts["place"].weight, std=_PLACE)
        nn.init.normal_(parts["word"].weight, std=1 / _ENLARGED)
        return Learner(parts, body, nn.Linear(_WIDTH, _WIDTH))

    def renew(self, learner: "Learner", step: int, generator: "torch.Generator") -> None:
        """Draw all embeddings anew where it is time to forget."""
        import torch

        s = self.settings
        is_over = s.forgetting == "none" or (s.forgetting == "temporary" and step > s.until)
        if step and step % s.every == 0 and not is_over:
            with torch.no_grad():
                _weight(learner).normal_(std=1 / _ENLARGED, generator=generator)

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Sentences:
        """Draw sentences.

        Args:
            n: How many.
            generator: Determines them.
            split: "train"; "head" and "tail" of the words by how often they are met, but for ambiguous ones,
                the same with "_switch"; "unseen".
        """
        import torch

        if split not in self.questions:
            raise ValueError(f"split must be one of {', '.join(self.questions)}, got {split!r}")
        kind, _, switched = split.partition("_")
        if kind == "unseen":
            nouns = torch.randint(N_UNSEEN, (n,), generator=generator)
            adjectives = (nouns + torch.randint(1, N_UNSEEN, (n,), generator=generator)) % N_UNSEEN
            nouns, adjectives = (self.words.n_met + each for each in (nouns, adjectives))
        elif kind == "train":
            nouns, adjectives = (self._met(n, first, generator) for first in (0, self.words.n_nouns))
        else:
            known = self._extreme(kind)
            nouns, adjectives = (
                known[torch.randint(len(known), (n,), generator=generator)] + first
                for first in (0, self.words.n_nouns)
            )
        if switched:
            nouns, adjectives = adjectives, nouns
        is_first, is_noun = (torch.rand(2, n, generator=generator) < 0.5).unbind()
        return self.words.say(adjectives, nouns, is_first, torch.where(is_noun, nouns, adjectives))

    def answer(
        self, learner: "Learner", batch: Sentences, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> "torch.Tensor":
        """Return a score of every word there is for the three blanks, shape (n, 3, n_all)."""
        import torch

        table = torch.cat([_ENLARGED * _weight(learner), self._unseen])
        blanks = torch.full((len(batch.words), N_ANSWERS), self.words.blank)
        places = learner.parts["place"](torch.arange(_LENGTH))
        embedded = table[torch.cat([batch.words, blanks], 1)] + places
        states = learner.answer(embedded, hooks, cache, at=slice(-N_ANSWERS, None))
        return states @ table.T / _WIDTH**0.5

    def loss(self, learner: "Learner", batch: Sentences, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the cross-entropy of the three answers among the words that are met."""
        from torch.nn.functional import cross_entropy

        scores = self.answer(learner, batch, hooks)[..., : self.words.n_met]
        return cross_entropy(scores.flatten(0, 1), batch.target.flatten())

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure how often all three answers are the best of all words, and what the embeddings tell."""
        found = {}
        for split, batch in self._measured.items():
            right = self.answer(learner, batch).argmax(2) == batch.target
            found[split] = right.all(1).float().mean().item()
        return found | {"probe": self._told_apart(learner)}

    def _told_apart(self, learner: "Learner") -> float:
        """Return how often a probe tells nouns from adjectives by their embeddings."""
        words = _ENLARGED * _weight(learner)
        nouns, adjectives = words[self._clear], words[self.words.n_nouns + self._clear]
        return left_out_accuracy(nouns, adjectives, _PENALTY)

    def profile(self, learner: "Learner") -> Profile:
        """Draw accuracies beside those of the two strategies."""
        found = self.measure(learner)
        lines = {
            "learner": [found[split] for split in SPLITS],
            "by the context": [1.0] * len(SPLITS),
            "by heart": [1.0, 0.0, 1.0, 0.0, 0.5],
        }
        title = (
            f"Of switched frequent words {found['head_switch']:.0%} are read from the context, "
            f"of rare ones {found['tail_switch']:.0%}, of unseen words {found['unseen']:.0%}"
        )
        return Profile(title, "words", "all three answers right", list(SPLITS.values()), lines)

    def embeddings(self, learner: "Learner") -> Scatter:
        """Draw the embeddings of the words, less their mean, in the plane that keeps most of them."""
        n, names = self.words.n_nouns, self.words.names
        vectors = _weight(learner)[: 2 * n]
        places, share = principal_plane(vectors - vectors.mean(0))
        is_either = self._is_ambiguous.repeat(2).tolist()
        kinds = ["met as either" if either else "noun" if word < n else "adjective"
                 for word, either in enumerate(is_either)]  # fmt: skip
        groups = sorted(set(kinds), reverse=True)
        members = {kind: [word for word, each in enumerate(kinds) if each == kind] for kind in groups}
        title = (
            f"A plane keeps {share:.0%} of how the embeddings differ; from all {vectors.shape[1]} numbers a "
            f"probe tells nouns from adjectives in {self._told_apart(learner):.0%}"
        )
        return Scatter(
            title, "first principal component", "second",
            {kind: [(*places[word].tolist(),) for word in words] for kind, words in members.items()},
            {kind: [names[word] for word in words] for kind, words in members.items()},
        )  # fmt: skip

    def told(self, learner: "Learner", text: str) -> Profile:
        """Draw which word learner, context and memory take for the adjective of a sentence.

        Raises:
            ValueError: It is in neither form, or a word is not known.
        """
        import torch

        adjective, noun, is_first, asked = self.words.read(text)
        batch = self.words.say(*(torch.tensor([each]) for each in (adjective, noun, is_first, asked)))
        p = self.answer(learner, batch)[0, 0].softmax(0)
        by_heart = self.words.likeness(adjective) - self.words.likeness(noun)
        share = 0.5 if by_heart == 0 else float(by_heart > 0)
        lines = {
            "learner": [p[adjective].item(), p[noun].item()],
            "by the context": [1.0, 0.0],
            "by heart": [share, 1 - share],
        }
        names = self.words.names
        title = (
            f"It takes {names[int(p.argmax())]} for the adjective; by the context it is {names[adjective]}"
        )
        return Profile(title, "word", "probability", [names[adjective], names[noun]], lines)

    def arranged(self, batch: Sentences, layout: str) -> Sentences:
        """Say the same in the other form, let both words change places, or turn the sentence round.

        What is right follows the places: where words are swapped, the adjective is the one that was the noun.
        Backwards, `noun is adjective` is the same form with the words swapped, and `is adjective noun` is no
        form at all; its adjective is taken to stay.
        """
        is_first = batch.words[:, 0] == self.words.copula
        adjectives, asked = batch.target[:, 0], batch.words[:, 3]
        nouns = batch.words[:, 2].where(is_first, batch.words[:, 0])
        if layout == "drawn":
            return batch
        if layout == "other-form":
            return self.words.say(adjectives, nouns, ~is_first, asked)
        if layout == "swapped":
            return self.words.say(nouns, adjectives, is_first, asked)
        if layout == "reversed":
            swapped = self.words.say(nouns, adjectives, is_first, asked)
            return Sentences(
                batch.words[:, [2, 1, 0, 3]], batch.target.where(is_first[:, None], swapped.target)
            )
        raise ValueError(f"layout must be one of {', '.join(self.layouts)}, got {layout!r}")

    def reply(
        self, learner: "Learner", batch: Sentences, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Name the adjective, the first answer; the words of the sentence are told of."""
        first = self.answer(learner, batch, hooks, cache)[:, 0].log_softmax(1)
        names = self.words.names
        return Replies(
            [names[word] for word in first.argmax(1).tolist()],
            [names[word] for word in batch.target[:, 0].tolist()],
            [
                {names[word]: row[word] for word in shown}
                for row, shown in zip(first.tolist(), batch.words[:, :3].tolist(), strict=True)
            ],
        )

    def written(self, batch: Sentences) -> list[str]:
        """Write sentences such as "is a3 n7, n7: ?"."""
        return [
            f"{' '.join(self.words.names[word] for word in shown)}, {self.words.names[asked]}: ?"
            for *shown, asked in batch.words.tolist()
        ]

    def positions(self, batch: Sentences, row: int) -> list[str]:
        """Name the words and the blanks."""
        return [self.words.names[word] for word in batch.words[row].tolist()] + ["?"] * N_ANSWERS

    @cached_property
    def words(self) -> Vocabulary:
        """The words there are."""
        return Vocabulary(self.settings.n_words // 2)

    @cached_property
    def _clear(self) -> "torch.Tensor":
        """Hold the ranks whose words are always met as what they are, the most frequent first."""
        return (~self._is_ambiguous).nonzero()[:, 0]

    @cached_property
    def _is_ambiguous(self) -> "torch.Tensor":
        """Tell of each rank whether both its words are met as nouns and as adjectives, bool, (n_nouns,)."""
        import torch

        upto = (torch.arange(self.words.n_nouns + 1) * self.settings.ambiguous).floor()
        return upto.diff() > 0

    def _extreme(self, kind: str) -> "torch.Tensor":
        """Return the tenth of the ranks that is most frequent, "head", or least; ten at least."""
        n = max(10, self.words.n_nouns // 10)
        return self._clear[:n] if kind == "head" else self._clear[-n:]

    def _met(self, n: int, first: int, generator: "torch.Generator") -> "torch.Tensor":
        """Draw nouns, whose first is 0, or adjectives as met; half of the ambiguous ones are the other."""
        import torch

        ranks = drawn(zipf(self.words.n_nouns, self.settings.zipf), (n,), generator)
        is_other = self._is_ambiguous[ranks] & (torch.rand(n, generator=generator) < 0.5)
        return ranks + torch.where(is_other, self.words.n_nouns - first, first)

    @cached_property
    def _unseen(self) -> "torch.Tensor":
        """Hold the embeddings of words that are never met, such as all embeddings are at first."""
        import torch

        return torch.randn(N_UNSEEN, _WIDTH, generator=torch.Generator().manual_seed(self.seed))

    @cached_property
    def _measured(self) -> dict[str, Sentences]:
        """Hold sentences of every split."""
        import torch

        return {split: self.sample(N_MEASURED, torch.Generator().manual_seed(1), split) for split in SPLITS}


def _weight(learner: "Learner") -> "torch.Tensor":
    """Return what is learned of the words that are met, shape (n_met, d_model)."""
    return learner.get_parameter("parts.word.weight")
