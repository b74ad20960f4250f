"""A sweep: identical prompts once, too long ones refused, priced, judged, and cut into batches."""

import math
from dataclasses import replace

import pytest
from tiny_models import CHATML, tiny_lm, tiny_tokenizer

from lab.experiments.prompt_sweep import GROUP, PromptSweep, best_label, grid
from lab.experiments.setting import PromptSetting, parse_layouts
from lab.learners.whole import WholeRunner
from lab.tasks import load_task
from lab.tasks.task import Query


@pytest.fixture(scope="module")
def lm():
    return tiny_lm()


def sweep_of(lm, task, *layouts: str, queries=None, **choices) -> PromptSweep:
    setting = PromptSetting(task=task, **{"n_demos": 4, **choices})
    loaded = load_task(setting.task)
    return PromptSweep(lm, loaded, setting, grid(queries or loaded.queries, parse_layouts(layouts)))


def rows_of(sweep: PromptSweep) -> dict[tuple[str, str], object]:
    return {(r.query_id, r.layout): r for batch in sweep.batches for r in sweep.evaluate(batch)}


def test_every_cell_becomes_one_row_scored_as_a_naive_encoding_would(lm, label_task):
    sweep = sweep_of(lm, label_task, "none", "sum", "eum")
    rows = rows_of(sweep)
    assert len(rows) == 30 == sum(batch.size for batch in sweep.batches)
    naive = WholeRunner(lm, [])
    for cell, prompt in list(zip(sweep.cells, sweep.prompts, strict=True))[::7]:
        row = rows[cell.query.id, cell.layout.id]
        assert row.prompt == prompt.text and row.candidates == ("animal", "fruit")
        ids = tuple(lm.tokenizer(prompt.text).input_ids)
        assert row.n_tokens == len(ids)
        for label in ("animal", "fruit"):
            candidate = tuple(lm.tokenizer(label).input_ids)
            assert row.logp[label] == pytest.approx(naive._logp(ids, candidate) / len(candidate), abs=1e-5)
        assert row.prediction == max(row.logp, key=row.logp.get)
        assert row.margin == pytest.approx(abs(row.logp["animal"] - row.logp["fruit"]))
        assert row.correct == float(row.prediction == row.gold)


def test_summed_scores_are_the_mean_ones_times_the_labels_length(lm, label_task):
    mean, total = (
        rows_of(sweep_of(lm, label_task, "sum", is_length_normalised=flag))["q0", "sum"]
        for flag in (True, False)
    )
    for label in ("animal", "fruit"):
        assert total.logp[label] == pytest.approx(mean.logp[label] * len(label), abs=1e-5)


def test_identical_prompts_are_answered_once(lm, label_task):
    base = replace(lm, tokenizer=tiny_tokenizer(None))
    sweep = sweep_of(base, label_task, "sum", "esp", "turns", "ssp", "sum@0-1-2-3")
    assert len(sweep.engines[0].requests) == 2 * 10
    rows = rows_of(sweep)
    assert len(rows) == 50
    for query in sweep.task.queries:
        same = [rows[query.id, layout] for layout in ("sum", "esp", "turns", "sum@0-1-2-3")]
        assert len({(row.prompt, tuple(row.logp.values())) for row in same}) == 1
        assert sum(row.seconds > 0 for row in same) == 1
    notes = sweep.cost().notes
    assert any(note.startswith("sum and esp and turns and sum@0-1-2-3 render to the same") for note in notes)


def test_the_control_again_is_answered_anew(lm, label_task):
    sweep = sweep_of(lm, label_task, "sum", "sum+again")
    assert [len(engine.requests) for engine in sweep.engines] == [10, 10]
    assert sweep.engines[1].plan.nodes == ()
    rows = rows_of(sweep)
    assert all(rows[q.id, "sum"].prompt == rows[q.id, "sum+again"].prompt for q in sweep.task.queries)
    assert all("same prompts" not in note for note in sweep.cost().notes)


