"""Whether a model fits: tables of models and devices, and what is made of them."""

from dataclasses import replace
from importlib import metadata

import pytest

from qwen_tui.engine.models.catalogue import KNOWN, known
from qwen_tui.engine.models.choices import ModelChoice, best_first
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.fit import Fit, fits, gigabytes
from qwen_tui.engine.models.load_plan import LoadPlan, plan
from qwen_tui.engine.models.size import ModelSize
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say

GB = 10**9
CPU = Device("cpu", "x86_64", 64 * GB, 32 * GB, True, 256)


def size(name: str) -> ModelSize:
    entry = known(f"Qwen/{name}")
    assert entry is not None
    return entry.shape.size


def gpus(*free_gb: float, chunk: int = 8192, has_bf16: bool = True) -> tuple[Device, ...]:
    """GPUs with so much free memory each, and the processor."""
    made = (
        Device(f"cuda:{index}", "GPU", 200 * GB, int(free * GB), has_bf16, chunk)
        for index, free in enumerate(free_gb)
    )
    return (*made, CPU)


def names(fit: Fit) -> list[str]:
    return [device.name for device in fit.devices]


H200, A10, T4 = gpus(149), gpus(23.5, chunk=4096), gpus(15.5, chunk=1024, has_bf16=False)


@pytest.mark.parametrize(
    ("model", "machine", "fitting"),
    [
        ("Qwen2.5-7B-Instruct", H200, "none 8bit 4bit"),
        ("Qwen2.5-72B-Instruct", H200, "none 8bit 4bit"),
        ("Qwen3-235B-A22B", H200, ""),
        ("Qwen2.5-7B-Instruct", A10, "none 8bit 4bit"),
        ("Qwen2.5-14B-Instruct", A10, "8bit 4bit"),
        ("Qwen2.5-32B-Instruct", A10, "4bit"),
        ("Qwen2.5-72B-Instruct", A10, ""),
        ("Qwen3-30B-A3B", A10, ""),
        ("Qwen2.5-7B-Instruct", T4, "8bit 4bit"),
        ("Qwen2.5-14B-Instruct", T4, "4bit"),
        ("Qwen2.5-7B-Instruct", (CPU,), "none 8bit 4bit"),
        ("Qwen2.5-72B-Instruct", (CPU,), ""),
        ("Qwen2.5-7B-Instruct", gpus(0.5), ""),
    ],
)
def test_which_forms_fit(model: str, machine: tuple[Device, ...], fitting: str) -> None:
    assert [form for form, fit in fits(size(model), machine).items() if fit.fits] == fitting.split()


@pytest.mark.parametrize(
    ("model", "machine", "wish", "form", "places", "comfortable"),
    [
        ("Qwen2.5-7B-Instruct", H200, "auto", "none", ["cuda:0"], True),
        ("Qwen2.5-7B-Instruct", T4, "auto", "4bit", ["cuda:0"], True),
        ("Qwen2.5-72B-Instruct", H200, "auto", "4bit", ["cuda:0"], True),
        ("Qwen2.5-14B-Instruct", gpus(24, 24), "auto", "4bit", ["cuda:0"], True),
        ("Qwen3-8B", gpus(24, 24), "auto", "none", ["cuda:0"], True),
        ("Qwen2.5-72B-Instruct", gpus(24, 24, 24, 24), "auto", "4bit", ["cuda:0", "cuda:1", "cuda:2"], True),
        (
            "Qwen3-30B-A3B",
            gpus(24, 24, 24, 24),
            "auto",
            "none",
            ["cuda:0", "cuda:1", "cuda:2", "cuda:3"],
            True,
        ),
        ("Qwen2.5-14B-Instruct", gpus(24, 24), "cuda:1", "4bit", ["cuda:1"], True),
        ("Qwen2.5-7B-Instruct", gpus(3, 80, 80), "auto", "none", ["cuda:1"], True),
        ("Qwen2.5-72B-Instruct", gpus(80, 5, 80, 80), "auto", "4bit", ["cuda:0"], True),
        ("Qwen2.5-7B-Instruct", gpus(3), "cpu", "none", ["cpu"], True),
        ("Qwen3-30B-A3B", gpus(62.5), "auto", "none", ["cuda:0"], False),
    ],
)
def test_what_auto_chooses(model, machine, wish, form, places, comfortable) -> None:
    chosen = plan(size(model), machine, device=wish)
    assert (chosen.fit.form, names(chosen.fit), chosen.fit.is_comfortable) == (form, places, comfortable)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 64])
