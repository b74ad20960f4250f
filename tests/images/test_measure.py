"""What the base draws is read panel by panel."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny_flux import tiny_model
from tiny_images import ship_tiny

from lab.images import probe
from lab.images.concepts import concept_of
from lab.images.grid import SINGLE
from lab.images.train import measure as of_base
from lab.images.train.measure import _panel, measure


@pytest.fixture(autouse=True)
def shipped(tmp_path, monkeypatch):
    ship_tiny(tmp_path, monkeypatch)


def test_every_grid_is_read_panel_by_panel():
    found = measure(tiny_model(), n_canvases=3, n_steps=1)
    assert [each["n_panels"] for each in found.values()] == [3, 6, 12]
    for each in found.values():
        assert each["both"][0] <= min(each["concept"][0], each["style"][0])
        assert all(0 <= low <= value <= high <= 1 for value, low, high in (each["concept"], each["style"]))


def test_panels_that_are_read_as_asked_count_as_right(monkeypatch):
    random = np.random.default_rng((99, 1))
    asked = [_panel(random) for _ in range(4)]

    told = SimpleNamespace(
        words=[*(panel.word for panel in asked[:3]), "nothing"], styles=[panel.style for panel in asked]
    )
    monkeypatch.setattr(probe, "read_panels", lambda pixels, network: told)
    monkeypatch.setattr(of_base, "GRIDS", {"single": SINGLE})
    found = measure(tiny_model(), n_canvases=4, n_steps=1)["single"]
    assert (found["concept"][0], found["style"][0], found["both"][0]) == (0.75, 1.0, 0.75)


def test_only_styles_in_which_the_base_was_shown_a_concept_are_asked_for():
    random = np.random.default_rng(0)
    panels = [_panel(random) for _ in range(300)]
    assert all(concept_of(panel.word).unseen_style != panel.style for panel in panels)
