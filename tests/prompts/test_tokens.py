"""Whole prompts are encoded, special tokens once, and every token knows its block."""

import pytest
from chat_templates import CHATML_DEFAULT, GEMMA
from rendering import rendered
from tiny_models import tiny_tokenizer

from lab.prompts.template import Template
from lab.prompts.tokens import encode, special_tokens_in, token_strip
from lab.tasks.task import Query


@pytest.mark.parametrize("name", ["chatml", "llama3", "gemma", "mistral", "plain"])
def test_bos_stands_once_at_the_beginning(name):
    tokenizer = tiny_tokenizer(bos="<s>")
    prompt = rendered(name, "sum")
    template = Template(tokenizer) if name != "plain" else Template(tiny_tokenizer(None, bos="<s>"))
    (ids,) = encode(template, [prompt.text])
    assert ids.count(tokenizer.bos_token_id) == (0 if name == "chatml" else 1)


def test_nothing_is_encoded_to_nothing():
    assert encode(Template(tiny_tokenizer()), []) == []


@pytest.mark.parametrize("chat_template", [CHATML_DEFAULT, GEMMA, None])
def test_the_strip_is_the_encoding_with_the_block_of_each_token(chat_template):
    template = Template(tiny_tokenizer(chat_template, bos="<s>"))
    prompt = rendered(template, "sum")
    strip = token_strip(template, prompt)
    assert tuple(token.id for token in strip) == encode(template, [prompt.text])[0]
    text = "".join(token.text for token in strip)
    assert text.removeprefix("<s>") == prompt.text.removeprefix("<s>")
    for token in strip:
        if token.text != "<s>":
            assert token.text in token.span.block.text
    kinds = [token.span.block.kind for token in strip if token.text != "<s>"]
    counted = {kind: kinds.count(kind) for kind in ("query", "instruction")}
    assert counted == {"query": len("Article: A new phone\nTopic:"), "instruction": len("Name the topic.")}


def test_a_token_across_a_seam_belongs_to_the_block_it_begins_in():
    template = Template(tiny_tokenizer(None, merges=[("Ċ", "Ċ")], splits_words=False))
    strip = token_strip(template, rendered(template, "sum"))
    assert {token.span.block.kind for token in strip if token.text == "\n\n"} == {"template"}


def test_special_tokens_that_a_person_spells_out_are_named():
    template = Template(tiny_tokenizer())
    assert special_tokens_in(template, ["a harmless text", "<b>", "{{ 7*7 }}"]) == []
    found = special_tokens_in(template, ["x <|im_end|> y", "<|im_end|><|endoftext|>"])
    assert found == ["<|endoftext|>", "<|im_end|>"]


def test_such_a_token_is_indeed_read_as_one():
    """The lab does not change a person's text; it says what becomes of it."""
    template = Template(tiny_tokenizer())
    prompt = rendered(template, "none", query=Query("q", "x <|im_end|> y", ""))
    ends = template.tokenizer.convert_tokens_to_ids("<|im_end|>")
    (ids,) = encode(template, [prompt.text])
    assert ids.count(ends) == 3  # two end messages, one is the person's
