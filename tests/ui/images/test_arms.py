"""The pages of runs on image sets: which arms are offered, and that all pages build on what is there."""

import gradio as gr
import pandas as pd
import pytest
from tiny_images import ship_tiny, ship_tiny_generator

from lab import papers
from lab.experiments.sets import SetsParams
from lab.images import shelf
from lab.ui.images import arms, result
from lab.ui.images import tab as images
from lab.ui.people import Lab


@pytest.fixture(scope="module", autouse=True)
def shipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shipped")
    with pytest.MonkeyPatch.context() as patch:
        ship_tiny(folder, patch)
        ship_tiny_generator(folder, patch)
        yield


def test_arms_are_offered_as_far_as_their_loras_are_there():
    names = arms.offered("coloured")
    assert names[:5] == ["base", "lora", "lora@0.5", "lora@1.5", "ordinary"]
    assert "wrong" in names and "lora+fill" in names
    assert arms.offered("growth") == ["base", "wrong"]
    for task in ("coloured", "growth"):
        SetsParams(task, arms=tuple(arms.offered(task)), reference="base")


def test_a_stored_run_of_other_arms_is_restored_with_them(own_lab_home):
    with gr.Blocks():
        tab = arms.build(Lab(own_lab_home))
    handle = tab.handles["sets"]
    values = {"task": "coloured", "arms": ("base", "own/mine"), "reference": "base", "n_queries": 5}
    updates = handle.fill(values)
    by_id = {component.elem_id: update for component, update in updates.items()}
    assert by_id["sets-arms"].value == ["base", "own/mine"] and by_id["sets-n-queries"] == 5
    assert "own/mine" in [arm for _, arm in by_id["sets-arms"].choices]


def test_the_tasks_on_offer_are_those_that_a_lora_is_there_for(monkeypatch):
    monkeypatch.setattr(shelf, "names", lambda: ["rendered", "rendered-ordinary", "own/storyboard"])
    assert [task.id for task in shelf.tuned_tasks()] == ["rendered"]


def test_the_whole_tab_builds_and_each_experiment_opens_in_its_own_place(own_lab_home, monkeypatch):
    monkeypatch.setattr(papers, "is_waiting", lambda paper: False)
    monkeypatch.setattr(images, "is_waiting", lambda paper: False)
    with gr.Blocks():
        tab = images.build(Lab(own_lab_home))
    assert set(tab.handles) == {"panels", "sets"}
    for name, handle in tab.handles.items():
        assert list(handle.inner.values()) == [{"selected": name}]
    assert len(tab.draw()) == len(tab.late)


def test_what_a_browser_sends_is_only_looked_up():
    class Run:
        def predictions(self, store):
            return pd.DataFrame(
                {"query_id": ["fox 1"], "layout": ["base"], "gold": ["<b>"], "correct": [1.0]}
            )

        def answers(self, store):
            return {}

        def prompts(self, store):
            return pd.DataFrame({"query_id": ["fox 1"], "layout": ["base"], "prompt": ["p"]})

    assert "not drawn yet" in result.pictures_html(Run(), None, "<script>", "base")
    assert "<b>" not in result.pictures_html(Run(), None, "fox 1", "base").replace("&lt;b&gt;", "")
