"""Rows with the real columns of each data set become the expected inputs and outputs; no network is used."""

import itertools

import pytest

from lab.tasks import load_task
from lab.tasks.hub import load_hub
from lab.tasks.presets import PRESETS

ARC = {
    "id": "Mercury_7",
    "question": "Which one floats? ",
    "choices": {"text": ["stone", "cork ", "iron", "brick"], "label": ["A", "B", "C", "D"]},
    "answerKey": "B",
}
ROWS = {
    "ag_news": {"text": " Rates rise. ", "label": 2},
    "mnli": {"premise": "He sat. ", "hypothesis": "He stood.", "label": 2, "idx": 4},
    "arc_easy": ARC,
    "arc_challenge": ARC,
    "mmlu": {"question": "2 + 2?", "subject": "algebra", "choices": ["3", "4", "5", "6"], "answer": 1},
    "squad": {
        "id": "1",
        "title": "T",
        "context": "Ann has two cats.",
        "question": " How many cats?",
        "answers": {"text": ["two", "two cats", "two"], "answer_start": [8, 8, 8]},
    },
    "gsm8k": {"question": "Half of 48?", "answer": "48/2 = <<48/2=24>>24.\n#### 24"},
    "cnn_dailymail": {"article": "A long article.", "highlights": "First point .\nSecond point .", "id": "x"},
    "xsum": {"document": "A long text.", "summary": "A short one.", "id": "1"},
}
EXPECTED = {
    "ag_news": ("Rates rise.", "Business", ()),
    "mnli": ("He sat.\nHypothesis: He stood.", "contradiction", ()),
    "arc_easy": ("Which one floats?\nA. stone\nB. cork\nC. iron\nD. brick", "B", ()),
    "arc_challenge": ("Which one floats?\nA. stone\nB. cork\nC. iron\nD. brick", "B", ()),
    "mmlu": ("2 + 2?\nA. 3\nB. 4\nC. 5\nD. 6", "B", ()),
    "squad": ("Ann has two cats.\nQuestion: How many cats?", "two", ("two cats",)),
    "gsm8k": ("Half of 48?", "48/2 = 24.\n#### 24", ()),
    "cnn_dailymail": ("A long article.", "First point. Second point.", ()),
    "xsum": ("A long text.", "A short one.", ()),
}


@pytest.mark.parametrize("name", PRESETS)
def test_preset_reads_a_row_of_its_data_set(name):
    assert PRESETS[name].read(ROWS[name]) == EXPECTED[name]


def test_arc_with_numbers_three_or_five_options():
    numbered = {**ARC, "choices": {"text": ["x", "y", "z"], "label": ["1", "2", "3"]}, "answerKey": "3"}
    assert PRESETS["arc_easy"].read(numbered) == ("Which one floats?\nA. x\nB. y\nC. z", "C", ())
    five = {**ARC, "choices": {"text": list("vwxyz"), "label": list("ABCDE")}}
    assert PRESETS["arc_easy"].read(five) is None


def test_rows_without_gold_are_left_out():
    assert PRESETS["mnli"].read({**ROWS["mnli"], "label": -1}) is None
    assert PRESETS["squad"].read({**ROWS["squad"], "answers": {"text": [], "answer_start": []}}) is None
    assert PRESETS["xsum"].read({**ROWS["xsum"], "document": " "}) is None


@pytest.mark.parametrize("name", PRESETS)
def test_preset_states_what_a_task_needs(name):
    preset = PRESETS[name]
    assert preset.dataset.count("/") == 1 and preset.licence and preset.instruction.endswith(".")
    assert bool(preset.labels) == (preset.metric == "label")
    assert preset.pool_split != preset.query_split


def news(n: int, tag: str):
    return ({"text": f"{tag} item {i}", "label": i % 4} for i in range(n))


def test_only_the_buffer_is_fetched_and_the_seed_decides_which():
    fetched = []

    def load(dataset, config, split):
        for row in news(10**9, split):
            fetched.append(split)
            yield row

    task = load_hub("hub:ag_news?n_pool=8&n_queries=20", load)
    assert (len(task.pool), len(task.queries)) == (8, 20)
    assert len(fetched) == 2 * PRESETS["ag_news"].n_buffer
    assert task.id == "hub:ag_news?n_pool=8&n_queries=20"
    assert task == load_hub(task.id, load)
    assert task.pool != load_hub(f"{task.id}&seed=1", load).pool
    assert all(d.input.startswith("train") for d in task.pool)


