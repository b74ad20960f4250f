"""Exports: nothing is lost on the way out and back, and nothing a user wrote is run."""

import json
import math
import re
import runpy
from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from lab.runs.export import (
    messages_json,
    predictions_json,
    read_predictions,
    report_html,
    snippet,
    write_figures,
    write_predictions,
    write_run,
)
from lab.runs.recipe import Recipe
from lab.runs.store import Row, Store

ROW = Row("q1", "sum", "A", "A", 1.0, 0.5, {"A": -1 / 3, "N/A": -0.6}, 12, 1e-7, "Input: é", (" A", " N/A"))
HARD_TEXTS = [
    "",
    "NA",
    "None",
    "nan",
    "1.0",
    "=1+1",
    '"',
    "a,b",
    "a\r\nb",
    "\r",
    "\n",
    " x ",
    "漢😀",
    "'",
    "\u2028",
]
LOGP_COLUMNS = ["logp_A", 'logp_=B, "c"']


def table(texts: list[str], numbers: list[float]) -> pd.DataFrame:
    n = len(texts)
    floats = pd.Series(numbers, dtype="float64")
    return pd.DataFrame(
        {
            "run_id": pd.Series(["0" * 12] * n, dtype="str"),
            "query_id": pd.Series([f"{at:03d}" for at in range(n)], dtype="str"),
            **{name: pd.Series(texts, dtype="str") for name in ("layout", "prediction", "gold")},
            "correct": floats,
            "margin": floats,
            **{name: floats for name in LOGP_COLUMNS},
            "n_tokens": pd.Series(range(n), dtype="int64"),
            "seconds": floats,
        }
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(HARD_TEXTS) | st.text(st.characters(exclude_categories=["Cs"])),
            st.floats(allow_nan=True, allow_infinity=True),
        ),
        min_size=0,
        max_size=6,
    )
)
def test_csv_and_json_read_back_equal(tmp_path_factory, cells):
    written = table([text for text, _ in cells], [number for _, number in cells])
    folder = tmp_path_factory.mktemp("export")
    write_predictions(written, folder / "p.csv")
    assert_frame_equal(read_predictions(folder / "p.csv"), written, check_exact=True)
    (folder / "p.json").write_text(predictions_json(written), encoding="utf-8")
    assert_frame_equal(read_predictions(folder / "p.json"), written, check_exact=True)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "lab.sqlite3") as opened:
        yield opened


def test_a_run_is_written_whole(store, tmp_path):
    recipe = Recipe("demo", {"seed": 0})
    run_id = store.begin(recipe, {"lab": "1"})
    store.add_batch(run_id, 0, [ROW, replace(ROW, layout="eum", prediction="", margin=math.nan)])
    store.finish(run_id, {"accuracy": 0.5})
    written = write_run(store, run_id, tmp_path / "new" / "out")
    assert sorted(path.name for path in written) == [
        "environment.json",
        "predictions.csv",
        "predictions.json",
        "prompts.jsonl",
        "recipe.json",
        "summary.json",
    ]
    out = tmp_path / "new" / "out"
    assert Recipe.from_json((out / "recipe.json").read_text()) == recipe
    assert json.loads((out / "summary.json").read_text()) == {"accuracy": 0.5}
    assert_frame_equal(read_predictions(out / "predictions.csv"), store.predictions(run_id), check_exact=True)
    assert_frame_equal(
        read_predictions(out / "predictions.json"), store.predictions(run_id), check_exact=True
    )
    prompts = [
        json.loads(line) for line in (out / "prompts.jsonl").read_text(encoding="utf-8").split("\n") if line
    ]
    assert prompts[0] == {
        "query_id": "q1",
        "layout": "sum",
        "prompt": "Input: é",
        "candidates": [" A", " N/A"],
    }
    plain_pandas = pd.read_csv(out / "predictions.csv", keep_default_na=False)
    assert plain_pandas["logp_N/A"].tolist() == [-0.6, -0.6]
    assert plain_pandas["prediction"].tolist() == ["A", ""]


def test_generated_answers_are_written_beside_the_prompts(store, tmp_path):
    run_id = store.begin(Recipe("demo", {}), {})
    store.add_batch(run_id, 0, [replace(ROW, logp={}, candidates=(), answer="The answer\nis A")])
    write_run(store, run_id, tmp_path / "out")
    line = json.loads((tmp_path / "out" / "answers.jsonl").read_text())
    assert line == {"query_id": "q1", "layout": "sum", "answer": "The answer\nis A"}


