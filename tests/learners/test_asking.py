"""From prompts to requests: whole texts are encoded, the split lies where all answers agree."""

import pytest
from tiny_models import tiny_tokenizer

from lab.learners.asking import check_length, to_generate, to_score
from lab.learners.request import Request
from lab.prompts.render import Prompt
from lab.prompts.template import Template


def prompt(text: str, joiner: str = "") -> Prompt:
    return Prompt((), text, (), joiner)


def template(**choices) -> Template:
    return Template(tiny_tokenizer(**choices))


def test_prompt_and_candidate_together_are_the_encoding_of_the_whole_text():
    plain = template(chat_template=None)
    texts = ["Q: one\nA:", "Q: another\nA:"]
    requests = to_score(plain, [prompt(text, " ") for text in texts], ["yes", "no"], [0, 3])
    for text, request in zip(texts, requests, strict=True):
        whole = [plain.tokenizer(f"{text} {label}").input_ids for label in ("yes", "no")]
        assert [list(request.prompt + candidate) for candidate in request.candidates] == whole
        assert plain.tokenizer.decode(request.prompt) == text
    assert [request.group for request in requests] == [0, 3]


def test_where_an_answer_merges_with_the_prompt_the_split_moves_before_the_merge():
    merging = template(chat_template=None, merges=[(":", "Ġ"), ("o", "k")], splits_words=False)
    (request,) = to_score(merging, [prompt("A:", " ")], ["yes", "ok"], [0])
    decode = merging.tokenizer.decode
    assert decode(request.prompt) == "A"
    assert [decode(candidate) for candidate in request.candidates] == [": yes", ": ok"]


def test_a_label_that_begins_like_another_keeps_all_its_tokens():
    chat = template()
    (request,) = to_score(chat, [prompt("x")], ["a", "ab"], [0])
    assert [chat.tokenizer.decode(candidate) for candidate in request.candidates] == ["a", "ab"]


def test_labels_with_a_common_beginning_keep_it_in_the_candidates():
    chat = template()
    (request,) = to_score(chat, [prompt("x")], ["not good", "not bad"], [0])
    assert chat.tokenizer.decode(request.prompt) == "x"


def test_a_bos_is_added_to_plain_text_and_not_to_a_chat():
    for chat_template, n_bos in ((None, 1), ("{% for m in messages %}<s>{{ m['content'] }}{% endfor %}", 0)):
        spelled = template(chat_template=chat_template, bos="<s>")
        (request,) = to_generate(spelled, [prompt("hello")], 4, [0])
        assert request.prompt.count(spelled.tokenizer.bos_token_id) == n_bos


def test_generation_gets_the_prompt_alone_and_its_room():
    chat = template()
    (request,) = to_generate(chat, [prompt("Q: one\nA:")], 7, [2])
    assert request == Request(tuple(chat.tokenizer("Q: one\nA:").input_ids), max_new_tokens=7, group=2)
    assert to_generate(chat, [], 7, []) == [] and to_score(chat, [], ["a"], []) == []


def test_prompts_that_do_not_fit_are_refused_with_the_count():
    requests = [Request((1,) * n, ((1,), (1, 2, 3))) for n in (5, 8, 9)]
    check_length(requests, 12)
    with pytest.raises(
        ValueError, match=r"2 of 3 prompts are too long: the longest needs 12 tokens .* reads 10"
    ):
        check_length(requests, 10)
    check_length([], 0)