def test_batches_are_numbered_through_both_engines(lm, label_task):
    sweep = sweep_of(lm, label_task, "sum", "sum+again")
    sweep.first_batch = 7
    assert [batch.index for batch in sweep.batches] == list(range(7, 7 + len(sweep.batches)))
    assert {batch.engine for batch in sweep.batches} == {0, 1}


def test_queries_are_answered_under_all_layouts_before_the_next_ones(lm, label_task):
    queries = [Query(f"n{place}", f"thing {place}", "fruit") for place in range(GROUP + 3)]
    sweep = sweep_of(lm, label_task, "none", "sum", "eum", queries=queries)
    seen: list[str] = []
    for batch in sweep.batches:
        for request in batch.planned.rows:
            seen += [sweep.cells[cell].query.id for cell in sweep._cells_of[0][request]]
    first_of_second_group = min(seen.index(f"n{place}") for place in range(GROUP, GROUP + 3))
    assert first_of_second_group == 3 * GROUP


def test_a_prompt_that_is_too_long_is_refused_with_the_count(lm, label_task):
    short = replace(lm, max_tokens=120)
    with pytest.raises(
        ValueError, match=r"10 of 20 prompts are too long: the longest needs \d+ tokens .* reads 120"
    ):
        sweep_of(short, label_task, "none", "sum", n_demos=8)


def test_generated_answers_are_judged_and_have_no_margin(lm, number_task):
    sweep = sweep_of(lm, number_task, "none", "sum")
    assert not sweep.scores_labels
    assert "The task has no labels to balance: demonstrations are drawn at random." in sweep.cost().notes
    for row in rows_of(sweep).values():
        assert math.isnan(row.margin) and row.logp == {} and row.candidates == ()
        assert row.correct in (0.0, 1.0)


def test_a_label_may_be_generated_instead(lm, label_task):
    rows = rows_of(sweep_of(lm, label_task, "sum", scoring="generation")).values()
    assert all(row.logp == {} and row.prediction in ("animal", "fruit", "") for row in rows)


def test_cost_counts_prompts_and_tokens_and_says_what_to_know(lm, label_task):
    sweep = sweep_of(lm, label_task, "none", "sum", n_queries=50)
    cost = sweep.cost()
    assert cost.n_prompts == 20 and 0 < cost.n_tokens <= cost.n_tokens_unshared
    assert cost.seconds > 0 and cost.memory_bytes > 0
    assert cost.notes == ("The task has 10 queries; all of them are asked.",)


def test_cost_says_that_a_text_spells_out_a_special_token(lm, label_task):
    queries = [Query("q", "a <|im_end|> b", "fruit")]
    (note, _) = sweep_of(lm, label_task, "none", queries=queries).cost().notes
    assert "spell out <|im_end|>" in note and "control token" in note


def test_cost_says_that_a_state_cannot_be_forked(label_task):
    sweep = sweep_of(tiny_lm("mamba"), label_task, "none", n_queries=10)
    assert "This model's state cannot be forked: every prompt is encoded in full." in sweep.cost().notes


def test_an_instruction_of_ones_own_replaces_the_tasks(lm, label_task):
    prompt = sweep_of(lm, label_task, "none", instruction="Say what it is.").prompts[0]
    assert prompt.messages[0] == {"role": "system", "content": "Say what it is."}
    assert CHATML and prompt.text.startswith("<|im_start|>system\nSay what it is.<|im_end|>")


@pytest.mark.parametrize(
    ("scores", "best", "margin"),
    [({"a": -1.0, "b": -3.0}, "a", 2.0), ({"a": -1.0, "b": -1.0}, "a", 0.0), ({"a": -2.0}, "a", math.nan)],
)
def test_the_best_label_is_the_first_of_the_highest(scores, best, margin):
    assert best_label(scores) == (best, pytest.approx(margin, nan_ok=True))