@pytest.mark.parametrize("free_gb", [8, 12, 24, 48, 80])
@pytest.mark.parametrize("name", ["Qwen2.5-14B-Instruct", "Qwen3-8B", "Qwen2.5-72B-Instruct", "Qwen3.8-27B"])
def test_no_number_of_gpus_makes_a_model_leave_the_one_that_holds_it(
    name: str, free_gb: int, count: int
) -> None:
    alone = fits(size(name), gpus(free_gb))
    whole, packed = alone["none"], alone["4bit"]
    fitting = whole if whole.is_comfortable or not packed.fits else packed
    try:
        chosen = plan(size(name), gpus(*[free_gb] * count)).fit
    except QwenTuiError:
        assert not fitting.fits
        return
    assert len(chosen.devices) <= max(1, count)
    if fitting.fits:
        assert (chosen.form, chosen.devices, chosen.context_tokens) == (
            fitting.form,
            fitting.devices,
            fitting.context_tokens,
        )


def test_both_choices_are_shown_with_what_they_cost() -> None:
    fourteen, eight, cards = size("Qwen2.5-14B-Instruct"), size("Qwen3-8B"), gpus(24, 24)
    assert (
        "In bfloat16 (29.5 GB) it would be split across 2 GPUs and decode several times slower"
        in sentences(plan(fourteen, cards))
    )
    by_wish = plan(fourteen, cards, "none")
    assert names(by_wish.fit) == ["cuda:0", "cuda:1"]
    assert "fit on cuda:0 alone and decode several times faster, with 32,768 tokens" in sentences(by_wish)
    assert "In 4-bit (6.3 GB) there would be memory for 40,960 tokens" in sentences(plan(eight, cards))
    assert "In " not in sentences(plan(fourteen, gpus(24), "4bit"))


def test_a_dtype_that_is_asked_for_is_used_and_counted() -> None:
    small = size("Qwen2.5-0.5B-Instruct")
    for wish, dtype, width in (("fp16", "float16", 2), ("fp32", "float32", 4), ("bf16", "bfloat16", 2)):
        for machine in (H200, (CPU,)):
            chosen = plan(small, machine, "none", dtype=wish).fit
            assert (chosen.dtype, chosen.weight_bytes) == (dtype, width * small.parameters)


def test_a_small_model_goes_to_the_processor_when_no_gpu_has_room() -> None:
    full = gpus(0.4, 0.2)
    assert names(plan(size("Qwen2.5-0.5B-Instruct"), full).fit) == ["cpu"]
    assert names(plan(size("Qwen2.5-0.5B-Instruct"), gpus(0.4, 4)).fit) == ["cuda:1"]
    for wish, model in (("cuda", "Qwen2.5-0.5B-Instruct"), ("auto", "Qwen2.5-3B-Instruct")):
        with pytest.raises(QwenTuiError) as raised:
            plan(size(model), full, device=wish)
        assert raised.value.parameters["device"] == "cuda:0, cuda:1"


