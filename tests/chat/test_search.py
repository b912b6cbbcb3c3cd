"""Searching: what is found, where it stands, and what becomes of files that go away meanwhile."""

from dataclasses import replace
from pathlib import Path

import pytest
from samples import answer, chat, question
from work import work_of

from qwen_tui.chat import search as search_module
from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.codec import encode
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.search import Hit, Search
from qwen_tui.chat.store import ConversationStore


@pytest.fixture
def search(folder: Path) -> Search:
    return Search(folder)


def talk(name: str, *texts: str) -> Conversation:
    conversation = Conversation(name=name)
    for text in texts:
        conversation = conversation.with_message(question(text, conversation.head))
    return conversation


def hits(store: ConversationStore, search: Search, query: str) -> list[Hit]:
    return list(search.hits(store.list(), query))


def found(store: ConversationStore, search: Search, query: str) -> set[str]:
    return {hit.entry.name for hit in hits(store, search, query)}


def test_every_word_must_occur_in_name_or_contents(store: ConversationStore, search: Search) -> None:
    store.save(talk("Breakfast", "Where is the best Dim Sum?", "In 广州, of course: 早茶。"))
    store.save(talk("Dinner", "Roast goose 烧鹅"))
    assert found(store, search, "dim sum") == {"Breakfast"}
    assert found(store, search, "SUM breakfast 早茶") == {"Breakfast"}
    assert found(store, search, "early 早茶") == set()
    assert found(store, search, "goose") == {"Dinner"}
    assert found(store, search, "o") == {"Breakfast", "Dinner"}
    for nothing in ("", "  \n", "\x00"):
        assert found(store, search, nothing) == set()


def test_names_come_first_and_need_no_snippet(store: ConversationStore, search: Search) -> None:
    store.save(talk("goose", "x"))
    store.save(talk("other", "a goose"))
    first, second = hits(store, search, "goose")
    assert (first.entry.name, first.snippet, first.message_id) == ("goose", "", None)
    assert (second.entry.name, second.snippet) == ("other", "a goose")


def test_a_hit_shows_the_words_around_the_match_and_names_the_message(
    store: ConversationStore, search: Search
) -> None:
    conversation = talk("x", "nothing here", "word " * 100 + "\n\nthe needle\tis here\n" + "word " * 100)
    store.save(conversation)
    [hit] = hits(store, search, "NEEDLE")
    assert hit.message_id == conversation.messages[1].id
    assert hit.snippet.startswith("…")
    assert "the needle is here word" in hit.snippet
    assert hit.snippet.index("needle") < 40
    assert len(hit.snippet) <= 125


def test_a_message_with_every_word_is_shown_before_one_with_some(
    store: ConversationStore, search: Search
) -> None:
    conversation = talk("x", "red apples", "red and green apples", "green pears")
    store.save(conversation)
    assert hits(store, search, "green red")[0].message_id == conversation.messages[1].id
    assert hits(store, search, "pears red")[0].message_id == conversation.messages[0].id


def test_other_branches_are_searched_too(store: ConversationStore, search: Search) -> None:
    conversation = chat("x")
    other = answer("only on the other branch", conversation.messages[0].id)
    store.save(replace(conversation.with_message(other), head=conversation.head))
    [hit] = hits(store, search, "other branch")
    assert hit.message_id == other.id


@pytest.mark.parametrize(
    ("said", "query", "shown"),
    [
        ("Straße", "STRASSE", "Straße"),
        ("ß" * 100 + " needle", "needle", "needle"),
        ("İstanbul'da needle", "NEEDLE", "needle"),
        ("cafe\u0301", "CAFÉ", "café"),
        ("café", "cafe\u0301", "café"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("a\x00b", "ab", "ab"),
        ("👩‍👩‍👧 family", "👩‍👩‍👧", "family"),
    ],
)
def test_upper_case_and_accents_of_any_language(
    store: ConversationStore, search: Search, said: str, query: str, shown: str
) -> None:
    store.save(talk("x", said))
    [hit] = hits(store, search, query)
    assert shown in hit.snippet


def test_what_has_changed_is_found_as_it_is_now(store: ConversationStore, search: Search) -> None:
    conversation = store.save(talk("x", "before"))
    entries = store.list()
    assert found(store, search, "before") == {"x"}
    store.save(replace(talk("x", "after"), id=conversation.id))
    assert [hit.snippet for hit in search.hits(entries, "after")] == ["after"]


def test_files_that_vanish_or_break_count_by_their_names(
    store: ConversationStore, search: Search, folder: Path
) -> None:
    for name in ("a", "b", "c", "d"):
        store.save(talk(name, f"needle {name}"))
    entries = store.list()
    assert len(list(search.hits(entries, "needle"))) == 4
    (folder / "a.json").unlink()
    (folder / "b.json").write_bytes(b"\xff\xff")
    (folder / "c.json").write_text('{"messages": [{"role": "user", "content": "by hand, a needle"}]}')
    assert {hit.entry.name for hit in search.hits(entries, "needle")} == {"c", "d"}
    assert next(hit for hit in search.hits(entries, "hand")).message_id == "m1"
    assert [hit.entry.name for hit in search.hits(entries, "a")][:1] == ["a"]
    for path in folder.glob("*.json"):
        path.unlink()
    folder.rename(folder.with_name("gone"))
    assert {hit.entry.name for hit in search.hits(entries, "needle")} == set()


def test_a_search_that_is_stopped_reads_no_more(store: ConversationStore, search: Search) -> None:
    for number in range(5):
        store.save(talk(f"{number}", "needle"))
    asked: list[None] = []

    def is_stopped() -> bool:
        asked.append(None)
        return len(asked) > 2

    assert len(list(search.hits(store.list(), "needle", is_stopped))) == 2


def test_snippets_hold_nothing_that_controls_the_terminal(
    store: ConversationStore, search: Search, folder: Path
) -> None:
    store.save(talk("x", "x"))
    hostile = '{"messages": [{"role": "user", "id": "a", "content": "needle \\u001b[31m\\u202e\\u0007\\nx"}]}'
    (folder / "x.json").write_text(hostile)
    [hit] = hits(store, search, "needle")
    assert hit.snippet == one_line(hit.snippet)
    assert hit.snippet.isprintable()


def test_memory_is_bounded_and_what_is_not_kept_is_found_all_the_same(
    store: ConversationStore, search: Search, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "KEPT_BYTES", 25_000)
    monkeypatch.setattr(search_module, "LARGEST_BYTES", 100_000)
    for number in range(10):
        store.save(talk(f"{number}", f"needle {number} " + "x" * 10_000))
    store.save(talk("huge", "needle " * 20_000))
    for _ in range(3):
        assert len(hits(store, search, "needle")) == 10
        assert 10_000 < search._size <= 25_000
        assert search._size == sum(texts.size for texts in search._kept.values())


def test_hundreds_of_conversations_are_searched_at_once(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(300):
        conversation = talk(f"talk {number}", *(f"{'烧鹅 or dim sum? ' * 150} {number}" for _ in range(20)))
        (folder / f"{number}.json").write_bytes(encode(conversation))
    search, entries = Search(folder), ConversationStore(folder).list()
    found: list[int] = []
    first, *others = (
        work_of(lambda query=query: found.append(len(list(search.hits(entries, query)))))
        for query in ("n", "ne", "sum? 299")
    )
    assert found[-1] == 1
    assert first < 130
    assert min(others) < 7
