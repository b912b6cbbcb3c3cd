"""The message box: where messages are written, and where refused or withdrawn ones return to."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as Posted
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import TextArea

from qwen_tui.chat.drafts import UnsentEdit
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.draft import Draft, Editing, Written
from qwen_tui.strings import say
from qwen_tui.ui.composer.attachment import Attachment, Attachments
from qwen_tui.ui.composer.external_editor import edit
from qwen_tui.ui.composer.history import Recall
from qwen_tui.ui.composer.text_area import MessageArea
from qwen_tui.ui.widgets.keys import key_of, keys_of
from qwen_tui.wording.units import draft_in_words, in_bytes

DEBOUNCE_SECONDS = 0.1
"""How long typing must pause before `DraftChanged` is sent."""

HELP_WORDS = ("/help", "/?", "?")
"""Messages that show the help when sent alone, as in other programs."""

MOST_TO_OPEN = 200_000
"""Maximum size, in characters, of a pasted text that can be opened in the text area and still be edited."""


class Composer(Vertical):
    """A text area with pasted texts above it; keeps unsent text until it is sent."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "open_editor", say("composer.key.editor"), id="chat.editor", show=False),
        Binding("escape", "cancel_edit", say("composer.key.cancel"), id="chat.stop"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    Composer {
        height: auto;
        &.-editing MessageArea { border: round $accent; border-title-color: $accent; }
    }
    """

    @dataclass
    class Submitted(Posted):
        """A message or an edit was submitted. The box is already cleared; call `give_back` if it is refused."""

        text: str
        editing: Editing | None = None

    class DraftChanged(Posted):
        """The text has changed, and typing has paused."""

    @dataclass
    class Failed(Posted):
        """An action of the message box failed; the text is unchanged."""

        error: QwenTuiError

    busy: reactive[bool] = reactive(False, toggle_class="-busy")
    """A reply is running; messages sent now wait for it."""
    title: reactive[str] = reactive("")
    """The conversation's name, shown as the title."""
    thinking: reactive[str] = reactive("")
    """How the next reply is asked to think, in words; empty if it is left to the template."""
    draft_words: reactive[str] = reactive(partial(draft_in_words, None))
    """The number of tokens of the draft, in words."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.history: tuple[str, ...] = ()
        """Earlier messages, oldest first, for up and down."""
        self.editing: Editing | None = None
        """The edit in progress; None while a new message is written."""
        self._unsent_edits: dict[str, str] = {}
        """Unsent edits by message id, restored when the same message is edited again."""
        self._recall: Recall | None = None
        self._taken = Draft()
        """The draft taken last: `give_back` needs it to separate attachments from text."""
        self._resting: Timer | None = None
        self._area = MessageArea()
        self._attachments = Attachments()

    def compose(self) -> ComposeResult:
        yield self._attachments
        yield self._area

    @property
    def text(self) -> str:
        return self.draft.message

    @property
    def selected_text(self) -> str:
        return self._area.selected_text

    @property
    def draft(self) -> Draft:
        return Draft(self._attachments.texts, self._area.text)

    @property
    def written(self) -> Written:
        """All unsent text: what is shown, and what an edit or a recalled message has replaced."""
        editing, edits = self.editing, dict(self._unsent_edits)
        draft = self.draft if self._recall is None else self._recall.draft(self.draft)
        if editing is None:
            return Written(draft, _as_tuple(edits))
        if draft.message == editing.original:
            return Written(editing.kept, _as_tuple(edits))
        edits[editing.message_id] = draft.message
        return Written(editing.kept, _as_tuple(edits), editing.message_id)

    def focus(self, scroll_visible: bool = True) -> "Composer":
        self._area.focus(scroll_visible)
        return self

    def take(self) -> str:
        """Remove and return the message; the text that an edit or recalled message had replaced is restored."""
        message, self._taken = self.text, self.draft
        behind = self.editing.kept if self.editing is not None else self._recall and self._recall.end
        self.put(behind or Draft())
        return message

    def put(self, draft: Draft) -> None:
        """Replace the content of the message box, ending any edit."""
        self.editing = self._recall = None
        self._show(draft)
        self.watch_title()

    def restore(self, written: Written) -> None:
        """Show the unsent text of a conversation; use `begin_edit` to continue one of its edits."""
        self.put(written.draft)
        self._unsent_edits = {each.message_id: each.text for each in written.edits}

    def edit(self, message_id: str, text: str, *, is_reply: bool) -> None:
        """Edit a message; the current draft is restored afterwards."""
        self.begin_edit(message_id, text, is_reply=is_reply)
        self.focus()

    def begin_edit(self, message_id: str, text: str, *, is_reply: bool, unsent: str = "") -> None:
        """Start an edit without moving the focus; `unsent` is placed before any earlier unsent edit."""
        self.leave_edit()
        kept = self.written.draft
        self.put(
            Draft.of("\n\n".join(filter(None, (unsent, self._unsent_edits.pop(message_id, "")))) or text)
        )
        self.editing = Editing(message_id, is_reply, text, kept)
        self.watch_title()

    def leave_edit(self) -> bool:
        """End the edit and restore the draft; return False if nothing is being edited."""
        if self.editing is None:
            return False
        if self.text != self.editing.original:
            self._unsent_edits[self.editing.message_id] = self.text
        self.put(self.editing.kept)
        return True

    def add(self, draft: Draft) -> None:
        """Append a draft to the content, with the cursor at the end."""
        for attachment in draft.attachments:
            self._attachments.add(attachment)
        self._area.move_cursor(self._area.document.end)
        self._area.insert(("\n\n" if self._area.text and draft.text else "") + draft.text)
        self._changed()

    def give_back(self, text: str) -> None:
        """Put a message before the current draft, even if an edit hides it; nothing is lost."""
        given, here = self._taken if self._taken.message == text else Draft.of(text), self.draft
        if self.editing is not None:
            self.editing = self.editing._replace(kept=given.followed_by(self.editing.kept))
            self._changed()
            return
        for at, attachment in enumerate(given.attachments):
            self._attachments.add(attachment, at)
        between = "\n\n" if given.text and here.text else ""
        self._area.insert(given.text + between, (0, 0), maintain_selection_offset=True)
        if not here.text:
            self._area.move_cursor(self._area.document.end)
        self._changed()

    def watch_title(self) -> None:
        """Show the conversation's name, or that a message is being edited."""
        title, self._area.purpose = self.title, "send"
        if self.editing is not None:
            what, self._area.purpose = ("reply", "save") if self.editing.is_reply else ("question", "resend")
            title = say(f"composer.edits_{what}", **keys_of(self, enter="chat.send", esc="chat.stop"))
        self._area.border_title = Content(title) if title else None
        self._area.placeholder = Content(say(f"composer.placeholder{'.busy' if self.busy else ''}"))
        self.set_class(self.editing is not None, "-editing")
        self.refresh_bindings()

    watch_busy = watch_title

    def watch_draft_words(self) -> None:
        words = self.draft_words if self._area.text or self._attachments.all else ""
        self._area.border_subtitle = Content(" · ".join(filter(None, (self.thinking, words))))

    @on(TextArea.Changed)
    @on(MessageArea.LargePaste)
    def _text_changed(self, event: TextArea.Changed | MessageArea.LargePaste) -> None:
        event.stop()
        if isinstance(event, MessageArea.LargePaste):
            self._attachments.add(event.text)
        self._changed()

    @on(MessageArea.Wanted)
    def _do_with_text(self, event: MessageArea.Wanted) -> None:
        event.stop()
        editing = self.editing
        match event.what:
            case "send" if editing is None and self.text in HELP_WORDS:
                self.take()
                self.call_later(self.run_action, "app.show_help")
            case "send" if self.text:
                self.post_message(self.Submitted(self.take(), editing))
            case "back" if self._attachments.all:
                self._attachments.all[-1].focus()  # focus it first: another backspace removes it
            case "older":
                self._walk(-1)
            case "newer":
                self._walk(1)

    @on(Attachment.Wanted)
    def _do_with_attachment(self, event: Attachment.Wanted) -> None:
        event.stop()
        attachment, text = event.attachment, event.attachment.text
        if event.what == "type":
            self.screen.set_focus(self._area)
            self._area.insert(event.character)
        elif attachment not in self._attachments.all:
            pass  # a key pressed twice before the first was handled
        elif event.what == "open" and len(text) > MOST_TO_OPEN:
            size, key = in_bytes(len(text.encode())), key_of(self, "chat.editor")
            self.post_message(self.Failed(QwenTuiError("composer.too_large_to_edit", size=size, key=key)))
        else:
            self._attachments.drop(attachment)
            self._area.focus()
            if event.what == "open":
                self._area.insert(text + ("\n\n" if self._area.text else ""), (0, 0))
            self._changed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "cancel_edit" or self.editing is not None

    action_cancel_edit = leave_edit
    watch_thinking = watch_draft_words

    def action_open_editor(self) -> None:
        try:
            text = edit(self.app, self.text)
        except QwenTuiError as error:
            self.post_message(self.Failed(error))
            return
        edited = Draft.of(text)
        self._attachments.show(edited.attachments)
        self._area.replace(edited.text, (0, 0), self._area.document.end, maintain_selection_offset=False)
        self._changed()
        self.focus()

    def _walk(self, way: int) -> None:
        recall = self._recall or Recall(self.history, self.draft)
        if (found := recall.step(self.draft, way)) is not None:
            self._recall = None if recall.is_back else recall
            self._show(found)
        elif way < 0 and not self.text and self.screen.query(".suggestion"):
            self.screen.focus_previous(".suggestion")

    def _show(self, draft: Draft) -> None:
        if self._attachments.has_focus_within:
            self._area.focus()
        self._attachments.show(draft.attachments)
        self._area.put(draft.text)
        self._changed()

    def _changed(self) -> None:
        self.watch_draft_words()
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(DEBOUNCE_SECONDS, lambda: self.post_message(self.DraftChanged()))


def _as_tuple(edits: dict[str, str]) -> tuple[UnsentEdit, ...]:
    return tuple(UnsentEdit(message_id, text) for message_id, text in edits.items())