def test_a_form_that_is_asked_for_is_taken_or_refused() -> None:
    seven = size("Qwen2.5-7B-Instruct")
    assert plan(seven, H200, "8bit").fit.form == "8bit"
    with pytest.raises(QwenTuiError) as raised:
        plan(seven, gpus(12), "none")
    assert raised.value.code == "engine.does_not_fit"
    assert raised.value.parameters["device"] == "cuda:0"
    assert 16.0 < float(raised.value.parameters["needed_gb"]) < 17.5
    assert raised.value.parameters["free_gb"] == "12.0"


def test_a_model_that_is_too_large_in_every_form_is_refused_with_what_its_smallest_takes() -> None:
    with pytest.raises(QwenTuiError) as raised:
        plan(size("Qwen2.5-72B-Instruct"), gpus(12, 8))
    assert raised.value.code == "engine.does_not_fit_packed"
    assert raised.value.parameters["device"] == "cuda:0, cuda:1"
    assert raised.value.parameters["free_gb"] == "20.0"
    assert 42 < float(raised.value.parameters["needed_gb"]) < 45


def test_context_is_what_memory_is_left_for() -> None:
    model = size("Qwen3-4B-Instruct-2507")
    contexts = [fits(model, gpus(free))["none"].context_tokens for free in (9, 12, 24, 48, 149)]
    assert contexts == sorted(contexts)
    assert contexts[-1] == model.context_window
    assert 55_000 < contexts[2] < 70_000


@pytest.mark.parametrize(
    ("model", "free_gb", "longest"),
    [
        ("Qwen2.5-7B-Instruct", (17,), 4_354),
        ("Qwen2.5-7B-Instruct", (18,), 12_820),
        ("Qwen2.5-7B-Instruct", (20,), 33_400),
        ("Qwen2.5-7B-Instruct", (24,), 66_644),
        ("Qwen2.5-7B-Instruct", (12, 12), 28_300),
        ("Qwen2.5-7B-Instruct", (14, 9), 18_787),
        ("Qwen2.5-7B-Instruct", (16, 16), 78_308),
        ("Qwen3-0.6B", (3,), 5_021),
        ("Qwen3-0.6B", (5,), 18_663),
        ("Qwen3-0.6B", (8,), 36_973),
    ],
)
def test_what_is_foretold_did_fit_on_gpus(model: str, free_gb: tuple[int, ...], longest: int) -> None:
    # The longest of the tried contexts that ran on H200s whose allocators were limited to as much.
    endless = replace(size(model), context_window=1_000_000)
    foretold = fits(endless, gpus(*free_gb))["none"].context_tokens
    assert 0.6 * longest < foretold < 1.01 * longest


def test_a_gpu_that_others_use_counts_with_what_they_leave() -> None:
    model = size("Qwen2.5-7B-Instruct")
    assert names(plan(model, gpus(20, 60)).fit) == ["cuda:1"]
    busy = plan(model, gpus(20)).fit
    assert busy.fits
    assert busy.weight_bytes == 2 * model.parameters


def test_an_older_gpu_computes_in_fp16_and_so_do_several_of_which_one_is_old() -> None:
    model = size("Qwen2.5-3B-Instruct")
    assert plan(model, T4).fit.dtype == "float16"
    mixed = (*gpus(5)[:1], gpus(0, 5, chunk=1024, has_bf16=False)[1])
    assert plan(model, mixed, "none").fit.dtype == "float16"
    assert plan(model, H200).fit.dtype == "bfloat16"


def test_spread_weights_leave_each_gpu_room_for_its_share_of_the_context() -> None:
    chosen = plan(size("Qwen2.5-72B-Instruct"), gpus(80, 70, 60), "none")
    shares = dict(chosen.max_memory)
    assert list(shares) == ["cuda:0", "cuda:1", "cuda:2"]
    assert sum(shares.values()) >= chosen.fit.weight_bytes
    kv = chosen.fit.context_tokens * size("Qwen2.5-72B-Instruct").kv_bytes_per_token() / 3
    for device in chosen.fit.devices:
        assert shares[device.name] + 0.7 * kv < device.free_bytes
    assert shares["cuda:0"] > shares["cuda:1"] > shares["cuda:2"]


