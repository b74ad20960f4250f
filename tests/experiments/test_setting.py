"""Parameters that all experiments share: what is refused, and with which words."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from lab.experiments.setting import (
    PromptSetting,
    demos_by_hand,
    named_by_content,
    parse_layouts,
    sample_queries,
)
from lab.runs.recipe import Recipe
from lab.tasks import load_task

HAND = ('{"input": "crow", "output": "animal"}', '{"input": "fig", "output": "fruit"}')


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_queries": 0}, "n_queries must be 1..10000, got 0"),
        ({"n_queries": 10_001}, "n_queries must be 1..10000, got 10001"),
        ({"n_demos": 65}, "n_demos must be 1..64, got 65"),
        (
            {"selection": "best"},
            "selection must be one of random, balanced, first, bm25, nearest, by hand, got 'best'",
        ),
        ({"scoring": "guess"}, "scoring must be one of likelihood, generation, got 'guess'"),
        ({"selection": "by hand"}, "demos are given exactly when the selection is 'by hand'"),
        ({"demos": ("p0",)}, "demos are given exactly when the selection is 'by hand'"),
        ({"selection": "by hand", "demos": ("p0",) * 65}, "the number of demos must be 1..64, got 65"),
        ({"task": "absent.csv"}, "can't read absent.csv"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_right(values, message):
    with pytest.raises(ValueError, match=message):
        PromptSetting(**values)


def test_demonstrations_by_hand_set_their_number():
    assert PromptSetting(selection="by hand", demos=HAND, n_demos=9).n_demos == 2


def test_a_recipe_depends_on_a_files_content_and_not_on_its_path(label_task, tmp_path):
    elsewhere = tmp_path / "other" / "name.jsonl"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(Path(label_task).read_bytes())
    first, second = PromptSetting(task=label_task), PromptSetting(task=str(elsewhere))
    assert first == second and first.task.startswith("file-")
    assert named_by_content(first.task) == first.task
    assert Recipe("x", asdict(first)).id == Recipe("x", asdict(PromptSetting(task=first.task))).id


def test_more_queries_with_the_same_seed_only_add_some(label_task):
    task = load_task(label_task)
    six = sample_queries(task, 6, seed=3)
    assert sample_queries(task, 9, seed=3)[:6] == six
    assert sample_queries(task, 6, seed=4) != six
    assert len(sample_queries(task, 99, seed=3)) == len(set(sample_queries(task, 99, seed=3))) == 10


def test_demonstrations_by_hand_are_ids_or_json(label_task):
    task = load_task(label_task)
    found = demos_by_hand(task, ("p3", *HAND))
    assert [(d.input, d.output) for d in found] == [("cherry", "fruit"), ("crow", "animal"), ("fig", "fruit")]
    assert len({d.id for d in found}) == 3


@pytest.mark.parametrize(
    ("demos", "message"),
    [
        (("p99",), "has no demonstration 'p99'"),
        (('{"input": "crow"}',), "demonstration 1 must be a JSON object with input and output, got"),
        (("p0", "{broken"), "demonstration 2 must be a JSON object with input and output, got '{broken'"),
        (('{"input": " ", "output": "fruit"}',), "demonstration 1 has an empty input or output"),
        (('{"input": "crow", "output": ""}',), "demonstration 1 has an empty input or output"),
        (('{"input": "crow", "output": null}',), "demonstration 1 has an empty input or output"),
        (('{"input": "crow", "output": "bird"}',), "has the output 'bird'; choose one of animal, fruit"),
        (("p0", "p0"), "demonstrations 1 and 2 have the same input"),
        ((*HAND, HAND[0]), "demonstrations 1 and 3 have the same input"),
    ],
)
def test_a_wrong_demonstration_is_named_by_its_place(label_task, demos, message):
    with pytest.raises(ValueError, match=message):
        demos_by_hand(load_task(label_task), demos)


def test_numbers_in_demonstrations_read_as_text(number_task):
    (demo,) = demos_by_hand(load_task(number_task), (json.dumps({"input": "1 + 1", "output": 2}),))
    assert demo.output == "2"


def test_layouts_are_read_once_each():
    assert [layout.id for layout in parse_layouts(("sum", "eum+restated"))] == ["sum", "eum+restated"]
    for texts, message in (
        ((), "the number of layouts must be 1..256, got 0"),
        (("sum", "eum", "sum"), "layout sum stands twice: name each layout once"),
        (("sum", "middle"), "slot must be one of"),
    ):
        with pytest.raises(ValueError, match=message):
            parse_layouts(texts)
