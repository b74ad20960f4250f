"""The page as a whole: how it is launched, what is imported for it, its size, what its headline says."""

import gzip
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from lab.runs.examples import list_examples
from lab.ui import headline
from lab.ui.app import LAUNCH, build, launch_options
from lab.ui.tour import STEPS, head

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    return build()


def test_the_server_is_closed_to_other_sites_and_silent_about_its_insides():
    assert LAUNCH["strict_cors"] is True
    assert LAUNCH["allowed_paths"] == []
    assert LAUNCH["share"] is False
    assert LAUNCH["show_error"] is False
    assert LAUNCH["enable_monitoring"] is False
    assert LAUNCH["run_history"] is False
    assert LAUNCH["ssr_mode"] is False
    assert LAUNCH["max_file_size"]


def test_gradio_knows_every_launch_argument():
    import inspect

    assert set(LAUNCH) <= set(inspect.signature(gr.Blocks.launch).parameters)


def test_gradio_sends_no_analytics(page):
    assert page.analytics_enabled is False


def test_the_name_of_the_server_comes_from_the_environment():
    assert launch_options({})["server_name"] is None
    assert launch_options({"GRADIO_SERVER_NAME": "0.0.0.0"})["server_name"] == "0.0.0.0"


def test_tools_for_agents_are_off_until_asked_for(monkeypatch):
    assert launch_options({})["mcp_server"] is False
    monkeypatch.setattr("lab.ui.app.find_spec", lambda name: object())
    assert launch_options({"LAB_MCP": "1"})["mcp_server"] is True


def test_asking_for_tools_without_their_extra_is_one_sentence(monkeypatch):
    monkeypatch.setattr("lab.ui.app.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"LAB_MCP=1 needs .* pip install 'gradio\[mcp\]'"):
        launch_options({"LAB_MCP": "1"})


def test_nothing_heavy_is_imported_to_build_the_page(tmp_path):
    code = (
        "import app, sys; heavy = {'torch', 'transformers', 'datasets', 'spaces'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LAB_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, timeout=120)


def test_every_event_of_the_page_is_private_but_the_documented_endpoints(page):
    public = {each.api_name for each in page.fns.values() if each.api_visibility == "public"}
    assert public == {"score", "position_sweep", "order_sweep"}


def test_as_many_visitors_as_are_kept_fit_in_a_gigabyte(page):
    """Gradio copies every component's properties for each visitor, and forgets the oldest visitors."""
    n_measured = 5
    SessionState(page)  # what is made once, by the first
    tracemalloc.start()
    try:
        visitors = [SessionState(page) for _ in range(n_measured)]
        n_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert n_bytes / len(visitors) * LAUNCH["state_session_capacity"] < 1e9


def test_the_page_is_small_on_the_wire(page):
    """What describes the page takes less than half a second of a slow line (4 megabits a second)."""
    sent = gzip.compress(json.dumps(page.get_config_file(), default=str).encode())
    assert len(sent) < 250_000


def test_element_ids_are_unique(page):
    ids = [block.elem_id for block in page.blocks.values() if getattr(block, "elem_id", None)]
    assert sorted(set(ids)) == sorted(ids)


def test_every_step_of_the_tour_points_at_something_on_the_page(page):
    ids = {f"#{block.elem_id}" for block in page.blocks.values() if getattr(block, "elem_id", None)}
    assert {step.selector for step in STEPS} <= ids
    assert 5 <= len(STEPS) <= 6


def test_the_scripts_of_the_page_hold_no_foreign_address():
    assert "http://" not in head() and "https://" not in head()


def test_the_headline_states_the_strongest_move_between_two_of_the_four_places():
    def change(layout: str, flips: float) -> dict:
        return {"reference": "sum", "layout": layout, "prediction_change": flips,
                "prediction_change_low": flips - 0.1, "prediction_change_high": flips + 0.1}  # fmt: skip

    summary = {
        "comparisons": [change("none", 0.9), change("turns", 0.6), change("eum", 0.41), change("ssp", 0.2)]
    }
    assert headline.finding(summary, 5) == (
        "Moving the same five demonstrations from the start of the user message to the end of the user "
        "message flips <strong>41 %</strong> of this model’s answers."
    )


def test_without_a_comparison_the_headline_asks():
    assert headline.finding({}, 5) == headline.QUESTION


def test_the_headline_tells_what_a_shipped_run_says():
    if not list_examples():
        pytest.skip("no example run is shipped yet")
    assert "<strong>" in headline.headline_html()
    assert "95 % interval" in headline.headline_html()
