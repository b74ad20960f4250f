"""The ten tasks: what their panels share, what their captions say, and what train and test never share."""

import numpy as np
import pytest

from lab.images import effects
from lab.images.caption import check
from lab.images.concepts import concept_of, concepts
from lab.images.panels import BACKGROUNDS, SIZES, Panel, draw
from lab.images.sets import ImageSet, single_panels
from lab.images.tasks import SPLITS, SUMMARIES, TASKS, find_task, task_sets
from lab.images.vocabulary import unknown_words

IDS = [task.id for task in TASKS]
N_TEST = sum(concept.is_held_out for concept in concepts())


def sets_of(task_id: str, drawings, n: int = 8, split: str = "train", seed: int = 0) -> list[ImageSet]:
    return task_sets(find_task(task_id), n, split, seed, drawings)


def same(one: ImageSet, two: ImageSet) -> bool:
    return one.caption == two.caption and np.array_equal(one.pixels, two.pixels)


def check_readable(made: ImageSet, summary: str) -> None:
    assert [finding for finding in check(made.caption, made.grid, made.markers) if finding.is_error] == []
    assert [word for text in made.texts for word in unknown_words(text)] == []
    assert set(unknown_words(made.caption)) == set(unknown_words(summary))


def test_ids_are_unique_and_summaries_are_those_that_the_base_read():
    assert len(set(IDS)) == len(TASKS) == 10
    assert all(task.summary in SUMMARIES for task in TASKS)
    assert all(f"[{task.id.upper()}]" in task.summary for task in TASKS)


def test_the_summaries_are_fixed():
    # the base is trained on these very strings, drawn by their place
    assert SUMMARIES == (
        "[TWO-PANEL] two pictures", "[THREE-PANEL] three pictures", "[FOUR-PANEL] four pictures",
        "[STYLE-SHEET] the same thing in four styles", "[ICON-FAMILY] four icons of one family",
        "[COLOURED] a drawing coloured", "[RENDERED] a flat drawing rendered", "[STORYBOARD] a story of",
        "[COUPLE] a couple facing each other", "[IDENTITY] a logo and a thing with it",
        "[SANDSTORM] the same in a sandstorm", "[SPARKLERS] the same with sparklers",
        "[GROWTH] the same thing grows", "two pictures", "three pictures", "four pictures",
    )  # fmt: skip


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_captions_fit_the_canvas_and_every_panel_text_uses_known_words(task, split, drawings):
    for made in task_sets(task, 25, split, 3, drawings):
        assert made.grid == task.grid
        check_readable(made, task.summary)


@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_training_shows_no_held_out_concept_and_none_in_its_unseen_style(task, drawings):
    shown = [panel for made in task_sets(task, 60, "train", 1, drawings) for panel in made.panels]
    assert not any(concept_of(panel.word).is_held_out for panel in shown)
    assert not any(concept_of(panel.word).unseen_style == panel.style for panel in shown)


@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_testing_shows_held_out_concepts_only(task, drawings):
    shown = [panel for made in task_sets(task, 24, "test", 1, drawings) for panel in made.panels]
    assert all(concept_of(panel.word).is_held_out for panel in shown)


@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_sets_are_reproducible_from_their_seed_and_do_not_depend_on_their_number(task, drawings):
    few, more = (task_sets(task, n, "train", 5, drawings) for n in (4, 9))
    assert all(same(one, two) for one, two in zip(few, more, strict=False))
    other = task_sets(task, 4, "train", 6, drawings)
    assert not all(same(one, two) for one, two in zip(few, other, strict=True))


@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_no_concept_leads_twice_before_all_have_led(task, drawings):
    names = [made.name for made in task_sets(task, N_TEST + 5, "test", 0, drawings)]
    assert len(set(names[:N_TEST])) == N_TEST
    assert len(set(names[N_TEST:])) == 5


@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_single_panels_never_lean_on_another_panel(task, drawings):
    for made in task_sets(task, 20, "train", 0, drawings):
        for each in single_panels(made):
            assert "the same thing" not in each.caption
            assert each.panels[0].word in each.caption
            assert [f for f in check(each.caption, each.grid) if f.is_error] == []


@pytest.mark.parametrize(
    ("task_id", "plain"),
    [
        ("style-sheet", (0, 1, 2, 3)), ("icon-family", (0, 1, 2, 3)), ("coloured", (0, 1)),
        ("rendered", (0, 1)), ("storyboard", (0, 1, 2)), ("growth", (0, 1, 2)), ("identity", (0,)),
        ("sandstorm", (0,)), ("sparklers", (0,)),
    ],
)  # fmt: skip
def test_panels_without_an_effect_are_drawn_as_they_say(task_id, plain, drawings):
    for made in sets_of(task_id, drawings):
        for place in range(made.grid.n_panels):
            is_plain = np.array_equal(made.pixels[place], draw(made.panels[place], drawings))
            assert is_plain == (place in plain)


def test_style_sheet_shows_one_concept_in_four_styles_and_names_it_once(drawings):
    for made in sets_of("style-sheet", drawings):
        assert len({panel.word for panel in made.panels}) == 1
        assert len({panel.style for panel in made.panels}) == 4
        assert made.caption.count(made.name) == 1


