"""Two learners beside each other, and a prediction that is revealed."""

import gradio as gr
import pytest

from lab.experiments import EXPERIMENTS
from lab.experiments.registry import build_params, find_experiment
from lab.runs.store import Store
from lab.ui.opened import NO_STORE, Opened
from lab.ui.worlds import beside, guess, language
from lab.ui.worlds.guess import Guess
from lab.ui.worlds.rooms import ROOMS, kept_of
from lab.worlds.shelf import Kept

LINEAR = find_experiment(EXPERIMENTS, "linear")


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Opened]:
    """Train two learners that differ in their heads, for this file."""
    with Store(tmp_path_factory.mktemp("two") / "lab.sqlite3") as store:
        made = []
        for n_heads in (2, 1):
            params = build_params(LINEAR, {"n_steps": 200, "n_queries": 10, "n_heads": n_heads})
            *_, result = LINEAR.run(params, store)
            made.append(Opened.stored(store, result.run_id))
        return made


def test_runs_of_a_world_are_remembered_the_latest_first_and_each_once(runs):
    seen = beside.remembered(runs[0], {})
    seen = beside.remembered(runs[1], seen)
    seen = beside.remembered(runs[0], seen)
    assert [each.run_id for each in seen["linear"]] == [runs[0].run_id, runs[1].run_id]
    assert beside.remembered(None, seen) == seen


def test_the_other_learners_are_named_by_what_is_different_there(runs):
    seen = {"linear": runs}
    (words, run_id), (shipped, _), (one_head, _) = beside.others_of(runs[0], seen)
    assert one_head == "Heads 1, Steps 4,000"
    assert (words, run_id) == ("Heads 1", runs[1].run_id)
    assert shipped == "Steps 4,000"
    assert beside.others_of(None, seen) == []


def test_both_learners_are_drawn_and_the_title_tells_where_each_ends(runs):
    mine, theirs = (kept_of(run) for run in runs)
    figure = beside.figure_of(runs[0], mine, runs[1], theirs, "learner")
    assert [trace.name for trace in figure.data] == ["this one", "Heads 1"]
    ends = [kept.history[-1].measures["learner"] for kept in (mine, theirs)]
    title = figure.layout.title.text.replace("<br>", " ")
    assert title == f"learner: {ends[0]:.2f} in this one and {ends[1]:.2f} in Heads 1"


def test_a_prediction_is_set_beside_what_came(runs):
    kept = kept_of(runs[0])
    assert isinstance(kept, Kept)
    told, figure = guess.revealed(runs[0], kept, Guess("linear", "learner", 0.25))
    end = kept.history[-1].measures["learner"]
    assert told == f"You said 0.25, learner ended at {end:.2f}: off by {abs(end - 0.25):.2f}."
    assert list(figure.data[1].y) == [0.25, 0.25]
    assert guess.revealed(runs[1], kept, Guess("linear", "kq.7", 0.25)) == (
        "With these settings kq.7 is not measured; predict another.",
        None,
    )


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.id)
def test_there_is_something_to_predict_in_every_world(room):
    assert len(guess.measures_of(room)) >= 2


def test_a_prediction_waits_for_a_learner_of_its_world(runs):
    with gr.Blocks() as page:
        chooser = gr.Radio([room.id for room in ROOMS])
        guess.build(chooser, gr.State(None), [chooser.change])
    named = {each.name: each.fn for each in page.fns.values()}
    kept, told, _ = named["lock"]("linear", "learner", 0.5)
    assert kept == Guess("linear", "learner", 0.5) and "Now train a learner" in told
    assert named["lock"]("linear", "learner", None)[0] is None
    emptied, told, _ = named["reveal"](runs[0], kept)
    assert emptied is None and "You said 0.5" in told
    assert "You said" not in str(named["reveal"](runs[0], Guess("induction", "accuracy", 0.5)))


def test_flips_of_a_learner_stand_beside_those_of_the_language_model():
    run = Opened.first_shipped("abrupt")
    figure = language.flips_beside(run, NO_STORE)
    names = list(figure.data[0].y)
    assert names[::-1][:3] == ["learner: reversed", "learner: match-first", "learner: match-last"]
    assert "model: order reversed" in names and "model: sum to eum" in names
    most = max(each["prediction_change"] for each in run.summary(NO_STORE)["comparisons"])
    title = figure.layout.title.text.replace("<br>", " ")
    assert title.startswith(f"At most {most:.0%} of this learner's answers flip; of the language model's,")
