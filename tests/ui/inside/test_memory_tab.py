"""What stands in memory, and what rounding does to the weights, as the engine measures it."""

from qwen_tui.engine.inspection import KeptCache, MemoryFacts, Rounding, WeightsPart
from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.inside.memory_page import MemoryPage
from qwen_tui.ui.inside.subject import Look

FACTS = MemoryFacts(
    device="cuda:0",
    weights=(
        WeightsPart("nf4", 6_500_000_000, 3_700_000_000),
        WeightsPart("bfloat16", 1_100_000_000, 2_200_000_000),
    ),
    cache=KeptCache(1_204, 57_344, 1_900_000_000, 30_000_000, 24, 8),
    total_bytes=24_000_000_000,
    free_bytes=15_000_000_000,
    tokens_left=31_564,
    matrices=("layers.0.q", "layers.0.k"),
    as_16_bits=15_200_000_000,
    as_8_bits=8_700_000_000,
    as_4_bits=5_900_000_000,
)


def shown(page: MemoryPage, width: int = 80) -> str:
    return "\n".join(row.text for row in page.rows(width))


def test_weights_cache_and_what_is_free_are_told() -> None:
    text = shown(MemoryPage(Look(memory=FACTS)))
    for words in ("Memory of cuda:0: 24.0 GB", "Weights nf4 (6.5 B)", "15.2 GB", "57 KB for each token."):
        assert words in text
    assert "1,204 tokens kept now: 69 MB of 1.9 GB reserved." in text
    assert "31,564 more tokens fit." in text
    assert "24 layers keep a constant state (30 MB together), 8 keep every token." in text


def test_the_chosen_matrix_is_measured_and_another_one_asks_again() -> None:
    look = Look(memory=FACTS)
    page = MemoryPage(look)
    assert page.matrix == "layers.0.q"
    look.rounding = Rounding("layers.0.q", 8, 4, 64, 32, 18, 0.007, 0.093, ((0.5, 0.498, 0.45),))
    assert "error 9.30 %" in shown(page)
    assert page.goes_to_end
    page.move(1, 0)
    assert page.matrix == "layers.0.k"
    assert "error 9.30 %" not in shown(page)


def test_a_server_says_that_its_memory_is_not_known() -> None:
    error = QwenTuiError("server.no_memory")
    assert error.explanation.sentence[:20] in shown(MemoryPage(Look(memory=error)), 200)