@pytest.mark.parametrize("split", SPLITS)
def test_icon_family_shows_four_concepts_in_one_unnamed_style_on_one_background(split, drawings):
    for made in sets_of("icon-family", drawings, split=split):
        assert len({panel.word for panel in made.panels}) == 4
        assert len({(panel.style, panel.background) for panel in made.panels}) == 1
        assert "style" not in made.caption


@pytest.mark.parametrize(
    ("task_id", "styles"), [("coloured", ("outline", "flat")), ("rendered", ("flat", "3d"))]
)
def test_the_right_panel_finishes_the_left_one(task_id, styles, drawings):
    for made in sets_of(task_id, drawings):
        assert tuple(panel.style for panel in made.panels) == styles
        assert made.texts == (f"{made.name}, {styles[0]} style", f"the same thing, {styles[1]} style")


def test_storyboard_names_its_character_in_every_scene_and_what_it_is_in_the_first(drawings):
    for made in sets_of("storyboard", drawings):
        name = made.summary.removeprefix("[STORYBOARD] a story of ")
        assert made.markers == ("[SCENE-1]", "[SCENE-2]", "[SCENE-3]")
        assert all(name in text for text in made.texts)
        assert f"{name} the {made.name}" in made.texts[0]
        assert not any(made.name in text for text in made.texts[1:])
        assert len({(panel.word, panel.style) for panel in made.panels}) == 1
        assert len({panel.background for panel in made.panels}) == 3


def test_couple_is_mirrored_and_differs_where_the_accessory_is(drawings):
    for made in sets_of("couple", drawings):
        plain = draw(made.panels[1], drawings)
        assert np.array_equal(made.pixels[0][:, ::-1], plain)
        changed = (made.pixels[1] != plain).any(axis=-1).mean()
        assert 0.01 < changed < 0.35


def test_identity_prints_the_logo_on_something_of_its_colour(drawings):
    for made in sets_of("identity", drawings):
        colour = np.array(BACKGROUNDS[made.panels[0].background])
        near = (np.abs(made.pixels[1].astype(int) - colour).max(axis=-1) <= 3).mean()
        assert near > 0.1
        assert any(kind in made.texts[1] for kind in effects.PRODUCTS)


def test_growth_grows(drawings):
    for made in sets_of("growth", drawings):
        covered = [
            (pixels != np.array(BACKGROUNDS[panel.background])).any(axis=-1).sum()
            for pixels, panel in zip(made.pixels, made.panels, strict=True)
        ]
        assert covered[0] < covered[1] < covered[2]
        assert [panel.size for panel in made.panels] == list(SIZES)


def test_a_sandstorm_turns_the_picture_yellow_and_pale_but_leaves_it_visible(drawings):
    for made in sets_of("sandstorm", drawings):
        top, bottom = made.pixels.astype(float)
        assert bottom[..., 0].mean() - bottom[..., 2].mean() > 30
        assert np.corrcoef(top[:52].mean(axis=-1).ravel(), bottom[:52].mean(axis=-1).ravel())[0, 1] > 0.3


def test_sparklers_light_the_night(drawings):
    for made in sets_of("sparklers", drawings):
        top, bottom = made.pixels.astype(float)
        assert made.panels[0].background == "night"
        assert bottom.mean() > top.mean() + 10
        assert (bottom.min(axis=-1) > 200).any()


@pytest.mark.parametrize("accessory", effects.ACCESSORIES)
@pytest.mark.parametrize("colour", effects.COLOURS)
def test_an_accessory_has_its_colour(accessory, colour, drawings):
    panel = Panel("fox", "flat", "mint", "medium")
    dressed = effects.dress(draw(panel, drawings), drawings.drawing("fox", "flat"), 42, accessory, colour)
    near = np.abs(dressed.astype(int) - np.array(effects.COLOURS[colour])).max(axis=-1) <= 12
    assert near.sum() > 20


def test_nothing_to_dress_still_gets_a_panel():
    blank = np.full((64, 64, 3), 255, np.uint8)
    for accessory in effects.ACCESSORIES:
        assert effects.dress(blank, np.zeros((128, 128, 4), np.uint8), 42, accessory, "red").shape == (
            64,
            64,
            3,
        )


def test_an_unknown_task_is_answered_with_the_nearest_and_all():
    with pytest.raises(
        ValueError, match=r"no task is called 'story'; the nearest is 'storyboard' \(all: style-"
    ):
        find_task("story")


@pytest.mark.parametrize(
    ("n", "split", "seed", "message"),
    [
        (0, "train", 0, "n must be 1 or more, got 0"),
        (1, "dev", 0, "split must be train or test, got 'dev'"),
        (1, "test", -1, "seed must be 0 or more, got -1"),
    ],
)
def test_what_can_not_be_made_is_refused(n, split, seed, message, drawings):
    with pytest.raises(ValueError, match=message):
        task_sets(TASKS[0], n, split, seed, drawings)


@pytest.mark.model
@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_every_task_works_on_the_real_drawings(task):
    from lab.images.emoji import atlas

    for split in SPLITS:
        for made in task_sets(task, 30, split, 0, atlas()):
            check_readable(made, task.summary)
            assert made.pixels.std(axis=(1, 2, 3)).min() > 5
