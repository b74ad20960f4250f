"""Render one query under one layout: the messages, the exact prompt text, and the blocks it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lab.prompts.layout import Layout
from lab.prompts.template import Template
from lab.tasks.task import Demonstration, Query, Task

BlockKind = Literal["instruction", "demonstration", "query", "filler", "template"]
SEPARATOR = "\n\n"


@dataclass(frozen=True)
class Block:
    """A piece of a prompt.

    `place` counts demonstrations in the order in which they stand, from 0; else it is -1. `n_asking` is the
    number of characters of a demonstration before its output.
    """

    kind: BlockKind
    text: str
    place: int = -1
    n_asking: int = 0


@dataclass(frozen=True)
class Span:
    """Where a block stands in the prompt text: characters `start` to `end`, end excluded."""

    block: Block
    start: int
    end: int


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt.

    `joiner` stands between the prompt and an answer: nothing after a chat template, a blank after plain text.
    """

    messages: tuple[dict[str, str], ...]
    text: str
    spans: tuple[Span, ...]
    joiner: str

    def candidates(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the exact strings that are appended to the prompt to score each label."""
        return tuple(self.joiner + label for label in labels)


def demonstration_blocks(task: Task, demos: Sequence[Demonstration]) -> tuple[Block, ...]:
    """Write each demonstration as two lines, its input and its output."""
    cues = [_cue(task, demo.input) for demo in demos]
    return tuple(
        Block("demonstration", f"{cue} {demo.output.strip()}", place, len(cue))
        for place, (cue, demo) in enumerate(zip(cues, demos, strict=True))
    )


def render(
    template: Template, task: Task, layout: Layout, demos: Sequence[Block], query: Query | Demonstration
) -> Prompt:
    """Render the prompt that asks `query` under `layout`.

    Args:
        template: How the model writes a conversation.
        task: Gives the instruction and the names of input and output.
        layout: Only its slot and control are read: `demos` already stand in their final order.
        demos: Demonstration blocks, or one filler block in their stead; ignored by the slot `none`.
        query: What is asked.

    Returns:
        The prompt with every block located in its text. Demonstration blocks are the same text in every slot
        but `turns`, where each becomes a user and an assistant turn.
    """
    messages = arrange(task, layout, demos, _cue(task, query.input))
    dicts, text = template.apply(
        [(role, SEPARATOR.join(b.text for b in blocks)) for role, blocks in messages]
    )
    blocks = [block for _, message in messages for block in message]
    starts = template.content_starts(dicts, text)
    placed = _placed(blocks, dicts, starts) if starts else _found(blocks, text)
    return Prompt(tuple(dicts), text, _tile(text, placed), template.joiner)


def arrange(
    task: Task, layout: Layout, demos: Sequence[Block], question: str
) -> list[tuple[str, list[Block]]]:
    """Put the blocks into messages: (role, blocks), the system message first, empty messages left out."""
    text = task.instruction.strip()  # templates that trim a message would otherwise change it
    instruction = [Block("instruction", text)] if text else []
    query, shown = [Block("query", question)], list(demos)
    system, user = instruction, query
    turns: list[tuple[str, list[Block]]] = []
    if layout.slot == "ssp":
        system = shown + instruction
    elif layout.slot == "esp":
        system = instruction + shown
    elif layout.slot == "sum":
        user = shown + query
    elif layout.slot == "eum":
        user = query + shown + (query if layout.control == "restated" else [])
    elif layout.slot == "turns":
        turns = [turn for block in shown for turn in _as_turns(block)]
    return [(role, blocks) for role, blocks in [("system", system), *turns, ("user", user)] if blocks]


def _as_turns(block: Block) -> list[tuple[str, list[Block]]]:
    question, output = block.text[: block.n_asking], block.text[block.n_asking :]
    return [
        ("user", [Block(block.kind, question, block.place)]),
        ("assistant", [Block(block.kind, output.strip(), block.place)]),
    ]


def _cue(task: Task, text: str) -> str:
    return f"{task.input_name}: {text.strip()}\n{task.output_name}:"


def _placed(blocks: Sequence[Block], messages: Sequence[dict[str, str]], starts: Sequence[int]) -> list[Span]:
    """Place each block by its place in its message."""
    spans: list[Span] = []
    left = list(blocks)
    for message, start in zip(messages, starts, strict=True):
        content, place = message["content"], 0
        while left and content.startswith(left[0].text, place):
            block = left.pop(0)
            spans.append(Span(block, start + place, start + place + len(block.text)))
            place += len(block.text) + len(SEPARATOR)
    return spans


def _found(blocks: Sequence[Block], text: str) -> list[Span]:
    """Search each block behind the one before it, for a template that changes contents."""
    spans: list[Span] = []
    cursor = 0
    for block in blocks:
        start = text.find(block.text, cursor)
        if start >= 0:  # else it was rewritten, and shows as the template's text
            cursor = start + len(block.text)
            spans.append(Span(block, start, cursor))
    return spans


def _tile(text: str, placed: Sequence[Span]) -> tuple[Span, ...]:
    """Fill what lies between the blocks with the template's own text."""
    spans: list[Span] = []
    cursor = 0
    for span in sorted(placed, key=lambda span: span.start):
        if span.start > cursor:
            spans.append(Span(Block("template", text[cursor : span.start]), cursor, span.start))
        spans.append(span)
        cursor = span.end
    if cursor < len(text):
        spans.append(Span(Block("template", text[cursor:]), cursor, len(text)))
    return tuple(spans)
