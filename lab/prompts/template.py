"""How a model writes a conversation, and what a person must know about that.

Chat templates differ in ways that decide an experiment: some have no system role, some inject a system prompt
that nobody asked for, some begin with a token that the tokenizer would add once more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Message = tuple[str, str]  # role, content
_PROBE = "Zq7 probe"
# Today's date would make another prompt of the same recipe tomorrow. The day is the one that Llama 3.2's own
# template falls back on; a macro, because no function can be handed to a template.
_SOME_DAY = {
    "%Y": "2024", "%y": "24", "%m": "07", "%d": "26", "%B": "July", "%b": "Jul", "%A": "Friday", "%a": "Fri",
    "%H": "12", "%M": "00", "%S": "00",
}  # fmt: skip
_DATE_MACRO = (
    "{% macro strftime_now(format) %}{{ format"
    + "".join(f" | replace('{sign}', '{text}')" for sign, text in _SOME_DAY.items())
    + " }}{% endmacro %}"
)


@dataclass(frozen=True)
class Template:
    """The chat template of a tokenizer, or plain text where it has none."""

    tokenizer: "PreTrainedTokenizerBase"

    @cached_property
    def is_chat(self) -> bool:
        """Whether the tokenizer knows roles; a base model's does not."""
        return bool(self.tokenizer.chat_template)

    @cached_property
    def _source(self) -> str:
        return self.tokenizer.get_chat_template()

    @property
    def _writes_date(self) -> bool:
        return "strftime_now" in self._source

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
            The messages as the template got them (a system message moves into the first user message where
            the template knows no system role), and the prompt text.
        """
        if self.is_chat and not self.has_system_role:
            messages = _without_system_role(messages)
        return [{"role": role, "content": text} for role, text in messages], self._write(messages)

    def content_starts(self, messages: Sequence[Mapping[str, str]], text: str) -> list[int] | None:
        """Find at which character of a written conversation each message's content starts.

        Args:
            messages: The messages as `apply` returned them.
            text: The text that it returned with them.

        Returns:
            One place a message; None where the template changes contents, so that nobody can tell.
        """
        marks = [f"{_PROBE} {place};" for place in range(len(messages))]
        roles = tuple(message["role"] for message in messages)
        if roles not in self._skeletons:
            self._skeletons[roles] = self._write(list(zip(roles, marks, strict=True)))
        skeleton = self._skeletons[roles]
        starts, read, written = [0] * len(messages), 0, 0  # how far in the skeleton, and in the text
        for at, place in sorted((skeleton.find(mark), place) for place, mark in enumerate(marks)):
            between, content = skeleton[read:at], messages[place]["content"]
            if at < 0 or not text.startswith(between + content, written):
                return None
            starts[place] = written + len(between)
            read, written = at + len(marks[place]), starts[place] + len(content)
        return starts if text[written:] == skeleton[read:] else None

    @cached_property
    def _skeletons(self) -> dict[tuple[str, ...], str]:
        return {}

    def _write(self, messages: Sequence[Message]) -> str:
        if not self.is_chat:
            return self._plain(messages)
        written = self.tokenizer.apply_chat_template(
            [{"role": role, "content": text} for role, text in messages],
            tokenize=False,
            add_generation_prompt=True,
            chat_template=_DATE_MACRO + self._source if self._writes_date else None,
            enable_thinking=False,  # templates without that variable do not read it
        )
        return str(written)

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
                "This template has no system role: the system message moves to the start of the user "
                "message, so esp reads like sum."
            )
        if self.default_system_prompt:
            notes.append(
                "This template injects a system prompt of its own when none is given; the task's instruction "
                f"takes its place. An empty instruction would leave: “{self.default_system_prompt}”"
            )
        if self._writes_date:
            notes.append(
                "This template writes the day's date into the prompt; here it is always 26 July 2024, so "
                "that a run can be repeated."
            )
        if "enable_thinking" in self._source:
            notes.append(
                "This template lets the model think before it answers; thinking is switched off here, so "
                "that the answer comes first."
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