def test_what_was_saved_quantized_has_that_one_form() -> None:
    packed = replace(size("Qwen2.5-7B-Instruct"), packed_bytes=5 * GB)
    found = fits(packed, T4)
    assert list(found) == ["none"]
    for asked in ("auto", "4bit", "8bit"):
        assert plan(packed, T4, asked).fit.weight_bytes == 5 * GB


def sentences(chosen: LoadPlan) -> str:
    return " ".join(say(reason.code, **dict(reason.parameters)) for reason in chosen.reasons)


def test_a_plan_says_what_it_chose_and_why() -> None:
    seven = size("Qwen2.5-7B-Instruct")
    assert sentences(plan(seven, H200)) == "bfloat16: 15.2 GB of weights; 149.0 GB were free on cuda:0."
    packed = sentences(plan(seven, T4))
    assert "4bit" in packed
    assert "15.2" in packed
    assert "15.5" in packed
    spread = sentences(plan(size("Qwen2.5-14B-Instruct"), gpus(24, 24), "none"))
    assert "cuda:0, cuda:1" in spread
    short = plan(size("Qwen3-4B-Instruct-2507"), A10)
    assert f"{short.fit.context_tokens:,} tokens" in sentences(short)
    assert "262,144" in sentences(short)
    assert plan(seven, H200, "8bit").reasons == ()


@pytest.mark.parametrize("wish", ["cuda:3", "mps", "tpu", ""])
def test_a_device_that_is_not_there_is_named(wish: str) -> None:
    with pytest.raises(QwenTuiError) as raised:
        plan(size("Qwen2.5-7B-Instruct"), H200, device=wish)
    assert raised.value.code == "engine.no_such_device"
    assert raised.value.parameters["available"] == "cuda:0, cpu"


@pytest.mark.parametrize("wish", ["cuda", "cuda:0"])
@pytest.mark.parametrize(
    ("torch", "code", "next_step"),
    [
        ("2.13.0+cpu", "engine.torch_for_cpu", "Install PyTorch with CUDA"),
        ("2.13.0", "engine.no_gpu", "nvidia-smi"),
    ],
)
def test_without_any_gpu_it_is_said_why(
    wish: str, torch: str, code: str, next_step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: torch)
    with pytest.raises(QwenTuiError) as raised:
        plan(size("Qwen2.5-0.5B-Instruct"), H200[-1:], device=wish)
    assert raised.value.code == code
    assert next_step in str(raised.value)
    assert wish in str(raised.value)


def test_cuda_means_any_of_the_gpus() -> None:
    assert names(plan(size("Qwen2.5-7B-Instruct"), gpus(10, 80), device="cuda").fit) == ["cuda:1"]


def test_a_tiny_model_is_not_said_to_weigh_nothing() -> None:
    assert [gigabytes(count) for count in (0, 230_000, 13_400_000, 49_000_000, 120_000_000, 15_230_000_000)] == [
        "0.0", "0.00023", "0.013", "0.049", "0.1", "15.2",
    ]  # fmt: skip


# --- In which order models are offered --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machine", "first"),
    [
        (H200, "Qwen3.8-27B"),
        (A10, "Qwen3.8-27B"),
        (gpus(8), "Qwen3.5-4B"),
        (gpus(8, 8, 8, 8), "Qwen3.5-4B"),
        ((CPU,), "Qwen3.5-0.8B"),
    ],
)
def test_the_newest_model_that_runs_well_here_is_offered_first_and_that_of_the_guide_next(
    machine: tuple[Device, ...], first: str
) -> None:
    known_ones = [ModelChoice(each.model, "known", None, each) for each in KNOWN]
    offered = [each.name for each in best_first(known_ones, machine)]
    assert offered[:2] == [first, "Qwen2.5-7B-Instruct"]
    assert sorted(offered) == sorted(each.name for each in known_ones)
