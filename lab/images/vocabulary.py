"""The words that the embedded image model was trained on, and the tokenizer over them: one token a word."""

import re
from functools import cache
from typing import TYPE_CHECKING

from lab.images.concepts import STYLES, concepts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

MAX_TOKENS = 64
"""Tokens of a caption that count; 16 a panel, so that small canvases are read faster."""
N_WORDS = 512
"""Rows of the embedding tables: those beyond the words below wait for later words."""

PAD, UNKNOWN, BEGIN, END = "<pad>", "<unk>", "<s>", "</s>"
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
_OTHER = (
    "a an the of in on with and one two three four same thing things style background small medium large "
    "white pink yellow mint blue lilac grey night picture pictures drawing drawings drawn again family icons "
    "coloured colour rendered story scene scenes couple mirrored facing logo mug shirt bag storm sand "
    "sandstorm sparklers light grows growth first then last each to left right top bottom other another "
    "styles it different similar seen from day evening morning hat scarf bow red green orange brown black"
)  # fmt: skip
_TOKEN = r"\[[a-z0-9-]+\]|<[^<>\s]+>|[^\s,;:.]+|[,;:.]"


@cache
def words() -> tuple[str, ...]:
    """Return every token in the order of its id.

    >>> words()[:4]
    ('<pad>', '<unk>', '<s>', '</s>')
    """
    plain = " ".join([*(concept.word for concept in concepts()), *STYLES, _OTHER]).split()
    tokens = [PAD, UNKNOWN, BEGIN, END, ",", ";", ":", ".", *MARKERS, *TRIGGERS, *NAMES, *plain]
    return tuple(dict.fromkeys(token.lower() for token in tokens))


@cache
def tokenizer() -> "PreTrainedTokenizerFast":
    """Build the tokenizer that both text encoders read with; it ends every text with `</s>`."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    ids = {word: place for place, word in enumerate(words())}
    fast = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    fast.normalizer = normalizers.Lowercase()
    fast.pre_tokenizer = pre_tokenizers.Split(Regex(_TOKEN), "removed", invert=True)
    fast.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, ids[END])])
    return PreTrainedTokenizerFast(
        tokenizer_object=fast,
        pad_token=PAD,
        unk_token=UNKNOWN,
        bos_token=BEGIN,
        eos_token=END,
        model_max_length=MAX_TOKENS,
        clean_up_tokenization_spaces=False,
    )


def split(text: str) -> list[str]:
    """Split a text as the tokenizer does.

    >>> split("[LEFT] <Mia> the Fox, flat style")
    ['[left]', '<mia>', 'the', 'fox', ',', 'flat', 'style']
    """
    return re.findall(_TOKEN, text.lower())


def unknown_words(text: str) -> list[str]:
    """Return the words of a text that the model was never trained on, each once.

    >>> unknown_words("a fox riding a zeppelin")
    ['riding', 'zeppelin']
    """
    known = set(words())
    return list(dict.fromkeys(token for token in split(text) if token not in known))
