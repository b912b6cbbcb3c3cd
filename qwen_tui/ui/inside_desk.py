"""Open the view inside, lessons over it and the comparison of variants, and connect them with the chat."""

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.timer import Timer

from qwen_tui.chat.branches import siblings
from qwen_tui.chat.messages import Message
from qwen_tui.engine.host import Ready
from qwen_tui.session.draft import Draft
from qwen_tui.session.requests import Regenerate
from qwen_tui.session.session import ChatSession
from qwen_tui.strings import say
from qwen_tui.ui.chat.view import ChatView
from qwen_tui.ui.side_panels import SidePanels
from qwen_tui.ui.widgets.keys import key_of

if TYPE_CHECKING:  # see `InsideDesk.open`
    from qwen_tui.ui.inside.lesson_strip import LessonStrip
    from qwen_tui.ui.inside.lessons import Step
    from qwen_tui.ui.inside.pane import InsidePane
    from qwen_tui.ui.inside.subject import Subject

WAIT_SECONDS = 1 / 20
"""How often a lesson checks whether its conversation has been opened."""


class InsideDesk:
    """Opens what it shows when it is first asked for; until then nothing of it is imported or runs."""

    def __init__(self, panels: SidePanels, chat: ChatView) -> None:
        self._panels = panels
        self._chat = chat
        self._pane: InsidePane | None = None
        self._strip: LessonStrip | None = None
        self._draft = ""
        """The text that the lesson has put into the message box."""
        self._comparing: tuple[ChatSession, str | None] | None = None
        """The reply to which a variant is being written for comparison."""
        self._waiting: Timer | None = None

    async def open(self, pane: str = "inside") -> None:
        """Focus a panel, making the view inside if needed; from within it, return to the message box."""
        if pane == "inside":
            await self._made()
        self._panels.go_to(pane)

    async def _made(self) -> "InsidePane":
        if self._pane is None:
            from qwen_tui.ui.inside.pane import InsidePane

            self._pane = InsidePane(self._subject, self._submit, self.colour, id="inside")
            await self._panels.mount(self._pane)
        return self._pane

    def _submit(self, request: Regenerate) -> None:
        """Ask for a variant of a reply; one with other values is then compared with it."""
        self._comparing = (self._chat.session, request.message_id) if request.sampling else None
        self._chat.submit(request)

    def colour(self) -> None:
        """Color the messages by how likely their tokens were, or show their text again."""
        log, session = self._chat.transcript.log_widget, self._chat.session
        if log is not None:
            log.traces = session.traces if log.traces is not session.traces else None

    def compare(self, message: Message, session: ChatSession) -> None:
        """Show a reply next to another variant of it."""
        from qwen_tui.ui.inside.compare_screen import Comparison  # the first frame does not need it

        variants = siblings(session.conversation, message.id)
        number = next((n for n, each in enumerate(variants) if each.id == message.id), 0)
        if len(variants) > 1:
            self._panels.app.push_screen(Comparison(variants, number))

    def _subject(self) -> "Subject":
        """Return what the panel is to look at now."""
        from qwen_tui.ui.inside.subject import Subject

        chat, session = self._chat, self._chat.session
        self._show_comparison()
        conversation, log = session.conversation, chat.transcript.log_widget
        return Subject(
            session,
            conversation,
            chat.settings.with_overrides(conversation.overrides),
            chat.engine_state.engine if isinstance(chat.engine_state, Ready) else None,
            chat.composer.text,
            log.cursor.message_id if log is not None and log.has_focus else None,
        )

    def _show_comparison(self) -> None:
        """Open the comparison once its second reply has been written."""
        if self._comparing is None:
            return
        session, reply_id = self._comparing
        is_running = session.streaming is not None or self._chat.can_stop
        newest = session.conversation.message(session.conversation.head or "")
        if session is not self._chat.session:
            self._comparing = None
        elif not is_running and newest is not None and newest.id != reply_id:
            self._comparing = None
            self.compare(newest, session)

    # --- Lessons -------------------------------------------------------------------------------------

    def learn(self, name: str) -> None:
        """Begin a lesson in an empty conversation."""
        before = self._chat.session
        if before.conversation.messages:
            self._panels.call_later(self._panels.run_action, "screen.new")

        def begin() -> None:
            is_open = not self._chat.session.conversation.messages and not self._chat.outbox.is_between
            if is_open and self._waiting is not None:
                self._waiting.stop()
                self._waiting = None
                self._panels.run_worker(self._begin(name), group="lesson")

        if self._waiting is None:
            self._waiting = self._panels.set_interval(WAIT_SECONDS, begin)

    async def _begin(self, name: str) -> None:
        from qwen_tui.ui.inside.lesson_strip import LessonStrip
        from qwen_tui.ui.inside.lessons import lesson

        await self._end()
        (await self._made()).keeps_tracing = True
        self._strip = LessonStrip(lesson(name), self._prepare)
        await self._panels.screen.mount(self._strip, before=self._panels)
        self._panels.turn_lesson = self.turn
        self._panels.refresh_bindings()

    async def turn(self, way: str) -> None:
        """Go to the `next` step of the lesson, `back`, or `leave` it."""
        if self._strip is None:
            return
        if way == "leave" or not self._strip.step(1 if way == "next" else -1):
            await self._end()
            if way == "next":
                self._chat.notice.say(say("lesson.done", key=key_of(self._panels, "app.commands")))

    async def _end(self) -> None:
        strip, self._strip = self._strip, None
        if strip is not None:
            self._panels.turn_lesson = None
            await strip.remove()
            (await self._made()).keeps_tracing = False
            self._panels.refresh_bindings()

    def _prepare(self, step: "Step") -> None:
        """Do what a step prepares: settings of the conversation, a draft, a tab."""
        session, composer, pane = self._chat.session, self._chat.composer, self._pane
        if step.overrides:
            overrides = {**session.conversation.overrides, **step.overrides}
            session.adjust(lambda conversation: replace(conversation, overrides=overrides))
        if step.draft and composer.text in ("", self._draft):
            self._draft = say(step.draft)
            composer.put(Draft.of(self._draft))
        if step.tab == "chat":
            self._panels.drawer = ""
            composer.focus()
        elif step.tab and pane is not None:
            self._panels.show("inside")
            pane.go_to(step.tab, looks_ahead=bool(step.draft))
