"""Contexts: the same demonstrations in every slot, in the order that the layout names."""

import pytest
from tiny_models import tiny_tokenizer

from lab.experiments.contexts import Contexts
from lab.experiments.setting import PromptSetting
from lab.prompts.layout import Layout
from lab.prompts.template import Template
from lab.tasks import load_task


def contexts(task, n_draws: int = 1, **choices) -> Contexts:
    setting = PromptSetting(task=task, **{"n_demos": 4, **choices})
    return Contexts(setting, load_task(setting.task), Template(tiny_tokenizer()), n_draws)


def ids(made: Contexts, layout: str, place: int = 0) -> list[str]:
    return [demo.id for demo in made.demos(Layout.parse(layout), made.task.queries[place])]


def test_only_the_order_of_a_layout_changes_the_order(label_task):
    made = contexts(label_task)
    plain = ids(made, "sum")
    assert len(plain) == 4
    for layout in ("ssp", "esp", "eum", "turns", "eum+restated", "sum+shuffled"):
        assert ids(made, layout) == plain
    assert ids(made, "sum@3-1-0-2") == [plain[3], plain[1], plain[0], plain[2]]
    assert ids(made, "none") == []
    assert all(ids(made, "sum", place) == plain for place in range(5))


def test_draws_share_as_few_demonstrations_as_possible(label_task):
    made = contexts(label_task, n_draws=3)
    sets = [set(ids(made, f"sum~{draw}" if draw else "sum")) for draw in range(3)]
    assert len(set.union(*sets)) == 12  # three sets of four from a pool of twelve


def test_shuffled_outputs_keep_the_inputs_and_change_the_pairs(label_task):
    made = contexts(label_task)
    query = made.task.queries[0]
    plain, shuffled = (made.demos(Layout.parse(layout), query) for layout in ("sum", "sum+shuffled"))
    assert [d.input for d in plain] == [d.input for d in shuffled]
    assert sorted(d.output for d in plain) == sorted(d.output for d in shuffled)
    assert all(one.output != other.output for one, other in zip(plain, shuffled, strict=True))


def test_filler_is_as_long_as_the_demonstrations_in_tokens(label_task):
    made = contexts(label_task)
    n_tokens = {}
    for layout in ("none", "sum", "sum+filler"):
        text = made.prompt(Layout.parse(layout), made.task.queries[0]).text
        n_tokens[layout] = len(made.template.tokenizer(text).input_ids)
        assert (": animal\n" in text) == (layout == "sum")
    assert abs(n_tokens["sum"] - n_tokens["sum+filler"]) <= 4
    assert n_tokens["none"] < n_tokens["sum"] - 40


def test_retrieval_chooses_for_each_query(label_task):
    made = contexts(label_task, selection="bm25", n_demos=2)
    # the query "tiger 0" is most like the demonstration "tiger", which stands last
    last = [made.demos(Layout("sum"), query)[-1].input for query in made.task.queries]
    assert last == [query.input.split()[0] for query in made.task.queries]
    assert ids(made, "sum", 0) == ids(made, "eum", 0)


def test_demonstrations_by_hand_are_shown_as_given(label_task):
    made = contexts(label_task, selection="by hand", demos=("p5", '{"input": "fig", "output": "fruit"}'))
    prompt = made.prompt(Layout("sum"), made.task.queries[0])
    assert prompt.messages[-1]["content"].startswith(
        "Text: grape\nLabel: fruit\n\nText: fig\nLabel: fruit\n\n"
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"selection": "by hand", "demos": ("p0",)}, "demonstrations chosen by hand are one set"),
        ({"selection": "bm25"}, "bm25 finds one set a query"),
    ],
)
def test_several_draws_need_a_selection_that_draws(label_task, choices, message):
    with pytest.raises(ValueError, match=message):
        contexts(label_task, n_draws=2, **choices)


def test_an_order_of_another_length_is_refused(label_task):
    with pytest.raises(ValueError, match=r"the order of sum@1-0 has 2 places for 4 demos"):
        ids(contexts(label_task), "sum@1-0")


def test_without_labels_a_balanced_draw_is_a_random_one(number_task):
    made = contexts(number_task, selection="balanced")
    assert ids(made, "sum") == ids(contexts(number_task, selection="random"), "sum")
