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
    """A piece of a prompt. `place` counts demonstrations in the order in which they stand, from 0; else it is -1."""

    kind: BlockKind
    text: str
    place: int = -1


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
    return tuple(
        Block("demonstration", f"{_cue(task, demo.input)} {demo.output}", place)
        for place, demo in enumerate(demos)
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
        The prompt with every block located in its text. Demonstration blocks are the same text in every slot but
        `turns`, where each becomes a user and an assistant turn.
    """
    messages = arrange(task, layout, demos, _cue(task, query.input))
    dicts, text = template.apply([(role, SEPARATOR.join(b.text for b in blocks)) for role, blocks in messages])
    blocks = [block for _, message in messages for block in message]
    return Prompt(tuple(dicts), text, _locate(text, blocks), template.joiner)


def arrange(
    task: Task, layout: Layout, demos: Sequence[Block], question: str
) -> list[tuple[str, list[Block]]]:
    """Put the blocks into messages: (role, blocks), the system message first, empty messages left out."""
    instruction = [Block("instruction", task.instruction)] if task.instruction else []
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
        turns = [turn for block in shown for turn in _as_turns(task, block)]
    return [(role, blocks) for role, blocks in [("system", system), *turns, ("user", user)] if blocks]


def _as_turns(task: Task, block: Block) -> list[tuple[str, list[Block]]]:
    question, found, output = block.text.rpartition(f"\n{task.output_name}:")
    if not found:
        return [("user", [block])]
    return [
        ("user", [Block(block.kind, question + found, block.place)]),
        ("assistant", [Block(block.kind, output.strip(), block.place)]),
    ]


def _cue(task: Task, text: str) -> str:
    return f"{task.input_name}: {text.strip()}\n{task.output_name}:"


def _locate(text: str, blocks: Sequence[Block]) -> tuple[Span, ...]:
    """Find each block after the one before it; what lies between belongs to the template."""
    spans: list[Span] = []
    cursor = 0
    for block in blocks:
        start = text.find(block.text, cursor)
        if start < 0:
            continue  # the template rewrote or dropped it; `template.notes` says so
        if start > cursor:
            spans.append(Span(Block("template", text[cursor:start]), cursor, start))
        cursor = start + len(block.text)
        spans.append(Span(block, start, cursor))
    if cursor < len(text):
        spans.append(Span(Block("template", text[cursor:]), cursor, len(text)))
    return tuple(spans)
