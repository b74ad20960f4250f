"""Read captions with a sentence encoder, the text of each panel by itself.

A caption is cut before each marker and after each ";" and ":". Every cut is read alone, so that the states of
its tokens tell which panel they speak of and what it shows, and no state mixes two panels. The pooled vector
is the mean of the states. Weights stay as their authors trained them. To the states of a segment its marker's
fixed vector is added, so that attention can tell the panels' texts apart at once.

Source: Reimers & Gurevych 2019 (arXiv:1908.10084) for encoding by the mean of states.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from lab.images.concepts import STYLES, concepts
from lab.images.panels import Panel
from lab.images.vocabulary import ADDED, MARKERS, MAX_TOKENS, PAD, TRIGGERS, fast_tokenizer, tokenizer, turn
from lab.learners.embedder import MINILM, N_DIMENSIONS
from lab.weights import fetch

if TYPE_CHECKING:
    import torch

N_KEPT = 60_000
"""Texts of panels whose states an encoder keeps, about 10 kB each."""
SCALE_FILE = "text.safetensors"
SIGNAL = 0.7
"""Standard deviation of a marker's vector, where that of states is 1; a trained pipeline keeps its own."""


class Read(NamedTuple):
    """Captions as the transformer takes them: states (n, tokens, 384), pooled (n, 384)."""

    states: "torch.Tensor"
    pooled: "torch.Tensor"


def read(captions: Sequence[str], encoder: Any, n_tokens: int, is_training: bool = False) -> Read:
    """Encode captions as a FluxPipeline does whose two text encoders are this one.

    Args:
        captions: n texts; what goes beyond `n_tokens` is cut, as the pipeline does.
        encoder: From `new_encoder`.
        n_tokens: Tokens that the states are padded to.
        is_training: Whether texts that are new are encoded in one pass: faster where most are new, but their
            last digits then depend on which come together.
    """
    fill = {"padding": "max_length", "truncation": True, "return_tensors": "pt"}
    with turn:
        for_pooled = tokenizer()(list(captions), max_length=MAX_TOKENS, **fill).input_ids
        for_states = tokenizer()(list(captions), max_length=n_tokens, **fill).input_ids
    if is_training:
        encoder.learn({piece for row in for_pooled.tolist() for piece in segments(row)})
    return Read(encoder(for_states)[0], encoder(for_pooled).pooler_output)


def new_encoder(
    network: Any, centre: "torch.Tensor", spread: "torch.Tensor", signal: "torch.Tensor | float" = SIGNAL
) -> "torch.nn.Module":
    """Make the text encoder of both slots of a FluxPipeline out of a BertModel.

    Args:
        network: A BertModel; its embeddings have a row for each token of `fast_tokenizer`.
        centre: Subtracted from every state, shape (384,).
        spread: Divides every state after that, shape (384,).
        signal: How strongly a marker is added to the states of its segment; 0 adds nothing.
    """
    import torch
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    class PanelEncoder(torch.nn.Module):
        """Answers states (n, tokens, 384), 0 at padding, and their mean to token ids (n, tokens)."""

        centre: torch.Tensor
        spread: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.register_buffer("centre", centre, persistent=False)
            self.register_buffer("spread", spread, persistent=False)
            self.signal = float(signal)
            self.kept: OrderedDict[tuple[int, ...], torch.Tensor] = OrderedDict()
            self.turn = threading.Lock()

        @property
        def dtype(self) -> torch.dtype:
            return self.network.dtype

        @property
        def device(self) -> torch.device:
            return self.network.device

        @torch.no_grad()
        def forward(self, input_ids: torch.Tensor, **_: Any) -> BaseModelOutputWithPooling:
            states = torch.zeros(*input_ids.shape, self.network.config.hidden_size)
            pooled = torch.zeros(len(states), self.network.config.hidden_size)
            for place, row in enumerate(input_ids.tolist()):
                if pieces := segments(row):
                    plain = [self.states_of(piece) for piece in pieces]
                    joined = torch.cat(
                        [
                            each + self.signal * signal_of(piece)
                            for each, piece in zip(plain, pieces, strict=True)
                        ]
                    )
                    states[place, : len(joined)] = joined
                    pooled[place] = torch.cat(plain).mean(0)
            kind: Any = {"device": self.device, "dtype": self.dtype}
            return BaseModelOutputWithPooling(
                last_hidden_state=states.to(**kind), pooler_output=pooled.to(**kind)
            )

        @torch.no_grad()
        def states_of(self, piece: tuple[int, ...]) -> torch.Tensor:
            with self.turn:
                found = self.kept.get(piece)
            if found is not None:
                return found
            begin, end = _ids("[CLS]", "[SEP]")
            tokens = torch.tensor([[begin, *piece, end]], device=self.device)
            # a forward pass of its own: what a text says never depends on its company
            states = self.network(tokens).last_hidden_state[0, 1:-1]
            found = self.scaled(states)
            self.keep({piece: found})
            return found

        @torch.no_grad()
        def learn(self, pieces: set[tuple[int, ...]]) -> None:
            """Encode in one pass what is not kept yet, and keep it."""
            with self.turn:
                new = sorted(piece for piece in pieces if piece not in self.kept)
            if not new:
                return
            begin, end, blank = _ids("[CLS]", "[SEP]", PAD)
            longest = max(map(len, new))
            rows = [[begin, *piece, end, *[blank] * (longest - len(piece))] for piece in new]
            tokens = torch.tensor(rows, device=self.device)
            lengths = torch.tensor([[len(piece) + 2] for piece in new], device=self.device)
            mask = torch.arange(longest + 2, device=self.device)[None] < lengths
            states = self.scaled(self.network(tokens, attention_mask=mask.long()).last_hidden_state)
            self.keep({piece: states[row, 1 : len(piece) + 1] for row, piece in enumerate(new)})

        def scaled(self, states: torch.Tensor) -> torch.Tensor:
            return ((states - self.centre) / self.spread).float().cpu()

        def keep(self, found: dict[tuple[int, ...], torch.Tensor]) -> None:
            with self.turn:
                self.kept.update(found)
                while len(self.kept) > N_KEPT:
                    self.kept.popitem(last=False)

    return PanelEncoder().eval().requires_grad_(False)


