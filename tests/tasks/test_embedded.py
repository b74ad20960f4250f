"""Every shipped task is complete, balanced, free of duplicates, and keeps its queries out of its pool."""

import json
import re
from collections import Counter

import pytest

from lab.tasks import list_tasks, load_task
from lab.tasks.embedded import FOLDER, embedded_ids, load_embedded
from lab.tasks.task import FAMILIES

IDS = embedded_ids()
SMALL = {"passage_questions", "news_summary", "arithmetic", "logic"}


def bare(text: str) -> str:
    """Ignore case, punctuation and blanks; signs before numbers stay: they are the content of a sum."""
    return " ".join(re.findall(r"\w+|[+*/=<>\-](?=\s*\d)", text.lower()))


@pytest.mark.parametrize("task_id", IDS)
def test_shipped_task_states_its_licence_source_and_template(task_id):
    task = load_task(task_id)
    assert task.licence in {"CC0-1.0", "CC-BY-4.0", "Unicode-3.0", "MIT"}
    assert task.source
    assert task.instruction.endswith((".", "?"))
    assert task.family in FAMILIES
    assert 0 < len(task.title) <= 60
    assert task.input_name and task.output_name and ":" not in task.input_name + task.output_name


@pytest.mark.parametrize("task_id", IDS)
def test_shipped_task_has_enough_rows(task_id):
    task = load_task(task_id)
    n_pool, n_queries = (20, 60) if task_id in SMALL else (64, 200)
    assert len(task.pool) >= n_pool
    assert len(task.queries) >= n_queries


@pytest.mark.parametrize("task_id", IDS)
def test_labels_are_balanced_in_both_splits_and_from_the_start(task_id):
    task = load_task(task_id)
    if not task.labels:
        return
    for outputs in ([d.output for d in task.pool], [q.gold for q in task.queries]):
        counts = Counter(outputs)
        assert set(counts) == set(task.labels)
        assert max(counts.values()) - min(counts.values()) <= 1
        first = Counter(outputs[: 4 * len(task.labels)])
        assert min(first[label] for label in task.labels) >= 2


@pytest.mark.parametrize("task_id", IDS)
def test_no_input_stands_twice_or_in_both_splits(task_id):
    task = load_task(task_id)
    counts = Counter(bare(row.input) for row in (*task.pool, *task.queries))
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("task_id", IDS)
def test_rows_are_clean_and_outputs_fit_the_token_limit(task_id):
    task = load_task(task_id)
    for row in (*task.pool, *task.queries):
        output = row.output if hasattr(row, "output") else row.gold
        assert row.input == row.input.strip() and output == output.strip() and row.input and output
        assert "\ufffd" not in row.input + output and "<" not in output
        assert len(output.split()) <= task.max_new_tokens


@pytest.mark.parametrize("task_id", IDS)
def test_gold_answers_score_one(task_id):
    from lab.tasks.metrics import judge

    task = load_task(task_id)
    assert [q.id for q in task.queries if judge(task, q, q.gold).score != 1] == []
    assert [q.id for q in task.queries for a in q.accept if judge(task, q, a).score != 1] == []


def test_ids_count_from_zero_in_file_order():
    task = load_task(IDS[0])
    assert [d.id for d in task.pool[:3]] == ["p0", "p1", "p2"]
    assert [q.id for q in task.queries[:3]] == ["q0", "q1", "q2"]
    records = [json.loads(line) for line in (FOLDER / f"{IDS[0]}.jsonl").read_text("utf-8").splitlines()[1:]]
    assert [r["input"] for r in records if r["split"] == "pool"] == [d.input for d in task.pool]


def test_list_names_every_shipped_task_with_its_counts():
    heads = {head.id: head for head in list_tasks()}
    assert sorted(heads) == IDS
    for task_id, head in heads.items():
        task = load_task(task_id)
        assert (head.n_pool, head.n_queries) == (len(task.pool), len(task.queries))
        assert head.labels == task.labels


def test_unknown_task_names_the_nearest():
    with pytest.raises(ValueError, match=rf"'{IDS[0]}x'.*did you mean {IDS[0]}"):
        load_task(f"{IDS[0]}x")


def write(folder, *records):
    (folder / "tiny.jsonl").write_text("\n".join(json.dumps(r) for r in records), "utf-8")


META = {
    "id": "tiny", "title": "T", "family": "classification", "metric": "label", "instruction": "Say.",
    "input_name": "Text", "output_name": "Label", "labels": ["a", "b"],
}  # fmt: skip


def test_malformed_task_file_is_refused_with_its_line(tmp_path):
    write(tmp_path, {"task": META}, {"input": "x", "output": "a", "split": "pool"}, {"input": "y"})
    with pytest.raises(ValueError, match=r"tiny.jsonl line 3 .*output"):
        load_embedded("tiny", tmp_path)
    write(tmp_path, {"task": META}, {"input": "x", "output": "a", "split": "dev"})
    with pytest.raises(ValueError, match=r"line 2 .*dev"):
        load_embedded("tiny", tmp_path)
    write(tmp_path, {"task": {**META, "id": "other"}})
    with pytest.raises(ValueError, match="both names must agree"):
        load_embedded("tiny", tmp_path)
    write(tmp_path, {"task": {"id": "tiny"}})
    with pytest.raises(ValueError, match="line 1 lacks title, family"):
        load_embedded("tiny", tmp_path)
