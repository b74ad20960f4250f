"""The bytes of a file become rows, or are refused with the row that is wrong."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.tasks.files import read_task

CASES = settings(max_examples=60, deadline=None)
GOOD = ["one,a", "two,b", "three,a", "four,b"]


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


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_delimiters_line_ends_and_bom_are_recognised(delimiter, newline, encoding):
    lines = [
        delimiter.join(cells)
        for cells in [
            ("Input", " OUTPUT ", "split"),
            ('"a; b, c\td"', "yes", "train"),
            ("caf\u00e9", "no", "Test"),
            ('"he said ""no""\nand left"', "no", "pool"),
            ("x", "yes", "query"),
        ]
    ]
    task, warnings = read_task(newline.join(lines).encode(encoding), "f.csv")
    assert warnings == ()
    assert [d.input for d in task.pool] == ["a; b, c\td", 'he said "no"\nand left']
    assert [q.input for q in task.queries] == ["caf\u00e9", "x"]


def test_jsonl_takes_numbers_as_written_and_accepts_other_answers():
    records = [
        {"input": "a\u2028b", "output": 5.0, "split": "pool"},
        {"input": "c", "output": "five", "split": "query", "accept": ["5", " five eggs "]},
        {"input": "d", "output": "six", "split": "query", "accept": "6|VI"},
    ]
    task, warnings = read_task(
        b"\n" + "\n".join(json.dumps(r, ensure_ascii=False) for r in records).encode() + b"\n\n", "f.jsonl"
    )
    assert task.pool[0].output == "5.0" and task.pool[0].input == "a\u2028b"
    assert [q.accept for q in task.queries] == [("5", "five eggs"), ("6", "VI")]
    assert warnings == ()


@pytest.mark.parametrize(
    ("content", "filename", "message"),
    [
        (csv(*GOOD, "five,"), "f.csv", "row 6: output is empty"),
        (csv("one,a", "  ,b"), "f.csv", "row 3: input is empty"),
        (csv('"one\n\nmore",a', "two,"), "f.csv", "row 3: output is empty"),
        (csv("one,a", "", "two,"), "f.csv", "row 4: output is empty"),
        (
            jsonl({"input": "x", "output": "a"}, {"input": "y", "output": ""}),
            "f.jsonl",
            "row 2: output is empty",
        ),
        (jsonl({"input": "x", "output": None}), "f.jsonl", "row 1: output is empty"),
        (csv(*GOOD, "five,a,extra"), "f.csv", "row 6 has 3 cells, but the header names 2 columns"),
        (csv(*GOOD, "five"), "f.csv", "row 6 has 1 cell, but the header names 2 columns"),
        (csv("one,a", 'two,"b', "three,a"), "f.csv", "row 3: a double quote is opened and never closed"),
        (csv("one,a", '"two" x,b'), "f.csv", "row 3: malformed CSV"),
        (b"text,label\none,a", "f.csv", "no column 'input'; found 'text', 'label'; rename 'text' to 'input'"),
        (
            b"input;Ouput\none;a",
            "f.csv",
            "no column 'output'; found 'input', 'Ouput'; rename 'Ouput' to 'output'",
        ),
        (b"alpha,beta\n1,2", "f.csv", "no column 'input'; found 'alpha', 'beta'"),
        (b"input,output,input\n1,2,3", "f.csv", "the column 'input' stands twice in the header"),
        (b"", "f.csv", "f.csv is empty"),
        (b"\xef\xbb\xbf \n", "f.jsonl", "f.jsonl is empty"),
        (b"input,output\n", "f.csv", "f.csv has a header but no rows"),
        (csv("one,a", "t\0wo,b"), "f.csv", "row 3: input holds a NUL byte"),
        (
            jsonl({"input": "x", "output": "a"}, {"input": "y\0", "output": "b"}),
            "f.jsonl",
            "row 2: input holds a NUL",
        ),
        (b'{"input": "\\ud800", "output": "a"}', "f.jsonl", "row 1: input holds half of a surrogate pair"),
        ("input,output\nx,a".encode("utf-16"), "f.csv", "the file is UTF-16; save it as UTF-8"),
        ("input,output\nx,a".encode("utf-16-le"), "f.csv", "the file is UTF-16; save it as UTF-8"),
        (b"PK\x03\x04rest", "f.csv", "the file is a spreadsheet"),
        (
            csv("one,a", "x\xe9\x81,b").replace(b"\xc3\xa9\xc2\x81", b"\xe9\x81"),
            "f.csv",
            "line 3: neither UTF-8",
        ),
        (jsonl({"input": "x", "output": "a"}) + b"\n{bad", "f.jsonl", "row 2 is not a JSON object"),
        (jsonl({"input": "x", "output": "a"}, [1]), "f.jsonl", "row 2 must be an object"),
        (
            jsonl({"input": "x", "output": "a"}, {"input": "y", "answer": "b"}),
            "f.jsonl",
            "row 2: no column 'output'",
        ),
        (jsonl({"input": "x", "output": ["a"]}), "f.jsonl", 'row 1: output must be text, got ["a"]'),
        (
            jsonl({"input": "x", "output": "a", "accept": {"b": 1}}),
            "f.jsonl",
            "row 1: accept must be text or a list",
        ),
        (b"[" * 100_000, "f.json", "the file is one JSON array"),
        (b'{"input": ' + b"[" * 100_000, "f.json", "row 1"),
        (csv("one,a", "two,a"), "f.csv", "output is 'a' in every row"),
        (csv("one,a"), "f.csv", "output is 'a' in every row"),
        (
            csv("one,a", "two,b", "one ,b"),
            "f.csv",
            "rows 2 and 4 have the same input but different outputs, 'a' and",
        ),
        (csv(*GOOD), "f.xlsx", "f.xlsx: a task file must end in .csv"),
        (csv(*GOOD), "f", "got no ending"),
        (
            b"input,output,split\none,a,pool\ntwo,b,dev",
            "f.csv",
            "row 3: split must be pool or query (train, test), got",
        ),
        (b"input,output,split\none,a,pool\ntwo,b,", "f.csv", "row 3: split must be pool or query"),
        (b"input,output,split\none,a,pool\ntwo,b,pool", "f.csv", "no row is left with split query"),
        (csv("one,a", "x" * 20_001 + ",b"), "f.csv", "row 3: input must have at most 20,000 characters"),
        (csv("one,a", "x" * 1_000_001 + ",b"), "f.csv", "row 3: a cell must have at most 20,000 characters"),
        (
            jsonl({"input": "x" * 1_000_001, "output": "a"}),
            "f.jsonl",
            "row 1: input must have at most 20,000",
        ),
    ],
)
def test_bad_file_is_refused_with_its_row(content, filename, message):
    assert message in refusal(content, filename)


def test_ten_thousand_rows_are_taken_and_one_more_is_not():
    rows = pairs(10_001, ["a", "b"])
    task = read_task(csv(*rows[:10_000]), "f.csv").task
    assert len(task.pool) + len(task.queries) == 10_000
    assert refusal(csv(*rows)) == "a task may have at most 10,000 rows, got 10,001; take a sample"


def test_cell_of_the_longest_length_is_taken():
    assert read_task(csv("x" * 20_000 + ",a", "y,b"), "f.csv").task


def test_windows_1252_is_read_with_a_warning():
    task, warnings = read_task("input,output\none,a\ncaf\u00e9 \u201cx\u201d,b".encode("cp1252"), "f.csv")
    assert {row.input for row in (*task.pool, *task.queries)} == {"one", "caf\u00e9 \u201cx\u201d"}
    assert "not UTF-8 (first seen in line 3): read as Windows-1252" in warnings[0]


@CASES
@given(st.binary(max_size=300), st.sampled_from(["f.csv", "f.tsv", "f.jsonl"]), st.booleans())
def test_any_bytes_give_a_task_or_one_clear_line(content, filename, has_header):
    try:
        read_task(b"input,output\n" * has_header + content, filename)
    except ValueError as error:
        assert str(error) and len(str(error)) < 2000
