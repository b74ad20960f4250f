"""Is an effect that of the demonstrations, or only of that much text before the query?

Neutral sentences, written for this lab (CC0-1.0): no sentiment, no topic of a shipped task, no question, no
number.
"""

import random
from collections.abc import Callable

_SENTENCES = (
    "The spoon lies beside the bowl.",
    "A curtain hangs in front of the window.",
    "The shelf stands against the wall.",
    "There is a mat under the chair.",
    "The cup is on the left side of the tray.",
    "A towel is folded over the rail.",
    "The lamp stands in the corner of the room.",
    "Some paper lies on the desk.",
    "The door at the end of the corridor is closed.",
    "A box has been placed on the bench.",
    "The key hangs on a hook near the door.",
    "The handle is made of wood.",
    "A ribbon is tied around the parcel.",
    "The table has a drawer on each side.",
    "There is a jar next to the sink.",
    "The blanket covers the lower half of the bed.",
    "A ladder leans against the shed.",
    "The envelope is the same size as the card.",
    "The cushion is on the sofa by the wall.",
    "A button is sewn to the sleeve.",
    "The bucket stands below the tap.",
    "The hallway leads to the stairs.",
    "A pencil rests on the notebook.",
    "The lid belongs to the pot on the shelf.",
    "There is a hook behind the curtain.",
    "The basket holds some string and some cloth.",
    "A plate is set on the counter.",
    "The coat is on the peg by the entrance.",
    "The bottle stands next to the glass.",
    "A thread runs along the edge of the cloth.",
    "The stool is as high as the bench.",
    "The path passes between the hedge and the fence.",
    "A stone lies beside the gate.",
    "The drawer contains a roll of tape.",
    "The frame around the mirror is oval.",
    "There is a rug in the middle of the floor.",
    "The bag hangs from the back of the chair.",
    "A folder lies under the stack of paper.",
    "The light switch is to the right of the door.",
    "The cord is wound around the reel.",
    "A label is attached to the outside of the crate.",
    "The tray is carried from the kitchen to the table.",
    "The steps go down to the cellar.",
    "A pillow is placed at the head of the bed.",
    "The board is laid across the trestles.",
    "There is a gap between the cupboard and the wall.",
    "The clip holds the sheets together.",
    "A brush stands in the holder.",
    "The pane is set into the upper part of the door.",
    "The rope is coiled on the deck.",
    "A tile is missing from the row above the sink.",
    "The cloth is hung over the line.",
    "The carton is opened from the top.",
    "A pipe runs along the ceiling.",
    "The bench faces the hedge.",
    "The vase is moved from the sill to the shelf.",
    "There is a fold in the corner of the page.",
    "The mug is put back on its hook.",
    "A strip of felt is glued to the base.",
    "The shutters are level with the roof of the porch.",
)
_SHORT = ("a", "of", "it", "so", "and")
_TOLERANCE = 2


def filler_text(n_tokens: int, count_tokens: Callable[[str], int], seed: int) -> str:
    """Write neutral text of about n_tokens tokens.

    Args:
        n_tokens: How long, in tokens; at least 1.
        count_tokens: The number of tokens of a text, such as the length of a tokenizer's output.
        seed: Determines the order of the sentences.

    Returns:
        Sentences, cut at the end of a word; within 2 tokens of n_tokens, unless no single word is that short.

    Raises:
        ValueError: If n_tokens is below 1.
    """
    if n_tokens < 1:
        raise ValueError(f"n_tokens must be at least 1, got {n_tokens}")
    rng = random.Random(seed)
    words: list[str] = []
    while count_tokens(" ".join(words)) < n_tokens:
        words += " ".join(rng.sample(_SENTENCES, len(_SENTENCES))).split()
    low, high = 1, len(words)  # the most words, at least one, that keep within n_tokens
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if count_tokens(" ".join(words[:middle])) <= n_tokens else (low, middle - 1)
        )
    text = " ".join(words[:low])
    while (gap := n_tokens - count_tokens(text)) > _TOLERANCE:
        longer = [f"{text} {word}" for word in _SHORT]
        text, before = min(longer, key=lambda one: abs(n_tokens - count_tokens(one))), text
        if abs(n_tokens - count_tokens(text)) >= gap:
            return before
    return text
