"""A user's file becomes a task, or is refused with the row that is wrong."""

import hashlib
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.tasks import load_task
from lab.tasks.files import keep_copy, read_task

CASES = settings(max_examples=40, deadline=None)
NEWS = "input,output,split\n" + "".join(
    f'"Item {i}, of {topic}",{topic},{split}\n'
    for split, n in (("pool", 4), ("query", 6))
    for i, topic in ((f"{split}{k}", t) for k in range(n) for t in ("World", "Sports"))
)


def csv(*rows: str) -> bytes:
    return "\n".join(("input,output", *rows)).encode()


def jsonl(*records: object) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


def pairs(n: int, outputs: list[str]) -> list[str]:
    return [f"text {i},{outputs[i % len(outputs)]}" for i in range(n)]


def refusal(content: bytes, filename: str = "f.csv", **overrides: str) -> str:
    with pytest.raises(ValueError) as caught:
        read_task(content, filename, **overrides)
    return str(caught.value)


def test_csv_with_a_split_column_keeps_its_rows_and_order():
    task, warnings = read_task(NEWS.encode(), "my_news.csv")
    assert warnings == ()
    assert (task.title, task.family, task.metric) == ("my news", "classification", "label")
    assert task.labels == ("World", "Sports")
    assert task.instruction == "Classify the text as World or Sports."
    assert [d.id for d in task.pool] == [f"p{i}" for i in range(8)]
    assert (task.pool[0].input, task.pool[0].output) == ("Item pool0, of World", "World")
    assert (len(task.queries), task.queries[11].gold) == (12, "Sports")
    assert task.id == "file-" + hashlib.sha256(NEWS.encode()).hexdigest()[:12]


@pytest.mark.parametrize(
    ("outputs", "family", "metric", "names"),
    [
        (["yes", "no"], "classification", "label", ("Text", "Label")),
        ([str(k) for k in range(40)], "reasoning", "number", ("Question", "Answer")),
        ([f"'{k},000.5'".replace(",", "").strip("'") for k in range(40)], "reasoning", "number", None),
        ([f"town number {k}" for k in range(40)], "question answering", "answer", None),
        (["long " * 13 + str(k) for k in range(40)], "summarisation", "rouge", ("Text", "Summary")),
        (["yes", "no"] * 20 + ["once"], "question answering", "answer", None),
        (["x" * 41, "y" * 41], "question answering", "answer", None),
    ],
)
def test_family_is_guessed_from_the_outputs(outputs, family, metric, names):
    task = read_task(csv(*pairs(max(40, len(outputs)), outputs)[: max(40, len(outputs))]), "f.csv").task
    assert (task.family, task.metric) == (family, metric)
    assert names is None or (task.input_name, task.output_name) == names
    assert bool(task.labels) == (metric == "label")
    assert task.max_new_tokens > max(len(output.split()) for output in outputs)


def test_guess_can_be_overridden_and_the_id_says_so():
    content = csv(*pairs(40, ["Yes", "No"]))
    task = read_task(
        content, "f.csv", metric="answer", input_name="Review", output_name="Verdict", instruction="Judge it."
    ).task
    assert (task.family, task.metric, task.labels) == ("question answering", "answer", ())
    assert (task.input_name, task.output_name, task.instruction) == ("Review", "Verdict", "Judge it.")
    assert task.id.endswith("?metric=answer&instruction=Judge%20it.&input_name=Review&output_name=Verdict")
    named = read_task(content, "f.csv", input_name="Review").task
    assert named.instruction == "Classify the review as Yes or No."
    assert read_task(content, "f.csv", family="reasoning").task.metric == "answer"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"family": "poetry"}, "family must be one of classification, .*got 'poetry'"),
        ({"metric": "bleu"}, "metric must be one of label, .*got 'bleu'"),
        ({"input_name": "a: b"}, "input_name must be 1..40 characters"),
        ({"output_name": " "}, "output_name must be 1..40 characters"),
        ({"metric": "number"}, "row 2: output 'yes' holds no number"),
    ],
)
def test_wrong_overrides_are_refused(overrides, message):
    with pytest.raises(ValueError, match=message):
        read_task(csv(*pairs(10, ["yes", "no"])), "f.csv", **overrides)


def test_too_many_labels_are_refused():
    message = refusal(csv(*pairs(202, [f"label {k}" for k in range(101)])), metric="label")
    assert message == "a label task may have at most 100 labels, got 101"


GOOD = ["one,a", "two,b", "three,a", "four,b"]


def test_duplicates_within_a_split_are_dropped_with_their_rows():
    task, warnings = read_task(csv(*GOOD, "ONE,a", "two ,b"), "f.csv")
    assert warnings[0] == "rows 6, 7: the same input stands in an earlier row; dropped"
    assert len(task.pool) + len(task.queries) == 4


def test_row_in_both_splits_leaves_the_pool():
    content = b"input,output,split\none,a,pool\ntwo,b,pool\nTwo,b,query\nthree,a,query\nthree,a,test\n"
    task, warnings = read_task(content, "f.csv")
    assert [d.input for d in task.pool] == ["one"]
    assert [q.input for q in task.queries] == ["Two", "three"]
    assert warnings == (
        "row 6: the same input stands in an earlier row; dropped",
        "row 3: also among the queries; removed from the pool",
    )


