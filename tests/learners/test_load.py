"""Tiny models of real classes, loaded through a hub on the loopback interface."""

import json
import os
import threading

import pytest
import torch
from hub_stand_in import COMMIT, write_tiny_model

from lab.learners import load as loading
from lab.learners.load import choose_device, choose_dtype, describe, load, unload
from lab.weights import WeightsError


@pytest.fixture(autouse=True)
def nothing_kept():
    yield
    unload()


@pytest.fixture
def tiny(hub):
    write_tiny_model(hub.root / "org" / "tiny")
    return hub


@pytest.mark.parametrize(
    ("kind", "class_name"),
    [("llama", "LlamaForCausalLM"), ("qwen2", "Qwen2ForCausalLM"), ("gpt2", "GPT2LMHeadModel")],
)
def test_a_model_from_the_hub_gives_the_logits_of_the_saved_one(hub, kind, class_name):
    from transformers import AutoModelForCausalLM

    folder = hub.root / "org" / "tiny"
    write_tiny_model(folder, kind, has_chat_template=kind != "gpt2")
    lm = load("org/tiny", device="cpu")
    assert type(lm.model).__name__ == class_name
    assert lm.has_chat_template == (kind != "gpt2")
    assert (lm.id, lm.revision, lm.device, lm.dtype) == ("org/tiny", COMMIT, "cpu", "float32")
    assert lm.max_tokens == 48  # the tokenizer's limit, below the network's 64
    assert lm.end_tokens == {0}
    ids = lm.tokenizer("Sphinx of black quartz", return_tensors="pt").input_ids
    saved = AutoModelForCausalLM.from_pretrained(folder)
    with torch.inference_mode():
        assert torch.equal(lm.model(ids).logits, saved.eval()(ids).logits)


def test_a_loaded_model_is_for_asking_only(tiny):
    lm = load("org/tiny", device="cpu")
    assert not lm.model.training
    assert not any(weight.requires_grad for weight in lm.model.parameters())
    assert lm.model.config._attn_implementation == "sdpa"


def test_the_last_model_is_kept_and_unload_forgets_it(tiny):
    first = load("org/tiny", device="cpu")
    assert load("org/tiny") is first
    other = load("org/tiny", dtype="bfloat16")
    assert other is not first
    assert other.model.dtype == torch.bfloat16
    assert len(loading._kept) == 1
    unload()
    assert not loading._kept


def test_two_threads_that_load_at_once_get_the_same_model(tiny):
    found = []
    threads = [threading.Thread(target=lambda: found.append(load("org/tiny"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] is found[1]


def test_a_folder_of_ones_own_loads(own_weights, tmp_path):
    write_tiny_model(tmp_path / "mine", "qwen2")
    lm = load(str(tmp_path / "mine"), device="cpu")
    assert lm.revision.startswith("local ")


def test_the_description_fits_on_a_line(tiny):
    lm = load("org/tiny", device="cpu")
    assert describe(lm) == f"org/tiny · 0 M parameters · float32 on cpu · revision {COMMIT}"


def test_decayed_weights_with_an_intact_time_stamp_are_fetched_again(tiny):
    load("org/tiny")
    unload()
    from lab.weights import HubModel, fetch

    file = (fetch(HubModel("org/tiny")) / "model.safetensors").resolve()
    stamp, size = file.stat().st_mtime_ns, file.stat().st_size
    file.write_bytes(b"\xff" * size)
    os.utime(file, ns=(stamp, stamp))
    assert load("org/tiny").revision == COMMIT
    assert tiny.downloads("model.safetensors") == 2


def test_code_that_comes_with_a_model_is_never_run(tiny):
    config_file = tiny.root / "org" / "tiny" / "config.json"
    config = json.loads(config_file.read_text())
    config |= {
        "model_type": "tiny",
        "auto_map": {"AutoConfig": "modeling.C", "AutoModelForCausalLM": "modeling.M"},
    }
    config_file.write_text(json.dumps(config))
    (config_file.parent / "modeling.py").write_text("raise SystemExit('ran')")
    with pytest.raises(ValueError, match="org/tiny cannot be loaded"):
        load("org/tiny")


def test_a_model_that_does_not_generate_is_refused(tiny):
    config_file = tiny.root / "org" / "tiny" / "config.json"
    config_file.write_text(json.dumps({"model_type": "t5", "vocab_size": 258}))
    with pytest.raises(ValueError, match="not a causal language model"):
        load("org/tiny")


def test_an_unknown_model_is_a_weights_error(hub):
    with pytest.raises(WeightsError, match="not on the hub"):
        load("org/absent")


def test_an_absent_device_is_named_with_the_choices():
    if torch.cuda.is_available():
        pytest.skip("cuda is available here")
    with pytest.raises(ValueError, match=r"one of auto, .*cpu \(cuda is not available here\), got cuda"):
        load("smollm2-135m", device="cuda")
    with pytest.raises(ValueError, match=r"device must be one of auto, .*cpu, got tpu"):
        choose_device("tpu")


@pytest.mark.parametrize(
    ("has_cuda", "has_bf16", "has_mps", "device", "dtype"),
    [
        (True, True, True, "cuda", "bfloat16"),
        (True, False, False, "cuda", "float16"),
        (False, False, True, "mps", "float32"),
        (False, False, False, "cpu", "float32"),
    ],
)
def test_auto_takes_the_fastest_device_and_a_precision_it_can_do(
    monkeypatch, has_cuda, has_bf16, has_mps, device, dtype
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: has_bf16)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has_mps)
    assert choose_device() == device
    assert choose_dtype("auto", device) == dtype
    assert choose_dtype("float16", device) == "float16"


def test_an_unknown_precision_is_named_with_the_choices():
    with pytest.raises(ValueError, match="dtype must be one of auto, float32, bfloat16, float16, got int8"):
        choose_dtype("int8", "cpu")


def test_a_model_that_cannot_fit_is_refused_before_its_download(hub, monkeypatch):
    monkeypatch.setattr(loading, "_memory_of", lambda device: 8_000_000_000)
    with pytest.raises(
        MemoryError, match=r"takes about 36\.6 GB, does not fit on cpu; choose .* 8\.0 GB in all"
    ):
        load("Qwen/Qwen2.5-7B-Instruct", device="cpu")
    assert hub.requests == []


def test_running_out_of_memory_while_loading_names_the_remedy(tiny, monkeypatch):
    def full(*_arguments, **_options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", full)
    with pytest.raises(MemoryError, match="org/tiny as float32 does not fit on cpu; choose a smaller model"):
        load("org/tiny", device="cpu")
    assert not loading._kept
