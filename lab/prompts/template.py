"""How a model writes a conversation, and what a person must know about that.

Chat templates differ in ways that decide an experiment: some have no system role, some inject a system prompt that
nobody asked for, some begin with a token that the tokenizer would add once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Message = tuple[str, str]  # role, content
_PROBE = "Zq7 probe"


@dataclass(frozen=True)
class Template:
    """The chat template of a tokenizer, or plain text where it has none."""

    tokenizer: "PreTrainedTokenizerFast"

    @cached_property
    def is_chat(self) -> bool:
        return bool(self.tokenizer.chat_template)

    @property
    def joiner(self) -> str:
        """What stands between a prompt and its answer."""
        return "" if self.is_chat else " "

    @cached_property
    def has_system_role(self) -> bool:
        """Whether a system message survives the template."""
        if not self.is_chat:
            return False
        try:
            return _PROBE in self._write([("system", _PROBE), ("user", "hello")])
        except Exception:  # a template refuses a role by raising an error of any type
            return False

    @cached_property
    def default_system_prompt(self) -> str:
        """The text that stands where a system message would, when none is given."""
        if not self.has_system_role:
            return ""
        head, _, tail = self._write([("system", _PROBE), ("user", "hello")]).partition(_PROBE)
        without = self._write([("user", "hello")])
        if not (without.startswith(head) and without.endswith(tail)):
            return ""
        return without[len(head) : len(without) - len(tail)].strip()

    def apply(self, messages: Sequence[Message]) -> tuple[list[dict[str, str]], str]:
        """Write a conversation up to the place where the answer begins.

        Returns:
            The messages as the template got them (a system message moves into the first user message where the
            template knows no system role), and the prompt text.
        """
        if not self.is_chat:
            return [{"role": role, "content": text} for role, text in messages], self._plain(messages)
        if not self.has_system_role:
            messages = _without_system_role(messages)
        return [{"role": role, "content": text} for role, text in messages], self._write(messages)

    def _write(self, messages: Sequence[Message]) -> str:
        return self.tokenizer.apply_chat_template(
            [{"role": role, "content": text} for role, text in messages],
            tokenize=False,
            add_generation_prompt=True,
        )

    @staticmethod
    def _plain(messages: Sequence[Message]) -> str:
        """Write turns as the pool writes demonstrations: an assistant turn goes on behind its user turn."""
        text = ""
        for role, content in messages:
            gap = "" if not text else " " if role == "assistant" else "\n\n"
            text += gap + content
        return text

    def notes(self) -> list[str]:
        """Say in sentences what this template does to layouts."""
        if not self.is_chat:
            return [
                "This model has no chat template: prompts are plain text, so turns reads like sum, and "
                "system and user message only follow one another (esp reads like sum)."
            ]
        notes = []
        if not self.has_system_role:
            notes.append(
                "This template has no system role: the system message moves to the start of the user message, "
                "so esp reads like sum."
            )
        if self.default_system_prompt:
            notes.append(
                "This template injects a system prompt of its own when none is given; the task's instruction takes "
                f"its place. An empty instruction would leave: “{self.default_system_prompt}”"
            )
        bos = self.tokenizer.bos_token
        if bos and self._write([("user", _PROBE)]).startswith(bos) and self._adds_bos():
            notes.append(
                f"The template already begins with {bos} and the tokenizer would add a second one; "
                "prompts are encoded without it."
            )
        return notes

    def _adds_bos(self) -> bool:
        ids = self.tokenizer("hello").input_ids
        return bool(ids) and ids[0] == self.tokenizer.bos_token_id


def _without_system_role(messages: Sequence[Message]) -> list[Message]:
    if not messages or messages[0][0] != "system":
        return list(messages)
    (_, system), *rest = messages
    if not rest or rest[0][0] != "user":
        return [("user", system), *rest]
    (_, user), *later = rest
    return [("user", f"{system}\n\n{user}"), *later]
