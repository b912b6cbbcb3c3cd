"""The composer: where a message is written, and what a refused or taken-back one returns to."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message as Posted
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import TextArea

from qwen_tui.chat.drafts import UnsentEdit
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.draft import Draft, Editing, Written
from qwen_tui.strings import say
from qwen_tui.ui.composer.attachment import Attachment
from qwen_tui.ui.composer.external_editor import edit
from qwen_tui.ui.composer.history import Recall
from qwen_tui.ui.composer.text_area import MessageArea
from qwen_tui.ui.widgets.keys import key_of, keys_of
from qwen_tui.wording.units import in_bytes, in_tokens

DEBOUNCE_SECONDS = 0.1
"""How long the text must rest before `DraftChanged` is sent."""

HELP_WORDS = ("/help", "/?", "?")
"""Typed alone as a message they show the help, as in other programs."""

MOST_TO_OPEN = 200_000
"""A pasted text with more characters than this stays closed: the text area could not be used with it."""


class Composer(Vertical):
    """A text area with pasted texts above it. It keeps what is written until it is sent."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "open_editor", say("composer.key.editor"), id="chat.editor", show=False),
        Binding("escape", "cancel_edit", say("composer.key.cancel"), id="chat.stop"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    Composer {
        height: auto;
        #attachments { height: auto; max-height: 4; display: none; }
        &.-attached #attachments { display: block; }
        &.-editing MessageArea { border: round $accent; border-title-color: $accent; }
    }
    """

    @dataclass
    class Submitted(Posted):
        """A message is to be sent. It has left the composer; `give_back` it when it is refused."""

        text: str
        editing: Editing | None = None
        """The message that it takes the place of; None for a new one."""

    @dataclass
    class DraftChanged(Posted):
        """The text has changed and rested for a moment."""

        text: str
        """The whole message as it would be sent."""

    @dataclass
    class Failed(Posted):
        """Something that was asked of the composer could not be done; the text is as it was."""

        error: QwenTuiError

    busy: reactive[bool] = reactive(False, toggle_class="-busy")
    """A reply is running: what is sent now waits for it."""
    placeholder: reactive[str] = reactive("")
    """What an empty text area says; empty for the usual words."""
    title: reactive[str] = reactive("")
    """What the message will belong to: the conversation's name."""
    counts_exactly: reactive[bool] = reactive(True)
    """False: `draft_tokens` is an estimate."""
    draft_tokens: reactive[int | None] = reactive(None)
    """How many tokens the draft takes; None while that is not known."""

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.history: tuple[str, ...] = ()
        """Earlier messages, oldest first; up and down walk through them."""
        self.editing: Editing | None = None
        """The message that is written anew; None while a new one is written."""
        self._unsent_edits: dict[str, str] = {}
        """By message id: what was left unsent, for when the same message is edited again."""
        self._recall: Recall | None = None
        self._taken = Draft()
        """What was taken last: its attachments are told apart from its text when it is given back."""
        self._resting: Timer | None = None
        self._chips: list[Attachment] = []
        """The pasted texts, in order. Their parent only shows them: it has none any more while the app is left."""
        self._area = MessageArea()
        self._attachments = VerticalScroll(id="attachments", can_focus=False)

    def compose(self) -> ComposeResult:
        """Pasted texts, then the text area."""
        yield self._attachments
        yield self._area

    def on_mount(self) -> None:
        """Show the usual words."""
        self.watch_busy()

    # --- What stands here ----------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The whole message as it would be sent; empty when there is none."""
        return self.draft.message

    @property
    def selected_text(self) -> str:
        """What is selected in the text area."""
        return self._area.selected_text

    @property
    def draft(self) -> Draft:
        """What stands here."""
        return Draft(tuple(chip.text for chip in self._chips), self._area.text)

    @property
    def written(self) -> Written:
        """All that is written here and not sent: what stands here, and what is behind it."""
        editing, edits = self.editing, dict(self._unsent_edits)
        if editing is None:
            return Written(self._own_draft, _as_tuple(edits))
        text = self._own_draft.message
        is_changed = text != editing.original
        if is_changed:
            edits[editing.message_id] = text
        return Written(editing.kept, _as_tuple(edits), editing.message_id if is_changed else "")

    @property
    def _own_draft(self) -> Draft:
        return self.draft if self._recall is None else self._recall.draft(self.draft)

    def focus(self, scroll_visible: bool = True) -> "Composer":
        """Let the person type here."""
        self._area.focus(scroll_visible)
        return self

    def take(self) -> str:
        """Take the whole message out; what stood here before an edit or a walk comes back, if anything did."""
        message, behind = self.text, Draft()
        self._taken = self.draft
        if self.editing is not None:
            behind = self.editing.kept
        elif self._recall is not None:
            behind = self._recall.end
        self.put(behind)
        return message

    def put(self, draft: Draft) -> None:
        """Show this instead of what stands here; whatever was edited is no longer."""
        self.editing = self._recall = None
        self._show(draft)
        self.watch_title()

    def restore(self, written: Written) -> None:
        """Show what was written in a conversation; `begin_edit` goes on with one of its edits."""
        self.put(written.draft)
        self._unsent_edits = {each.message_id: each.text for each in written.edits}

    def edit(self, message_id: str, text: str, *, is_reply: bool) -> None:
        """Let the person write a message anew; what stands here comes back afterwards."""
        self.begin_edit(message_id, text, is_reply=is_reply)
        self.focus()

    def begin_edit(self, message_id: str, text: str, *, is_reply: bool) -> None:
        """The same, and the keyboard stays where it is."""
        self.leave_edit()
        kept = self._own_draft
        self.put(Draft.of(self._unsent_edits.pop(message_id, text)))
        self.editing = Editing(message_id, is_reply, text, kept)
        self.watch_title()

    def leave_edit(self) -> bool:
        """Show again what stood here before a message was edited; False when none is."""
        if self.editing is None:
            return False
        if self.text != self.editing.original:
            self._unsent_edits[self.editing.message_id] = self.text
        self.put(self.editing.kept)
        return True

    def add(self, draft: Draft) -> None:
        """Put more behind what stands here, and the cursor behind that."""
        for attachment in draft.attachments:
            self._add_chip(attachment)
        between = "\n\n" if self._area.text and draft.text else ""
        self._area.move_cursor(self._area.document.end)
        self._area.insert(between + draft.text)

    def give_back(self, text: str) -> None:
        """Put a message in front of what stands here; nothing of that is lost."""
        given, here = self._taken if self._taken.message == text else Draft.of(text), self.draft
        between = "\n\n" if given.text and here.text else ""
        for at, attachment in enumerate(given.attachments):
            self._add_chip(attachment, at)
        self._area.insert(given.text + between, (0, 0), maintain_selection_offset=True)
        if not here.text:
            self._area.move_cursor(self._area.document.end)

    # --- Watchers ------------------------------------------------------------------------------------

    def watch_busy(self) -> None:
        """Say in the empty text area what sending does now."""
        usual = say("composer.placeholder.busy" if self.busy else "composer.placeholder")
        self._area.placeholder = Content(self.placeholder or usual)

    def watch_placeholder(self) -> None:
        """Say this in the empty text area."""
        self.watch_busy()

    def watch_title(self) -> None:
        """Show on the frame what is written here: the conversation's name, or that a message is edited."""
        title, self._area.purpose = self.title, "send"
        if self.editing is not None:
            self._area.purpose = "save" if self.editing.is_reply else "resend"
            what = "composer.edits_reply" if self.editing.is_reply else "composer.edits_question"
            title = say(what, **keys_of(self, enter="chat.send", esc="chat.stop"))
        self._area.border_title = Content(title) if title else None
        self.set_class(self.editing is not None, "-editing")
        self.refresh_bindings()

    def watch_draft_tokens(self) -> None:
        """Show the count at the end of the text area."""
        one = self.draft_tokens == 1 and self.counts_exactly
        count = in_tokens(self.draft_tokens, is_exact=self.counts_exactly)
        words = say("composer.token") if one else say("composer.tokens", count=count)
        is_empty = not self._area.text and not self._chips
        self._area.border_subtitle = None if is_empty else Content(words)

    # --- Handlers ------------------------------------------------------------------------------------

    @on(TextArea.Changed)
    def _text_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._changed()

    @on(MessageArea.LargePaste)
    def _pasted(self, event: MessageArea.LargePaste) -> None:
        event.stop()
        self._add_chip(event.text)

    @on(MessageArea.Wanted)
    async def _do_with_text(self, event: MessageArea.Wanted) -> None:
        event.stop()
        match event.what:
            case "send":
                await self._send()
            case "back" if self._chips:
                self._chips[-1].focus()  # seen before it goes: another backspace removes it
            case "older":
                self._walk(-1)
            case "newer":
                self._walk(1)

    @on(Attachment.Wanted)
    def _do_with_attachment(self, event: Attachment.Wanted) -> None:
        event.stop()
        match event.what:
            case "type":
                self.screen.set_focus(self._area)
                self._area.insert(event.character)
            case _ if event.attachment not in self._chips:
                pass  # a key pressed twice, before the first was heard of
            case "open":
                self._open(event.attachment)
            case "remove":
                self._drop_chip(event.attachment)

    # --- Actions -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc cancels an edit; else it is not for the composer."""
        return action != "cancel_edit" or self.editing is not None

    def action_cancel_edit(self) -> None:
        self.leave_edit()

    def action_open_editor(self) -> None:
        try:
            text = edit(self.app, self.text)
        except QwenTuiError as error:
            self.post_message(self.Failed(error))
            return
        edited = Draft.of(text)
        self._show_attachments(edited.attachments)
        self._area.replace(edited.text, (0, 0), self._area.document.end, maintain_selection_offset=False)
        self.focus()

    # --- Inside --------------------------------------------------------------------------------------

    async def _send(self) -> None:
        if self.editing is None and self.text in HELP_WORDS:
            self.take()
            await self.run_action("screen.help")
        elif self.text:
            editing = self.editing
            self.post_message(self.Submitted(self.take(), editing))

    def _open(self, attachment: Attachment) -> None:
        if len(attachment.text) > MOST_TO_OPEN:
            size, key = in_bytes(len(attachment.text.encode())), key_of(self, "chat.editor")
            self.post_message(self.Failed(QwenTuiError("composer.too_large_to_edit", size=size, key=key)))
            return
        self._drop_chip(attachment)
        self._area.insert(attachment.text + ("\n\n" if self._area.text else ""), (0, 0))

    def _walk(self, way: int) -> None:
        recall = self._recall or Recall(self.history, self.draft)
        found = recall.step(self.draft, way)
        if found is not None:
            self._recall = None if recall.is_back else recall
            self._show(found)
        elif (
            way < 0
            and not self.text
            and any(each.has_class("suggestion") for each in self.screen.focus_chain)
        ):
            self.screen.focus_previous(".suggestion")

    def _show(self, draft: Draft) -> None:
        self._show_attachments(draft.attachments)
        self._area.put(draft.text)

    def _show_attachments(self, texts: tuple[str, ...]) -> None:
        for chip in list(self._chips):
            self._drop_chip(chip)
        for text in texts:
            self._add_chip(text)

    def _add_chip(self, text: str, at: int | None = None) -> None:
        at, chip = len(self._chips) if at is None else at, Attachment(text)
        behind = self._chips[at] if at < len(self._chips) else None
        self._chips.insert(at, chip)
        self._attachments.mount(chip, before=behind)
        self._changed()

    def _drop_chip(self, chip: Attachment) -> None:
        if chip.has_focus:
            self._area.focus()
        self._chips.remove(chip)
        chip.remove()
        self._changed()

    def _changed(self) -> None:
        self.set_class(bool(self._chips), "-attached")
        self.watch_draft_tokens()
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(DEBOUNCE_SECONDS, self._rest)

    def _rest(self) -> None:
        self.post_message(self.DraftChanged(self.text))


def _as_tuple(edits: dict[str, str]) -> tuple[UnsentEdit, ...]:
    return tuple(UnsentEdit(message_id, text) for message_id, text in edits.items())