def test_label_that_is_never_shown_or_never_asked_is_told():
    content = b"input,output,split\none,a,pool\ntwo,b,query\nthree,b,query\nfour,a,pool"
    assert read_task(content, "f.csv").warnings == (
        "no row of the pool has the output 'b'",
        "no row of the queries has the output 'a'",
    )


def test_mistyped_label_is_told_with_its_row():
    task, warnings = read_task(csv(*pairs(40, ["good", "bad"]), "last,goood"), "f.csv")
    assert task.metric == "answer"
    assert warnings[0].startswith("row 42: the output 'goood' occurs once, so the outputs are read as free")
    assert read_task(csv(*pairs(40, [f"town {i}" for i in range(40)])), "f.csv").warnings == ()


def test_repairs_are_told():
    content = b"input,output,id\none,World,1\ntwo,world,2\n,,\nthree,World,3\nfour,Arts,4\nfive,Arts,5,,\n"
    task, warnings = read_task(content, "f.csv")
    assert task.labels == ("World", "Arts")
    assert warnings[:3] == (
        "row 4: no cell is filled; skipped",
        "ignored column: id",
        "row 3: the label's case was changed to that of most rows",
    )


@pytest.mark.parametrize(("n_rows", "n_pool"), [(2, 1), (20, 10), (32, 16), (60, 16), (200, 40), (2000, 200)])
def test_pool_is_a_fifth_between_16_and_200(n_rows, n_pool):
    task = read_task(csv(*pairs(n_rows, ["a", "b"])), "f.csv").task
    assert (len(task.pool), len(task.queries)) == (n_pool, n_rows - n_pool)


def test_dealing_does_not_depend_on_the_order_of_rows():
    rows = pairs(100, ["a", "b"])
    shuffled = random.Random(1).sample(rows, 100)
    assert read_task(csv(*rows), "f.csv").task.pool == read_task(csv(*shuffled), "f.csv").task.pool


@CASES
@given(
    st.lists(
        st.text(
            st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\uffff"),
            min_size=1,
            max_size=12,
        ),
        min_size=4,
        max_size=12,
        unique_by=lambda text: " ".join(text.casefold().split()),
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_text_survives_csv_and_jsonl(texts, delimiter):
    texts = [text.strip() for text in texts if text.strip()]
    rows = [(text, "ab"[i % 2]) for i, text in enumerate(texts)]
    quoted = ["input" + delimiter + "output"] + [
        '"{}"{}{}'.format(t.replace('"', '""'), delimiter, o) for t, o in rows
    ]
    files = {
        "f.csv": "\n".join(quoted).encode(),
        "f.jsonl": jsonl(*({"input": text, "output": output} for text, output in rows)),
    }
    for filename, content in files.items():
        try:
            task = read_task(content, filename).task
        except ValueError as error:  # normalised duplicates may be all that differs
            assert "in every row" in str(error) or "same input" in str(error)
        else:
            assert {row.input for row in (*task.pool, *task.queries)} <= set(texts)
            assert not {d.input for d in task.pool} & {q.input for q in task.queries}


def test_kept_copy_is_found_by_its_id(own_lab_home):
    task_id = keep_copy(NEWS.encode(), "my news.CSV")
    assert (own_lab_home / "tasks" / f"{task_id}.csv").read_bytes() == NEWS.encode()
    task = load_task(task_id)
    assert task.id == task_id and len(task.queries) == 12
    overridden = read_task(NEWS.encode(), "f.csv", metric="answer", instruction="Say & tell: 50 %?").task
    again = load_task(overridden.id)
    assert again.id == overridden.id and again.instruction == "Say & tell: 50 %?" and again.metric == "answer"


def test_path_is_read_and_kept(tmp_path):
    path = tmp_path / "news.csv"
    path.write_text(NEWS, "utf-8")
    task = load_task(str(path))
    path.unlink()
    assert load_task(task.id).queries == task.queries


@pytest.mark.parametrize(("name", "value"), [("LAB_SHARED", "1"), ("SPACE_ID", "org/space")])
def test_shared_lab_reads_no_paths_but_kept_files(tmp_path, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    (tmp_path / "news.csv").write_text(NEWS, "utf-8")
    with pytest.raises(ValueError, match="reads no paths"):
        load_task(str(tmp_path / "news.csv"))
    assert load_task(keep_copy(NEWS.encode(), "news.csv"))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("file-0123456789ab", "no copy of file-0123456789ab is kept"),
        ("file-0123456789ab?colour=red", "'colour' can't be overridden; these can: family, metric"),
        ("no/such.csv", "can't read no/such.csv: No such file"),
        ("", "no task is called ''"),
        ("file-../../x", "can't read file-"),
    ],
)
def test_unknown_references_are_refused(reference, message):
    with pytest.raises(ValueError, match=message):
        load_task(reference)


def test_keep_copy_refuses_other_endings():
    with pytest.raises(ValueError, match=r"must end in .csv"):
        keep_copy(b"x", "../../evil.py")


def test_bytes_need_a_filename():
    with pytest.raises(ValueError, match="filename is needed with bytes"):
        read_task(NEWS.encode())
