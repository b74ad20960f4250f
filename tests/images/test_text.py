"""Each panel's text is read by itself, as a FluxPipeline reads it."""

import pytest
import torch
from tiny_flux import tiny_encoder, tiny_model

from lab.images import text
from lab.images.concepts import STYLES, concepts
from lab.images.grid import PAIR
from lab.images.model import EMBEDDED
from lab.images.panels import Panel
from lab.images.text import (
    SCALE_FILE,
    SIGNAL,
    load_encoder,
    new_encoder,
    read,
    scale_of,
    segments,
    sentence_network,
    signal_of,
)
from lab.images.vocabulary import fast_tokenizer, tokenizer
from lab.learners.embedder import N_DIMENSIONS, embed

CAPTION = "[TWO-PANEL] two pictures: [LEFT] fox, flat style; [RIGHT] owl, 3d style"


@pytest.fixture(scope="module")
def encoder():
    network = sentence_network()
    return new_encoder(network, **scale_of(network))


def told(caption: str) -> list[str]:
    ids = tokenizer()(caption, padding="max_length", max_length=32).input_ids
    return [" ".join(tokenizer().convert_ids_to_tokens(list(piece))) for piece in segments(ids)]


def test_a_caption_is_cut_before_markers_and_after_separators():
    assert told(CAPTION) == [
        "[two-panel] two pictures :",
        "[left] fox , flat style ;",
        "[right] owl , 3d style",
    ]


def test_a_marker_of_ones_own_cuts_too_and_an_empty_caption_has_no_parts():
    assert told("owl [MINE] fox") == ["owl", "[ mine ] fox"]
    assert told("") == []


def test_a_panel_is_read_the_same_whatever_stands_beside_it():
    states = read([CAPTION, CAPTION.replace("owl", "zeppelin")], tiny_encoder(), 32).states
    assert torch.equal(states[0, :10], states[1, :10])
    assert not torch.allclose(states[0, 10:12], states[1, 10:12])


def test_states_are_those_of_the_network_and_padding_is_zero():
    encoder, fast = tiny_encoder(), fast_tokenizer()
    piece = tokenizer()("fox, flat style").input_ids
    ids = torch.tensor([[fast.token_to_id("[CLS]"), *piece, fast.token_to_id("[SEP]")]])
    with torch.no_grad():
        naive = encoder.network(ids).last_hidden_state[0, 1:-1]
    found = read(["fox, flat style", ""], encoder, 16)
    torch.testing.assert_close(found.states[0, : len(piece)], naive, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.pooled[0], naive.mean(0), atol=1e-5, rtol=1e-5)
    assert found.states[0, len(piece) :].abs().max() == found.states[1].abs().max() == 0
    assert found.pooled[1].abs().max() == 0


def test_reading_is_what_the_pipeline_does():
    model = tiny_model()
    captions = [CAPTION, "", "zeppelin " * 50]
    by_pipeline = model.encode_text(captions, PAIR)
    ours = read(captions, model.pipeline.text_encoder, PAIR.n_tokens)
    torch.testing.assert_close(ours.states, by_pipeline.states, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours.pooled, by_pipeline.pooled, atol=1e-6, rtol=0)


def test_what_is_kept_does_not_change_what_is_read(monkeypatch):
    monkeypatch.setattr(text, "N_KEPT", 2)
    encoder = new_encoder(tiny_encoder().network, torch.zeros(N_DIMENSIONS), torch.ones(N_DIMENSIONS))
    captions = ["fox", "owl", "bear, 3d style", CAPTION]
    first = read(captions, encoder, 32)
    assert len(encoder.kept) == 2
    assert torch.equal(first.states, read(captions[::-1], encoder, 32).states.flip(0))


def test_states_are_standardised_over_the_texts_of_panels(encoder):
    texts = [Panel(concept.word, style).text for concept in concepts() for style in STYLES]
    states = read(texts, encoder, 16).states
    states = states[states.abs().sum(2) > 0]
    assert states.mean(0).abs().max() < 1e-4
    torch.testing.assert_close(states.std(0), torch.ones(N_DIMENSIONS), atol=1e-3, rtol=0)


def test_an_added_token_starts_as_the_mean_of_what_spells_it(encoder):
    fast = fast_tokenizer()
    rows = encoder.network.get_input_embeddings().weight
    spelled = [fast.token_to_id(piece) for piece in ("[", "top", "-", "left", "]")]
    torch.testing.assert_close(rows[fast.token_to_id("[top-left]")], rows[spelled].mean(0))


def test_words_of_near_meaning_are_read_alike_as_the_sentence_encoder_reads_them(encoder):
    pooled = read(["fox, flat style", "wolf, flat style", "car, flat style"], encoder, 16).pooled
    near, far = torch.nn.functional.cosine_similarity(pooled[:1], pooled[1:]).tolist()
    assert near > far
    rows = embed(["fox, flat style", "wolf, flat style", "car, flat style"])
    assert (rows[0] @ rows[1] > rows[0] @ rows[2]) == (near > far)


@pytest.mark.parametrize("n_tokens", [1, 16, 64])
def test_long_captions_are_cut(n_tokens):
    found = read(["fox " * 100], tiny_encoder(), n_tokens)
    assert found.states.shape == (1, n_tokens, N_DIMENSIONS)
    assert (found.states[0].abs().sum(1) > 0).all()


def test_texts_that_are_learnt_together_read_as_alone(encoder):
    fresh = new_encoder(encoder.network, encoder.centre, encoder.spread)
    captions = [CAPTION, "", "a very small sunflower, painted style", "owl"]
    together = read(captions, fresh, 32, is_training=True)
    n_kept = len(fresh.kept)
    alone = read(captions, encoder, 32)
    torch.testing.assert_close(together.states, alone.states, atol=2e-5, rtol=0)
    torch.testing.assert_close(together.pooled, alone.pooled, atol=2e-5, rtol=0)
    read(captions, fresh, 32, is_training=True)
    assert len(fresh.kept) == n_kept == 5


def test_the_states_of_a_segment_carry_its_marker_and_the_pooled_vector_does_not():
    encoder, fast = tiny_encoder(), fast_tokenizer()
    left, right = (fast.token_to_id(marker) for marker in ("[left]", "[right]"))
    assert not torch.allclose(signal_of([left]), signal_of([right]))
    assert signal_of([fast.token_to_id("fox")]).abs().max() == 0
    ids = tokenizer()("[LEFT] fox, flat style").input_ids
    found = encoder(torch.tensor([ids]))
    plain = encoder.states_of(tuple(ids))
    signal = SIGNAL * signal_of(ids).expand(len(ids), -1)
    torch.testing.assert_close(found[0][0] - plain, signal, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.pooler_output[0], plain.mean(0), atol=1e-5, rtol=0)
    without = new_encoder(encoder.network, encoder.centre, encoder.spread, torch.tensor(0.0))
    torch.testing.assert_close(without(torch.tensor([ids]))[0][0], plain, atol=1e-5, rtol=0)


def test_the_shipped_base_is_read_with_the_signal_that_it_was_trained_with():
    from safetensors.torch import load_file

    shipped = load_file(EMBEDDED / SCALE_FILE)
    assert load_encoder(EMBEDDED).signal == shipped["signal"].item()
