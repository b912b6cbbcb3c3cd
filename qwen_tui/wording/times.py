"""When something was last used, as a short text, and in which group of days."""

from datetime import UTC, datetime, timedelta

from qwen_tui import strings


def here_and_now() -> datetime:
    """Return the current local time."""
    return datetime.now().astimezone()


def last_use(updated: str, now: datetime) -> str:
    """Format the time since the last use: `now`, `2m`, `3h`, `1d`, after a week the date, in other years the year.

    Empty if the time is invalid: an odd file must not keep others out of the list.
    """
    if (then := _moment(updated)) is None:
        return ""
    ago = now - then
    if ago < timedelta(minutes=1):
        return strings.say("panes.conversations.now")
    if ago < timedelta(hours=1):
        return strings.say("panes.conversations.minutes", count=ago // timedelta(minutes=1))
    if ago < timedelta(days=1):
        return strings.say("panes.conversations.hours", count=ago // timedelta(hours=1))
    if ago < timedelta(days=7):
        return strings.say("panes.conversations.days", count=ago.days)
    there = then.astimezone(now.tzinfo)
    if there.year != now.year:
        return str(there.year)
    month = strings.say("panes.conversations.months").split()[there.month - 1]
    return strings.say("panes.conversations.month_day", month=month, day=there.day)


def days_group(updated: str, now: datetime) -> str:
    """Return the group of a time: `today`, `yesterday`, `week` for the seven days before, or `older`."""
    then = _moment(updated)
    days = 1000 if then is None else (now.date() - then.astimezone(now.tzinfo).date()).days
    if days < 1:
        return "today"
    return "yesterday" if days == 1 else "week" if days < 8 else "older"


def _moment(time: str) -> datetime | None:
    try:
        then = datetime.fromisoformat(time)
    except ValueError:
        return None
    return then.replace(tzinfo=UTC) if then.tzinfo is None else then
