"""The choice of what the model sees, as properties of the pure function."""

from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.chat.context import SLACK, Cost, fit, reply_room

turn = st.tuples(st.integers(1, 60), st.integers(0, 60))
talks = st.lists(turn, min_size=1, max_size=60)


def costs_of(turns: list[tuple[int, int]]) -> list[Cost]:
    """A talk whose newest message waits for its answer."""
    pairs = [(Cost(asked, True), Cost(answered, False)) for asked, answered in turns]
    return [cost for pair in pairs for cost in pair][:-1]


@given(talks, st.integers(0, 50), st.integers(1, 1500))
def test_what_is_sent_fits_unless_the_newest_turn_alone_does_not(turns, fixed, budget) -> None:
    costs = costs_of(turns)
    window = fit(costs, fixed, budget)
    assert window.used_tokens == fixed + sum(cost.tokens for cost in costs[window.start :])
    assert window.fits or window.start == len(costs) - 1


@given(talks, st.integers(0, 50), st.integers(1, 1500))
def test_history_is_cut_in_whole_turns(turns, fixed, budget) -> None:
    costs = costs_of(turns)
    assert costs[fit(costs, fixed, budget).start].opens_turn


@given(talks, st.integers(0, 50), st.integers(1, 1500))
def test_nothing_is_cut_that_would_fit(turns, fixed, budget) -> None:
    costs = costs_of(turns)
    if fixed + sum(cost.tokens for cost in costs) <= budget:
        assert fit(costs, fixed, budget).start == 0


@given(talks, st.integers(0, 50), st.integers(1, 1500))
def test_the_beginning_of_memory_never_moves_back_and_moves_with_slack(turns, fixed, budget) -> None:
    starts = []
    for length in range(1, len(turns) + 1):
        costs = costs_of(turns[:length])
        window = fit(costs, fixed, budget)
        if starts and window.start > starts[-1] and window.start < len(costs) - 1:
            assert window.used_tokens <= SLACK * budget
        starts.append(window.start)
    assert starts == sorted(starts)


@given(talks, st.integers(1, 10))
def test_a_limit_in_turns_holds(turns, limit) -> None:
    costs = costs_of(turns)
    sent = costs[fit(costs, 0, 10**9, turns=limit).start :]
    assert sum(cost.opens_turn for cost in sent) == min(limit, len(turns))


@given(talks)
def test_without_memory_only_the_newest_message_is_sent(turns) -> None:
    costs = costs_of(turns)
    assert fit(costs, 0, 10**9, memory=False).start == len(costs) - 1


def test_room_for_the_reply_is_at_most_a_quarter_of_the_window() -> None:
    assert reply_room(32_768, 2_048) == 2_048
    assert reply_room(2_048, 2_048) == 512
