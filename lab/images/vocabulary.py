"""The tokens that captions are read as: WordPiece of the text encoder, and one token a marker or name."""

import re
import threading
from functools import cache
from typing import TYPE_CHECKING

from lab.images.concepts import STYLES, concepts
from lab.learners.embedder import MINILM
from lab.weights import fetch

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

MAX_TOKENS = 64
"""Tokens of a caption that count; 16 a panel, so that small canvases are read faster."""

PAD, UNKNOWN = "[PAD]", "[UNK]"
_ROWS = ("TOP", "MIDDLE", "BOTTOM")
MARKERS = (
    "[LEFT]", "[RIGHT]", *(f"[{row}]" for row in _ROWS),
    "[TOP-LEFT]", "[TOP-RIGHT]", "[BOTTOM-LEFT]", "[BOTTOM-RIGHT]",
    *(f"[SCENE-{n}]" for n in range(1, 5)), *(f"[PANEL-{n}]" for n in range(1, 5)),
)  # fmt: skip
TRIGGERS = (
    "[STYLE-SHEET]", "[ICON-FAMILY]", "[COLOURED]", "[RENDERED]", "[STORYBOARD]", "[COUPLE]", "[IDENTITY]",
    "[SANDSTORM]", "[SPARKLERS]", "[GROWTH]", "[TWO-PANEL]", "[THREE-PANEL]", "[FOUR-PANEL]", "[CUSTOM]",
)  # fmt: skip
NAMES = tuple(
    f"<{name}>"
    for name in ("Mia", "Leo", "Ada", "Sam", "Zoe", "Kai", "Ida", "Max", "Uma", "Rex", "Eva", "Tom")
)
ADDED = tuple(token.lower() for token in (*MARKERS, *TRIGGERS, *NAMES))
"""Tokens that the text encoder's own vocabulary lacks, in the order of their ids."""
_OTHER = (
    "a an the of in on with and one two three four same thing things style background small medium large "
    "white pink yellow mint blue lilac grey night picture pictures drawing drawings drawn again family icons "
    "coloured colour rendered story scene scenes couple mirrored facing logo mug shirt bag storm sand "
    "sandstorm sparklers light grows growth first then last each to left right top bottom other another "
    "styles it different similar seen from day evening morning hat scarf bow red green orange brown black"
)  # fmt: skip
_WORD = r"\[[a-z0-9-]+\]|<[^<>\s]+>|[^\s,;:.]+|[,;:.]"

turn = threading.Lock()  # a fast tokenizer keeps the length that it was last asked for


@cache
def fast_tokenizer() -> "Tokenizer":
    """Load the text encoder's tokenizer with `ADDED`, and without tokens that begin and end a text.

    Raises:
        WeightsError: If the text encoder can't be had.
    """
    from tokenizers import AddedToken, Tokenizer, processors

    fast = Tokenizer.from_file(str(fetch(MINILM) / "tokenizer.json"))
    fast.no_truncation()
    fast.no_padding()
    fast.post_processor = processors.Sequence([])
    fast.add_tokens([AddedToken(token, normalized=True) for token in ADDED])
    return fast


@cache
def tokenizer() -> "PreTrainedTokenizerFast":
    """Return the same tokenizer as pipelines take it."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=fast_tokenizer(),
        pad_token=PAD,
        unk_token=UNKNOWN,
        model_max_length=MAX_TOKENS,
        clean_up_tokenization_spaces=False,
    )


def count_tokens(text: str) -> int:
    """Count the tokens that a caption is read as."""
    with turn:
        tokens = fast_tokenizer()
        tokens.no_truncation()
        tokens.no_padding()
        return len(tokens.encode(text).ids)


@cache
def words() -> frozenset[str]:
    """Return the words of the captions that the base was trained on, in lower case."""
    plain = " ".join([*(concept.word for concept in concepts()), *STYLES, _OTHER]).lower().split()
    return frozenset((*ADDED, *plain, ",", ";", ":", "."))


def split(text: str) -> list[str]:
    """Split a text into words, markers, names and punctuation, in lower case.

    >>> split("[LEFT] <Mia> the Fox, flat style")
    ['[left]', '<mia>', 'the', 'fox', ',', 'flat', 'style']
    """
    return re.findall(_WORD, text.lower())


def unknown_words(text: str) -> list[str]:
    """Return the words of a text that the base was never trained on, each once.

    >>> unknown_words("a fox riding a zeppelin")
    ['riding', 'zeppelin']
    """
    return list(dict.fromkeys(token for token in split(text) if token not in words()))
