import pytest
import torch

from lab.worlds.shapes import N_PIXELS, N_PLACES, SIDE, name_of, pictures, read_pictures

PICTURES = pictures()


def test_pictures_differ_and_are_colours():
    assert PICTURES.shape == (4, 4, 4, N_PLACES, N_PIXELS)
    assert PICTURES.min() >= 0 and PICTURES.max() <= 1
    assert len(PICTURES.flatten(0, 3).unique(dim=0)) == 4 * 4 * 4 * N_PLACES


def test_each_size_covers_more_than_the_one_before_it():
    covered = PICTURES[:, 0, :, 4].sum(-1)
    assert (covered.diff(dim=1) > 0).all()


def test_the_hue_of_a_shape_is_the_mix_of_its_channels():
    red = PICTURES[1, 0, 3, 4].view(3, SIDE, SIDE)
    assert torch.allclose(red[:, 6, 6], torch.tensor([0.9, 0.2, 0.2]))


def test_pictures_are_read_in_any_order_of_words_as_they_are_named():
    values, labels = read_pictures("red tiny disc=b, huge blue cross = a, yellow disc small", 12)
    assert labels == [1, 0]
    assert [name_of(each) for each in values] == ["red tiny disc", "blue huge cross", "yellow small disc"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1 to 2 pictures"),
        ("red tiny disc=a, red tiny disc=a, red tiny disc=a, red tiny disc", "1 to 2 pictures"),
        ("red disc=a, red tiny disc", "a hue, a size and a shape"),
        ("red red disc=a, red tiny disc", "a hue, a size and a shape"),
        ("red tiny disc=e, red tiny disc", "one of a, b, c, d"),
        ("red tiny disc=a, red tiny disc=b", "has no label"),
    ],
)
def test_what_can_not_be_read_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        read_pictures(text, 3)
