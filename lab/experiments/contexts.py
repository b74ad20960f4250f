"""The context of each prompt: which demonstrations a layout shows, in which order, or what replaces them."""

from lab.experiments.setting import BY_HAND, PromptSetting, demos_by_hand
from lab.prompts.layout import Layout
from lab.prompts.render import Block, Prompt, demonstration_blocks, render
from lab.prompts.template import Template
from lab.prompts.tokens import encode
from lab.tasks.fillers import filler_text
from lab.tasks.selection import NEEDS_QUERY, draws, select, shuffle_outputs
from lab.tasks.task import Demonstration, Query, Task


class Contexts:
    """Chooses, orders and writes the demonstrations of every layout of one setting.

    Args:
        setting: How demonstrations are chosen.
        task: Where they come from.
        template: The model's template, whose tokenizer counts the filler's tokens.
        n_draws: How many sets of demonstrations the layouts name (`~0`, `~1`, ...).
    """

    def __init__(self, setting: PromptSetting, task: Task, template: Template, n_draws: int = 1) -> None:
        self.setting = setting
        self.task = task
        self.template = template
        self._sets = self._draw(n_draws)
        self._written: dict[tuple, tuple[Block, ...]] = {}

    def _draw(self, n_draws: int) -> tuple[tuple[Demonstration, ...], ...]:
        setting = self.setting
        if setting.selection == BY_HAND:
            if n_draws > 1:
                raise ValueError(
                    "demonstrations chosen by hand are one set: several draws need another selection"
                )
            return (demos_by_hand(self.task, setting.demos),)
        if setting.selection in NEEDS_QUERY:
            if n_draws > 1:
                raise ValueError(
                    f"{setting.selection} finds one set a query: several draws need another selection"
                )
            return ()
        has_labels = setting.selection != "balanced" or self.task.labels
        return draws(
            self.task, setting.n_demos, n_draws, setting.seed, setting.selection if has_labels else "random"
        )

    def demos(self, layout: Layout, query: Query) -> tuple[Demonstration, ...]:
        """Return the demonstrations that a layout shows to a query, in order; none for the slot `none`."""
        if layout.slot == "none":
            return ()
        demos = self._sets[layout.draw] if self._sets else self._retrieved(query)
        if layout.control == "shuffled":
            demos = shuffle_outputs(demos, self.setting.seed, self.task.labels)
        if layout.order is None:
            return demos
        if len(layout.order) != len(demos):
            raise ValueError(
                f"the order of {layout.id} has {len(layout.order)} places for {len(demos)} demos"
            )
        return tuple(demos[place] for place in layout.order)

    def prompt(self, layout: Layout, query: Query) -> Prompt:
        """Render the prompt that asks a query under a layout."""
        return render(self.template, self.task, layout, self._blocks(layout, query), query)

    def _retrieved(self, query: Query) -> tuple[Demonstration, ...]:
        from lab.learners.embedder import embed

        setting = self.setting
        return select(self.task, setting.selection, setting.n_demos, setting.seed, query, embed)

    def _blocks(self, layout: Layout, query: Query) -> tuple[Block, ...]:
        key = (layout, query.id if not self._sets else "")
        if key not in self._written:
            blocks = demonstration_blocks(self.task, self.demos(layout, query))
            self._written[key] = self._filler(blocks) if layout.control == "filler" else blocks
        return self._written[key]

    def _filler(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        n_tokens = self._n_tokens("\n\n".join(block.text for block in blocks))
        return (Block("filler", filler_text(n_tokens, self._n_tokens, self.setting.seed)),)

    def _n_tokens(self, text: str) -> int:
        return len(encode(self.template, [text])[0])