def test_only_the_spreadsheet_copy_neutralises_formulas(store, tmp_path):
    run_id = store.begin(Recipe("demo", {}), {})
    formulas = ["=cmd()", "+1", "-1", "@x", "\tx", "safe"]
    store.add_batch(
        run_id, 0, [replace(ROW, query_id=str(at), prediction=text) for at, text in enumerate(formulas)]
    )
    write_run(store, run_id, tmp_path, spreadsheet=True)
    assert read_predictions(tmp_path / "predictions.csv")["prediction"].tolist() == formulas
    copy = pd.read_csv(tmp_path / "predictions.spreadsheet.csv")
    assert copy["prediction"].tolist() == ["'=cmd()", "'+1", "'-1", "'@x", "'\tx", "safe"]
    assert copy["logp_A"].tolist() == [-1 / 3] * 6


def test_report_escapes_everything_and_inlines_plotly_once():
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    frame = pd.DataFrame({evil: [evil, "a & b"]})
    figure = go.Figure(go.Bar(x=[evil], y=[1]), layout={"title": {"text": evil}})
    page = report_html(evil, evil, {evil: frame}, {evil: figure, "second": figure}, {"task": evil})
    assert "alert(1)</script>" not in page and "<img src=x" not in page
    assert "a &amp; b" in page
    assert page.count("plotly.js v") == 1
    assert page.count('class="plotly-graph-div"') == 2
    assert not re.search(r'<(script|link)[^>]*(src|href)="?https?:', page)


def test_report_without_figures_needs_no_plotly():
    page = report_html("Title", "It holds.", {"t": pd.DataFrame({"x": [1]})}, {})
    assert len(page) < 5000 and "<script" not in page


def test_figures_of_like_names_do_not_overwrite_each_other(tmp_path):
    figures = {"A/b": go.Figure(), "a b": go.Figure(), "../../etc": go.Figure()}
    written = write_figures(figures, tmp_path / "figures")
    assert [path.name for path in written] == ["a-b.html", "a-b-2.html", "etc.html"]
    assert (tmp_path / "figures" / "plotly.min.js").exists()


def test_messages_are_in_openai_format():
    messages = [{"role": "system", "content": "é"}, {"role": "user", "content": "Hi\n"}]
    assert json.loads(messages_json(messages)) == {"messages": messages}
    assert json.loads(messages_json(messages, "some/model"))["model"] == "some/model"
    for bad in ({"role": "tool", "content": ""}, {"role": "user"}, {"role": "user", "content": 3}):
        with pytest.raises(ValueError, match="message 1 must have a role"):
            messages_json([messages[0], bad])


@pytest.mark.parametrize("candidates", [[], [" A'\"", '""" + evil() + """', "\\", "😀{x}"]])
def test_a_snippet_quotes_whatever_a_user_wrote(candidates):
    prompt = "x\"\"\"\n'''{y}\\N{DASH}\nimport os"
    code = snippet("a/b\"'", prompt, candidates)
    found = {}
    for line in code.splitlines():
        if line.startswith(("MODEL", "PROMPT", "CANDIDATES")):
            exec(line, found)
    compile(code, "snippet", "exec")
    assert (found["MODEL"], found["REVISION"], found["PROMPT"]) == ("a/b\"'", None, prompt)
    assert found.get("CANDIDATES", []) == candidates
    assert len(code.splitlines()) <= 26


@pytest.fixture
def tiny_model(tmp_path):
    """Save a random two-layer transformer whose tokenizer merges "a" and "b" where prompt and answer meet."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models

    vocabulary = {"a": 0, "b": 1, "ab": 2, " ": 3, "c": 4, "[UNK]": 5}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[("a", "b")], unk_token="[UNK]"))
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(tmp_path / "model")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=6,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        eos_token_id=5,
        bos_token_id=5,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    model.save_pretrained(tmp_path / "model")
    return tmp_path / "model", model


def test_a_snippet_reproduces_the_scores(tiny_model, tmp_path, capsys):
    import torch

    folder, model = tiny_model
    for answers, ids, split in (
        (["c", " cb"], [[4, 0, 4], [4, 0, 3, 4, 1]], 2),
        (["bc", "c"], [[4, 2, 4], [4, 0, 4]], 1),
    ):
        (tmp_path / "snippet.py").write_text(snippet(str(folder), "ca", answers))
        runpy.run_path(str(tmp_path / "snippet.py"))
        printed = capsys.readouterr().out.splitlines()
        means = []
        for row in ids:
            with torch.no_grad():
                logp = model(torch.tensor([row])).logits[0].log_softmax(-1)
            means.append(sum(logp[i - 1, row[i]].item() for i in range(split, len(row))) / (len(row) - split))
        assert [float(line.split()[0]) for line in printed[:2]] == pytest.approx(means, abs=1e-4)
        assert printed[2] == f"prediction: {answers[means.index(max(means))]!r}"


def test_a_snippet_reproduces_a_generated_answer(tiny_model, tmp_path, capsys):
    folder, _ = tiny_model
    (tmp_path / "snippet.py").write_text(snippet(str(folder), "ca", [], max_new_tokens=3))
    runpy.run_path(str(tmp_path / "snippet.py"))
    assert re.fullmatch(r"[abc ]{0,6}\n", capsys.readouterr().out)