def signal_of(piece: Sequence[int]) -> "torch.Tensor":
    """Return what is added to all states of a segment, (384,): its marker's fixed random vector, or 0."""
    import torch

    if piece[0] not in _openers():
        return torch.zeros(N_DIMENSIONS)
    return torch.randn(N_DIMENSIONS, generator=torch.Generator().manual_seed(piece[0]))


def segments(ids: Sequence[int]) -> list[tuple[int, ...]]:
    """Cut token ids before each marker and after each ";" and ":"; padding at the end is left out."""
    blank, *stops = _ids(PAD, ";", ":")
    ids = list(ids[: ids.index(blank)] if blank in ids else ids)
    if not ids:
        return []
    starts = [
        place
        for place, token in enumerate(ids)
        if place == 0 or token in _openers() or ids[place - 1] in stops
    ]
    return [tuple(ids[start:stop]) for start, stop in zip(starts, [*starts[1:], len(ids)], strict=True)]


@cache
def load_encoder(folder: Path) -> "torch.nn.Module":
    """Load the text encoder of a trained pipeline, with the scale of its states and markers.

    Raises:
        WeightsError: If the weights of the sentence encoder can't be had.
    """
    from safetensors.torch import load_file

    return new_encoder(sentence_network(), **load_file(folder / SCALE_FILE))


def sentence_network() -> Any:
    """Load the sentence encoder with a row for each added token: the mean of the rows that spell it.

    Raises:
        WeightsError: If its weights can't be had.
    """
    import torch
    from tokenizers import Tokenizer
    from transformers import BertModel

    folder = fetch(MINILM)
    network = BertModel.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    spelled = Tokenizer.from_file(str(folder / "tokenizer.json"))
    spelled.no_padding()
    rows = network.get_input_embeddings().weight.detach()
    added = [rows[spelled.encode(token, add_special_tokens=False).ids].mean(0) for token in ADDED]
    network.resize_token_embeddings(len(rows) + len(added), mean_resizing=False)
    network.get_input_embeddings().weight.data[len(rows) :] = torch.stack(added)
    return network.eval()


def scale_of(network: Any) -> "dict[str, torch.Tensor]":
    """Measure centre and spread of the states of all concepts in all styles, each (384,); add `SIGNAL`."""
    import torch

    raw: Any = new_encoder(network, torch.zeros(N_DIMENSIONS), torch.ones(N_DIMENSIONS))
    texts = [Panel(concept.word, style).text for concept in concepts() for style in STYLES]
    states = torch.cat([raw.states_of(tuple(tokenizer()(text).input_ids)) for text in texts])
    return {"centre": states.mean(0), "spread": states.std(0), "signal": torch.tensor(SIGNAL)}


def _ids(*tokens: str) -> list[int]:
    vocabulary = fast_tokenizer()
    return [cast(int, vocabulary.token_to_id(token)) for token in tokens]  # all of them are in it


@cache
def _openers() -> frozenset[int]:
    return frozenset(_ids("[", *(token.lower() for token in (*MARKERS, *TRIGGERS))))
