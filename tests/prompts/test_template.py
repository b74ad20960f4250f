"""What a person must know about a template is said, and nothing else."""

import pytest
from chat_templates import CHATML_DEFAULT, DROPS_SYSTEM, GEMMA, LLAMA3, MISTRAL, MISTRAL_OLD, SHOUTS, THINKING
from tiny_models import CHATML, tiny_tokenizer

from lab.prompts.template import Template


def template(text: str | None, bos: str | None = "<s>") -> Template:
    return Template(tiny_tokenizer(text, bos=bos))


SYSTEM = [("system", "Be brief."), ("user", "Hello")]


@pytest.mark.parametrize(
    ("text", "has_system_role", "default"),
    [
        (CHATML, True, ""),
        (CHATML_DEFAULT, True, "You are a helpful assistant."),
        (LLAMA3, True, ""),
        (GEMMA, False, ""),
        (MISTRAL, True, ""),
        (MISTRAL_OLD, False, ""),
        (DROPS_SYSTEM, False, ""),
        (None, False, ""),
    ],
)
def test_system_role_and_default_prompt_are_recognised(text, has_system_role, default):
    found = template(text)
    assert (found.has_system_role, found.default_system_prompt) == (has_system_role, default)
    assert found.is_chat == (text is not None)


@pytest.mark.parametrize("text", [GEMMA, MISTRAL_OLD, DROPS_SYSTEM])
def test_without_a_system_role_the_system_message_opens_the_user_message(text):
    messages, written = template(text).apply(SYSTEM)
    assert messages == [{"role": "user", "content": "Be brief.\n\nHello"}]
    assert "Be brief.\n\nHello" in written


def test_a_system_message_alone_becomes_a_user_message():
    assert template(GEMMA).apply([("system", "Be brief.")])[0] == [{"role": "user", "content": "Be brief."}]


def test_the_written_text_ends_where_the_answer_begins():
    for text, end in (
        (CHATML_DEFAULT, "<|im_start|>assistant\n"),
        (GEMMA, "<|im_start|>model\n"),
        (MISTRAL, "[/INST]"),
    ):
        assert template(text).apply(SYSTEM)[1].endswith(end)


def test_plain_text_puts_an_answer_on_the_line_of_its_question():
    turns = [("system", "Be brief."), ("user", "Q:"), ("assistant", "A"), ("user", "Q:")]
    assert template(None).apply(turns)[1] == "Be brief.\n\nQ: A\n\nQ:"


def test_notes_of_a_template_that_does_nothing_odd_are_empty():
    assert template(CHATML, bos=None).notes() == []


def test_notes_say_that_a_base_model_has_no_template():
    (note,) = template(None).notes()
    assert "no chat template" in note and "esp reads like sum" in note


def test_notes_say_that_a_default_system_prompt_is_replaced():
    (note,) = template(CHATML_DEFAULT, bos=None).notes()
    assert "injects a system prompt" in note and "“You are a helpful assistant.”" in note


def test_notes_say_that_there_is_no_system_role_and_that_bos_is_written_once():
    role, bos = template(GEMMA).notes()
    assert "no system role" in role and "esp reads like sum" in role
    assert "already begins with <s>" in bos


def test_notes_say_nothing_of_bos_where_the_tokenizer_adds_none():
    tokenizer = tiny_tokenizer(GEMMA, bos="<s>")
    from tokenizers.processors import ByteLevel

    tokenizer.backend_tokenizer.post_processor = ByteLevel()
    assert all("second one" not in note for note in Template(tokenizer).notes())


def test_the_date_is_the_same_every_day_and_that_is_said():
    llama = template(LLAMA3)
    assert "Today Date: 26 Jul 2024\n" in llama.apply(SYSTEM)[1]
    assert any("always 26 July 2024" in note for note in llama.notes())


def test_thinking_is_switched_off_and_that_is_said():
    thinking = template(THINKING)
    assert thinking.apply(SYSTEM)[1].endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert any("thinking is switched off" in note for note in thinking.notes())
    assert thinking.default_system_prompt == ""


@pytest.mark.parametrize(
    "text", [CHATML_DEFAULT, LLAMA3, GEMMA, MISTRAL, MISTRAL_OLD, DROPS_SYSTEM, THINKING, None]
)
def test_contents_are_found_where_they_start(text):
    found = template(text)
    turns = [("system", "user"), ("user", "assistant"), ("assistant", "im_end"), ("user", "INST")]
    messages, written = found.apply(turns)
    starts = found.content_starts(messages, written)
    assert starts is not None
    for message, start in zip(messages, starts, strict=True):
        assert written.startswith(message["content"], start)
    assert len(set(starts)) == len(messages)


def test_contents_that_a_template_changes_have_no_place():
    found = template(SHOUTS)
    messages, written = found.apply([("user", "hello")])
    assert found.content_starts(messages, written) is None


@pytest.mark.model
def test_default_models_template_injects_a_prompt_of_its_own(default_model):
    found = Template(default_model.tokenizer)
    assert found.has_system_role
    assert (
        found.default_system_prompt == "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    )
    (note,) = found.notes()
    assert "SmolLM" in note
