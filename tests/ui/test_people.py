"""On a shared server each browser has runs of its own; on one's own machine there is one store."""

import os
import time
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio_client import Client

from lab.runs.recipe import Recipe
from lab.runs.store import StoreError
from lab.ui import people
from lab.ui.people import IDLE_S, Lab, welcome


def request(session: str | None) -> SimpleNamespace:
    return SimpleNamespace(session_hash=session)


@pytest.fixture
def shared(monkeypatch) -> Lab:
    monkeypatch.setenv("LAB_SHARED", "1")
    return Lab.here()


def test_one_machine_has_one_store(own_lab_home):
    lab = Lab.here()
    assert not lab.is_shared
    assert lab.store_for(request("a")) is lab.store_for(request("b")) is lab.store_for(None)
    assert lab.store_for(None).path == own_lab_home / "lab.sqlite3"
    assert lab.arrive("", request("a")) == ""


@pytest.mark.parametrize(
    ("name", "value", "is_shared"),
    [("LAB_SHARED", "1", True), ("SPACE_ID", "owner/lab", True), ("LAB_SHARED", "0", False)],
)
def test_a_space_or_lab_shared_makes_the_server_shared(monkeypatch, name, value, is_shared):
    monkeypatch.setenv(name, value)
    assert Lab.here().is_shared is is_shared


def test_two_browsers_never_see_each_others_runs(shared):
    first, second = shared.arrive("", request("a")), shared.arrive("", request("b"))
    assert first != second
    run_id = shared.store_for(request("a")).begin(Recipe("demo", {"seed": 0}), {})
    assert shared.store_for(request("b")).runs().empty
    assert list(shared.store_for(request("a")).runs()["run_id"]) == [run_id]
    with pytest.raises(ValueError, match="none is stored yet"):
        shared.store_for(request("b")).predictions(run_id)


def test_a_browser_finds_its_runs_again_after_a_reload_and_after_a_restart(shared):
    token = shared.arrive("", request("a"))
    shared.store_for(request("a")).begin(Recipe("demo", {"seed": 0}), {})
    for lab in (shared, Lab.here()):
        assert lab.arrive(token, request("another page")) == token
        assert len(lab.store_for(request("another page")).runs()) == 1


@pytest.mark.parametrize("token", ["0" * 32, "../../etc", "..", "", "A" * 32, None, 3, ["x"]])
def test_a_token_that_was_not_given_out_is_replaced(shared, token):
    given = shared.arrive(token, request("a"))
    assert given != token and len(given) == 32
    assert shared.store_for(request("a")).path.parent == shared.home / "people" / given


def test_a_request_before_the_page_has_arrived_keeps_its_store(shared):
    store = shared.store_for(request("early"))
    token = shared.arrive("", request("early"))
    assert shared.store_for(request("early")) is store and store.path.parent.name == token


def test_a_request_without_a_session_shares_with_nobody(shared):
    assert shared.store_for(request(None)) is not shared.store_for(request(None))


def test_runs_go_after_a_day_idle_and_not_before(shared, monkeypatch):
    tokens = {name: shared.arrive("", request(name)) for name in ("away", "here")}
    folders = {name: shared.store_for(request(name)).path.parent for name in tokens}
    for file in (folders["away"], *folders["away"].iterdir()):
        os.utime(file, (time.time() - IDLE_S - 60,) * 2)
    monkeypatch.setattr(people, "CLEAN_EVERY_S", 0.0)
    shared.arrive("", request("someone"))
    assert not folders["away"].exists() and folders["here"].exists()
    shared.arrive(tokens["away"], request("back"))
    assert shared.store_for(request("back")).runs().empty


def test_many_visitors_do_not_hold_many_files_open(shared, monkeypatch):
    monkeypatch.setattr(people, "MAX_OPEN_STORES", 2)
    for name in "abcd":
        shared.store_for(request(name)).begin(Recipe("demo", {"name": name}), {})
    assert len(shared.visits.stores) == 2
    assert shared.store_for(request("a")).runs()["recipe"][0].params == {"name": "a"}


def test_a_damaged_store_is_explained_and_works_once_moved_away(own_lab_home):
    own_lab_home.mkdir()
    damaged = own_lab_home / "lab.sqlite3"
    damaged.write_bytes(b"not a database at all" * 100)
    lab = Lab.here()
    with pytest.raises(StoreError, match=r"lab\.sqlite3: the run store is damaged .* move this file"):
        lab.store_for(None)
    damaged.unlink()
    assert lab.store_for(None).runs().empty


def test_a_store_that_was_deleted_underneath_begins_anew():
    lab = Lab.here()
    store = lab.store_for(None)
    store.begin(Recipe("demo", {}), {})
    for file in store.path.parent.iterdir():
        file.unlink()
    assert lab.store_for(None).runs().empty


def test_sessions_over_http_are_apart(shared):
    def keep(seed: float, request: gr.Request) -> str:
        return shared.store_for(request).begin(Recipe("demo", {"seed": seed}), {})

    def listed(request: gr.Request) -> list[str]:
        return list(shared.store_for(request).runs()["run_id"])

    with gr.Blocks() as page:
        welcome(shared, page)
        gr.api(keep, api_name="keep")
        gr.api(listed, api_name="listed")
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        first, second = (Client(url, verbose=False) for _ in range(2))
        run_id = first.predict(0.0, api_name="/keep")
        assert first.predict(api_name="/listed") == [run_id]
        assert second.predict(api_name="/listed") == []
        other = second.predict(1.0, api_name="/keep")
        assert second.predict(api_name="/listed") == [other]
        assert first.predict(api_name="/listed") == [run_id]
    finally:
        page.close()
