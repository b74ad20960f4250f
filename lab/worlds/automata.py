"""Can a model learn a language that it meets for the first time, from the strings in its context?

Every context holds strings of a language of its own, drawn by a random automaton: "abab|abba|ab". To say what
may come next, one has to find out what followed the last symbols earlier on. Attention can look there, and
becomes n-gram heads; a recurrent network would have to keep all counts in its state.

| here | paper | what |
|---|---|---|
| `n_states`, `n_symbols`, `n_edges` | | most states, alphabet, most edges that leave a state |
| distance | TVD | total variation between next symbols, given that the string goes on: 0 to 1 |
| n-gram head | NGH^(n-1) | looks at what followed the last n - 1 tokens when they stood there before |
| n-gram | | counts in the context, see `ngrams` |

All is measured in the second half of contexts, where there is something to count.

Source: Akyürek et al. 2024 (arXiv:2401.12973). Differences: automata of 3 to 6 states over 8 symbols in place
of 4 to 12 over 18, not minimised, new ones at every step in place of 5,000; 96 tokens a context, strings of 1
to 15 symbols in place of 1 to 49; two layers of width 64.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from lab.training.loop import Schedule
from lab.worlds.exact.ngrams import ORDERS, distance, ngram_scores, ngrams, of_symbols
from lab.worlds.exact.pfa import FEWEST_STATES, draw_automata, draw_strings
from lab.worlds.settings import Settings, choice, number
from lab.worlds.strings import LAYOUTS, Strings, arranged, begun, read, words_of, written
from lab.worlds.world import Curve, Own, Plain, Preset, Profile, Replies

if TYPE_CHECKING:
    import torch

    from lab.worlds.core.hooks import Cache, Hooks
    from lab.worlds.core.learner import Learner

N_MEASURED = 128
N_LARGER = 3  # states by which an automaton exceeds all that were trained on
TRANSFORMER, GRU = "transformer", "GRU"
WITH_NGRAMS = " + n-gram heads"
LEARNERS = (TRANSFORMER, GRU, TRANSFORMER + WITH_NGRAMS, GRU + WITH_NGRAMS)
_WIDTH, _N_LAYERS, _N_HEADS = 64, 2, 2
_D_MLP, _D_MLP_WITH_NGRAMS = 192, 144  # three maps of 64 x 64 for 48 units in both layers: equal size
_BIN = 8  # positions that a profile takes together


@dataclass(frozen=True)
class AutomataSettings(Settings):
    """What can be changed in this world."""

    learner: str = choice(
        TRANSFORMER,
        LEARNERS,
        "Learner",
        "Two layers each, of equal size; n-gram heads are wired in, not learned.",
    )
    n_states: int = number(6, 3, 12, "States", "The most that an automaton has; the fewest are 3.")
    n_symbols: int = number(8, 4, 12, "Symbols", "The alphabet; each automaton uses 4 of it or more.")
    n_edges: int = number(3, 1, 4, "Edges", "The most ways on from a state.")
    n_tokens: int = choice(96, (48, 96, 128), "Tokens", "Length of a context.")
    rate: float = number(4e-3, 1e-4, 1e-2, "Learning rate", "Of AdamW.", is_log=True)
    n_steps: int = number(700, 100, 3000, "Steps", "Training steps of 32 contexts.")


PRESETS = (
    Preset(
        "Transformer",
        {},
        "It is like a 1-gram first, then like a 2-gram, as its heads begin to look at what followed before.",
    ),
    Preset("Recurrent", {"learner": GRU}, "At equal size and steps it hardly gets beyond counting symbols."),
    Preset(
        "Recurrent, with n-gram heads",
        {"learner": GRU + WITH_NGRAMS},
        "Told where to look, the recurrent network gets nearer to the truth than the transformer.",
    ),
    Preset(
        "Transformer, with n-gram heads",
        {"learner": TRANSFORMER + WITH_NGRAMS},
        "It need not find the heads first: the way down begins at once.",
    ),
    Preset(
        "Larger automata",
        {"n_states": 12},
        "The last symbol tells less of the state: all are further from the truth.",
    ),
)


@dataclass(frozen=True)
class Automata(Plain):
    """The world of strings that random automata write."""

    settings: AutomataSettings = AutomataSettings()
    seed: int = 0
    id: ClassVar[str] = "language-learning"
    questions: ClassVar[Mapping[str, str]] = {
        "forced": "new languages, where one symbol alone may come next",
        "larger": "the same, of automata with more states than it met",
        "train": "such as it learns from: what came is often one of several",
    }
    layouts: ClassVar[Mapping[str, str]] = LAYOUTS
    plots: ClassVar[Mapping[str, str]] = {
        "profile": "as the context grows",
        "like": "which n-gram it is like",
    }
    own: ClassVar[Own | None] = Own(
        "Strings of a language of your own",
        'Letters from a on, strings parted by "|"; the last one is to be continued. '
        "A click on a bar goes on with it.",
        "abcbabcb|abcb|abcbabc|abcba|abcbab|ab",
        "{x}",
    )
    n_batch = 32

    @property
    def schedule(self) -> Schedule:
        """Return AdamW with a warm-up, a plateau and a fall."""
        return Schedule(self.settings.n_steps, self.settings.rate, n_warmup=50)

    @property
    def heads(self) -> tuple[str, ...]:
        """Name the curves of all heads that choose where they look; a recurrent learner has none."""
        if not self.settings.learner.startswith(TRANSFORMER):
            return ()
        return tuple(f"attention.{layer}.{head}" for layer in range(_N_LAYERS) for head in range(_N_HEADS))

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Describe what is measured."""
        attention = {name: f"head {name.removeprefix('attention.')}" for name in self.heads}
        if attention:
            attention["attention.third"] = "best head, last two tokens"
            attention["attention.even"] = "even attention"
        plots: tuple[tuple[str, str, Mapping[str, str]], ...] = (
            ("distance to the truth", "Of what comes next; 1: nothing in common.", _lines("truth", ORDERS)),
            (
                "distance to n-grams",
                "Between learner and n-gram: which one it is like.",
                _grams("like", ORDERS),
            ),
            ("attention", "On what followed the last token when it stood there before.", attention),
            (
                "accuracy",
                "The likeliest symbol is one that the automaton may write.",
                _lines("legal", (2, 3)),
            ),
            ("nats a token", "Cross-entropy, separators included.", _lines("loss", (2, 3))),
        )
        return tuple(
            Curve(name, label, group, what) for group, what, lines in plots for name, label in lines.items()
        )

    def build(self) -> "Learner":
        """Return two layers, recurrent or not, behind n-gram heads or not, all of nearly equal size."""
        from torch import nn

        from lab.worlds.core.learner import Learner, new_body
        from lab.worlds.core.ngram import NGramBody
        from lab.worlds.core.transformer import TransformerConfig

        chosen, n_words = self.settings.learner, self.settings.n_symbols + 1
        has_ngrams = chosen.endswith(WITH_NGRAMS)
        d_mlp = _D_MLP_WITH_NGRAMS if has_ngrams else _D_MLP
        config = TransformerConfig(_WIDTH, _N_LAYERS, _N_HEADS, d_mlp, max_length=self.settings.n_tokens)
        body = new_body(config, is_recurrent=chosen.startswith(GRU))
        return Learner(
            {"token": nn.Embedding(n_words, _WIDTH)},
            NGramBody(body, _WIDTH) if has_ngrams else body,
            nn.Linear(_WIDTH, n_words),
        )

    def sample(self, n: int, generator: "torch.Generator", split: str = "train") -> Strings:
        """Draw contexts, each of a new automaton.

        Args:
            n: How many.
            generator: Determines them.
            split: "train"; "forced", where the last symbol was the only one that could come; "larger", the
                same with 1 to 3 states more than were trained on.
        """
        import torch

        if split not in self.questions:
            raise ValueError(f"split must be one of {', '.join(self.questions)}, got {split!r}")
        if split == "train":
            return self._drawn(n, generator)
        rounds, found = [], 0
        while found < n:
            batch = self._drawn(n, generator, is_larger=split == "larger")
            is_forced = (batch.truth[:, -1].amax(1) == 1) & batch.is_symbol[:, -1]
            rounds.append(Strings(*(each[is_forced] for each in batch)))
            found += int(is_forced.sum())
        return Strings(*(torch.cat(each)[:n] for each in zip(*rounds, strict=True)))

    def scores(
        self,
        learner: "Learner",
        inputs: "torch.Tensor",
        hooks: "Hooks | None" = None,
        cache: "Cache | None" = None,
    ) -> "torch.Tensor":
        """Return a score for each token that may come next, shape (n, length, n_symbols + 1)."""
        told = {"tokens": inputs} if self.settings.learner.endswith(WITH_NGRAMS) else {}
        return learner.readout(learner.body(learner.parts["token"](inputs), hooks, cache, **told))

    def loss(self, learner: "Learner", batch: Strings, hooks: "Hooks | None" = None) -> "torch.Tensor":
        """Return the cross-entropy of every token."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(self.scores(learner, batch.inputs, hooks).flatten(0, 1), batch.tokens.flatten())

    def measure(self, learner: "Learner") -> dict[str, float]:
        """Measure distances, legality, losses and where heads look, in the second half of contexts."""
        batch, half = self._measured, self.settings.n_tokens // 2
        cache: Cache = {}
        scores = self.scores(learner, batch.inputs, None, cache)
        said = of_symbols(scores.softmax(2))
        is_late = batch.is_symbol.clone()
        is_late[:, :half] = False
        found = {"truth.learner": distance(said, batch.truth)[is_late].mean().item()}
        for order, answer in self._references.items():
            found[f"truth.{order}"] = distance(of_symbols(answer), batch.truth)[is_late].mean().item()
            found[f"like.{order}"] = distance(said, of_symbols(answer))[is_late].mean().item()
        logp = {"learner": scores.log_softmax(2)}
        logp |= {str(order): self._references[order].log() for order in (2, 3)}
        for name, each in logp.items():
            likeliest = each[..., :-1].argmax(2, keepdim=True)
            found[f"legal.{name}"] = (batch.truth.gather(2, likeliest) > 0)[is_late].float().mean().item()
            found[f"loss.{name}"] = -each.gather(2, batch.tokens[..., None])[:, half:].mean().item()
        return found | self._attention(cache, batch.inputs)

    def _attention(self, cache: "Cache", inputs: "torch.Tensor") -> dict[str, float]:
        """Return the n-gram score of every head, of the best one for two tokens, and of even attention."""
        import torch

        from lab.worlds.core.ngram import uniform

        if not self.heads:
            return {}
        layers = torch.cat([cache[f"blocks.{layer}.attn.hook_pattern"] for layer in range(_N_LAYERS)], 1)
        found = dict(zip(self.heads, ngram_scores(layers, inputs, 2).tolist(), strict=True))
        found["attention.third"] = ngram_scores(layers, inputs, 3).max().item()
        even = uniform(torch.ones(1, 1, *layers.shape[2:]).tril())
        return found | {
            "attention.even": ngram_scores(even.expand(len(inputs), -1, -1, -1), inputs, 2).item()
        }

    def profile(self, learner: "Learner") -> Profile:
        """Draw the distance to the truth over the position in the context."""
        batch = self._measured
        said = {"learner": self.scores(learner, batch.inputs).softmax(2)}
        said |= {f"{order}-gram": answer for order, answer in self._references.items()}
        starts = range(0, self.settings.n_tokens, _BIN)
        lines: dict[str, list[float]] = {}
        for name, answer in said.items():
            apart = distance(of_symbols(answer), batch.truth)
            bins = [slice(start, start + _BIN) for start in starts]
            lines[name] = [apart[:, each][batch.is_symbol[:, each]].mean().item() for each in bins]
        last = {name: line[-1] for name, line in lines.items()}
        title = (
            f"At the end of a context the learner is {last['learner']:.2f} from the truth, the 2-gram "
            f"{last['2-gram']:.2f}, the 3-gram {last['3-gram']:.2f}"
        )
        x = [start + _BIN / 2 for start in starts]
        return Profile(title, "position in the context", "distance to the truth", x, lines)

    def like(self, learner: "Learner") -> Profile:
        """Draw how far the learner and each n-gram are from the truth, and the learner from each n-gram."""
        found = self.measure(learner)
        named = {f"{order}-gram": order for order in ORDERS}
        lines = {
            "learner, to this": [found["truth.learner"], *(found[f"like.{each}"] for each in named.values())],
            "this, to the truth": [0.0, *(found[f"truth.{each}"] for each in named.values())],
        }
        nearest = min(named, key=lambda name: found[f"like.{named[name]}"])
        title = (
            f"It is most like the {nearest}, {found[f'like.{named[nearest]}']:.2f} from it, and "
            f"{found['truth.learner']:.2f} from the truth"
        )
        return Profile(title, "compared with", "distance (TVD)", ["the truth", *named], lines)

    def told(self, learner: "Learner", text: str) -> Profile:
        """Draw what may come after a text such as "abab|abba|a", as learner and n-grams have it."""
        import torch

        n_symbols = self.settings.n_symbols
        inputs = begun(torch.tensor([read(text, n_symbols, self.settings.n_tokens - 1)]), n_symbols)
        words, counted = words_of(n_symbols), ngrams(inputs, n_symbols)
        said = self.scores(learner, inputs).softmax(2)[0, -1]
        lines = {"learner": said.tolist()}
        lines |= {f"{order}-gram": counted[order][0, -1].tolist() for order in (2, 3)}
        best = int(said.argmax())
        title = f"The learner expects {words[best]} to come next, {said[best]:.0%}"
        return Profile(title, "what comes next", "probability", words, lines)

    def arranged(self, batch: Strings, layout: str) -> Strings:
        """Arrange whole strings anew; the one that is to be continued stays."""
        return arranged(batch, layout)

    def reply(
        self, learner: "Learner", batch: Strings, hooks: "Hooks | None" = None, cache: "Cache | None" = None
    ) -> Replies:
        """Name the token that comes last, from those before it."""
        scores = self.scores(learner, batch.inputs, hooks, cache)
        last = scores[range(len(scores)), batch.length - 1]
        words = words_of(self.settings.n_symbols)
        return Replies(
            [words[token] for token in last.argmax(1).tolist()],
            [words[token] for token in batch.target.tolist()],
            [dict(zip(words, row, strict=True)) for row in last.log_softmax(1).tolist()],
        )

    def written(self, batch: Strings) -> list[str]:
        """Write contexts such as "abab|abba|a?"."""
        return written(batch)

    def positions(self, batch: Strings, row: int) -> list[str]:
        """Name the tokens that are read, the separator in front included."""
        words = words_of(self.settings.n_symbols)
        return [words[token] for token in batch.inputs[row].tolist()]

    def _drawn(self, n: int, generator: "torch.Generator", is_larger: bool = False) -> Strings:
        chosen = self.settings
        most = chosen.n_states
        states = (most + 1, most + N_LARGER) if is_larger else (FEWEST_STATES, most)
        following = draw_automata(n, states, chosen.n_symbols, chosen.n_edges, generator)
        return draw_strings(following, chosen.n_tokens, generator)

    @cached_property
    def _measured(self) -> Strings:
        import torch

        return self.sample(N_MEASURED, torch.Generator().manual_seed(1))

    @cached_property
    def _references(self) -> "dict[int, torch.Tensor]":
        return ngrams(self._measured.inputs, self.settings.n_symbols)


def _grams(stem: str, orders: Sequence[int]) -> dict[str, str]:
    """Return labels of n-grams by the names of their curves."""
    return {f"{stem}.{order}": f"{order}-gram" for order in orders}


def _lines(stem: str, orders: Sequence[int]) -> dict[str, str]:
    """Return the labels of the learner and of n-grams beside it, by the names of their curves."""
    return {f"{stem}.learner": "learner", **_grams(stem, orders)}
