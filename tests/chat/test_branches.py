"""Variants, deleting and undoing on conversations of any shape."""

from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.chat.branches import Variant, brought_back, siblings, turned, variants, without
from qwen_tui.chat.codec import decode, encode
from qwen_tui.chat.messages import Conversation, Message, Role


def tree(*lines: str) -> Conversation:
    """A conversation from `id<parent` pairs; ids that begin with q are questions. The last one is shown."""
    conversation = Conversation(name="tree")
    for line in lines:
        own, _, parent = line.partition("<")
        role = Role.USER if own.startswith("q") else Role.ASSISTANT
        conversation = conversation.with_message(
            Message(role=role, content=own, id=own, parent=parent or None)
        )
    return conversation


def shown(conversation: Conversation) -> str:
    return " ".join(message.id for message in conversation.path())


@st.composite
def trees(draw: st.DrawFn) -> Conversation:
    conversation = Conversation(name="tree")
    for number in range(draw(st.integers(1, 14))):
        parents = [None, *conversation.messages]
        parent = draw(st.sampled_from(parents))
        is_answer = parent is not None and parent.role is Role.USER and draw(st.integers(0, 4)) > 0
        role = Role.ASSISTANT if is_answer else Role.USER
        message = Message(
            role=role, content=str(number), id=str(number), parent=parent.id if parent else None
        )
        conversation = conversation.with_message(message)
    return turned(conversation, draw(st.sampled_from(conversation.messages)).id, 0)


def test_variants_of_replies_and_questions_are_walked_to_their_newest_leaf() -> None:
    talk = tree("q1", "a1<q1", "q2<a1", "a2<q2", "a1b<q1", "q3<a1b")
    assert variants(talk) == {"a1b": Variant(2, 2)}
    before = turned(talk, "a1b", -1)
    assert shown(before) == "q1 a1 q2 a2"
    assert shown(turned(before, "a1", 1)) == "q1 a1b q3"
    assert turned(before, "a1", -1) is before
    assert turned(before, "a1", 2) is before
    assert turned(before, "nobody", 1) is before


def test_what_is_walked_back_to_is_shown_as_it_was() -> None:
    talk = tree("q1", "a1<q1", "q2<a1", "a1b<q1", "q3<a1b", "q1x", "ax<q1x")
    assert shown(turned(talk, "q1x", -1)) == "q1 a1b q3"
    assert shown(turned(talk, "q1x", -1, {"q1": "a1"})) == "q1 a1 q2"
    assert shown(turned(talk, "q1x", -1, {"q1": "gone", "a1b": "q2"})) == "q1 a1b q3", "nothing of it holds"


def test_a_question_goes_with_all_its_answers_and_what_followed_is_joined() -> None:
    talk = tree("q1", "a1<q1", "q2<a1", "a2<q2", "a2b<q2", "q3<a2b", "a3<q3")
    left = without(talk, "q2")
    assert shown(left) == "q1 a1 q3 a3"
    assert shown(brought_back(left, talk)) == "q1 a1 q2 a2b q3 a3"


def test_the_last_turn_goes_and_what_stood_before_is_shown() -> None:
    talk = tree("q1", "a1<q1", "q2<a1", "a2<q2")
    assert shown(without(talk, "q2")) == "q1 a1"
    assert shown(without(talk, "a2")) == "q1 a1 q2"
    assert without(tree("q1", "a1<q1"), "q1").head is None


def test_a_variant_goes_alone_and_the_one_beside_it_inherits() -> None:
    talk = tree("q1", "a1<q1", "a1b<q1", "q2<a1b", "a2<q2")
    left = without(talk, "a1b")
    assert shown(left) == "q1 a1 q2 a2"
    assert shown(without(turned(talk, "a1b", -1), "a1")) == "q1 a1b q2 a2"


def test_an_heir_that_is_younger_than_what_it_inherits_still_stands_before_it() -> None:
    talk = tree("q1", "a1<q1", "q2<a1", "a1b<q1")
    left = without(talk, "a1")
    assert [message.id for message in left.messages] == ["q1", "a1b", "q2"]


def test_an_edited_question_goes_and_the_original_is_shown() -> None:
    talk = tree("q1", "a1<q1", "q1b", "a1c<q1b")
    assert shown(without(talk, "q1b")) == "q1 a1"


@given(trees(), st.data())
def test_deleting_and_undoing_any_message_changes_nothing_else(
    talk: Conversation, data: st.DataObject
) -> None:
    message = data.draw(st.sampled_from(talk.messages))
    left = without(talk, message.id)
    gone = {each.id for each in talk.messages} - {each.id for each in left.messages}
    assert message.id in gone
    answers = {m.id for m in talk.messages if m.parent == message.id and m.role is Role.ASSISTANT}
    assert gone - {message.id} <= (answers if message.role is Role.USER else set())
    there = {None}
    for each in left.messages:
        assert each.parent in there, "a parent stands before its children"
        there.add(each.id)
    assert left.head in there
    again = brought_back(left, talk)
    assert again.messages == talk.messages
    assert message.id in {each.id for each in again.messages}
    assert decode(encode(left), "x").messages == left.messages


@given(trees(), st.data())
def test_undo_keeps_what_was_said_since(talk: Conversation, data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(talk.messages))
    left = without(talk, message.id)
    later = left.with_message(Message(role=Role.USER, content="later", id="later", parent=left.head))
    again = brought_back(later, talk)
    assert {m.id for m in again.messages} == {m.id for m in talk.messages} | {"later"}
    assert siblings(again, "later")