def test_rows_of_the_queries_never_stand_in_the_pool():
    rows = {
        "test": list(news(30, "x")),
        "train": [*news(30, "X"), *news(30, "y"), {"text": "z" * 20_001, "label": 0}],
    }
    task = load_hub("hub:ag_news", lambda dataset, config, split: rows[split])
    assert len(task.queries) == 30 and len(task.pool) == 30
    assert all(d.input.startswith("y") for d in task.pool)


def test_gold_of_a_number_task_is_the_number():
    rows = [{"question": f"q{i}?", "answer": f"So {i}.\n#### 1,{i:03d}"} for i in range(9)]
    task = load_hub("hub:gsm8k", lambda d, c, split: [{**r, "question": split + r["question"]} for r in rows])
    assert {q.gold for q in task.queries} == {f"1{i:03d}" for i in range(9)}
    assert "####" in task.pool[0].output


@pytest.fixture
def parquet(tmp_path):
    """Load through the real datasets library, from Parquet files with class names."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"title": datasets.Value("string"), "kind": datasets.ClassLabel(names=["Tool", "Plant"])}
    )
    for split, n in (("train", 30), ("test", 40)):
        columns = {"title": [f"{split} thing {i}" for i in range(n)], "kind": [i % 2 for i in range(n)]}
        datasets.Dataset.from_dict(columns, features=features).to_parquet(tmp_path / f"{split}.parquet")

    def load(dataset, config, split):
        files = {name: str(tmp_path / f"{name}.parquet") for name in ("train", "test")}
        return datasets.load_dataset(
            "parquet", data_files=files, split=split, streaming=True, cache_dir=str(tmp_path / "cache")
        )

    return load


def test_any_data_set_is_read_by_its_columns(parquet):
    task = load_hub("hub:some/things:v1?input=title&output=kind&input_name=Thing", parquet)
    assert task.labels in (("Tool", "Plant"), ("Plant", "Tool"))
    assert (task.metric, task.input_name, len(task.pool), len(task.queries)) == ("label", "Thing", 30, 40)
    assert task.source == "some/things v1"
    golds = {q.input: q.gold for q in task.queries}
    assert golds["test thing 0"] == "Tool" and golds["test thing 1"] == "Plant"


def test_one_split_can_serve_as_pool_and_queries(parquet):
    task = load_hub("hub:some/things?input=title&output=kind&query=train&n_pool=10", parquet)
    assert (len(task.pool), len(task.queries)) == (10, 20)
    assert not {d.input for d in task.pool} & {q.input for q in task.queries}


def test_missing_column_names_those_that_exist(parquet):
    with pytest.raises(ValueError, match=r"some/things has no column 'text'; it has 'title', 'kind'"):
        load_hub("hub:some/things?input=text&output=kind", parquet)


def test_missing_split_is_told(parquet):
    with pytest.raises(ValueError, match=r"can't load some/things, split dev: .*dev"):
        load_hub("hub:some/things?input=title&output=kind&query=dev", parquet)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("hub:agnews", "no preset is called 'agnews'; did you mean hub:ag_news"),
        ("hub:", "no preset is called ''; did you mean"),
        ("hub:some/things", r"name the columns: hub:some/things\?input=COLUMN&output=COLUMN"),
        ("hub:some/things?input=a&output=b&colour=red", "knows no 'colour'; it knows input, output, pool"),
        ("hub:some/things?input=a&output=b&metric=bleu", "metric must be one of"),
        ("hub:ag_news?metric=answer", "'metric' can't be set for the preset ag_news"),
        ("hub:ag_news?n_pool=0", "n_pool must be 1..5000, got '0'"),
        ("hub:ag_news?seed=-1", "seed must be 0..5000, got '-1'"),
        ("hub:ag_news?n_queries=\u00b2", "n_queries must be 1..5000"),
    ],
)
def test_malformed_reference_is_refused_before_anything_is_loaded(reference, message):
    with pytest.raises(ValueError, match=message):
        load_task(reference)


def test_unreachable_hub_gives_one_line_with_a_remedy():
    def load(dataset, config, split):
        raise ConnectionError("name or service not known\nlong trace")

    with pytest.raises(ValueError, match="name or service not known; check the connection"):
        load_hub("hub:ag_news", load)


def test_data_set_without_usable_rows_is_refused():
    with pytest.raises(ValueError, match="nyu-mll/glue: no usable row is left for the pool"):
        load_hub("hub:mnli", lambda *_: itertools.repeat({**ROWS["mnli"], "label": -1}, 5))
