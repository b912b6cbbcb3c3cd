"""Format figures with their units."""

from qwen_tui.strings import say


def in_bytes(count: float) -> str:
    """Format a size in decimal units: `812 B`, `48 KB`, `1.2 MB`, `84 MB`, `15.2 GB`."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("KB", "MB", "GB"):  # noqa: B007 - where it stopped
        count /= 1000
        if count < 999.5:
            break
    has_tenths = unit != "KB" and count < (99.5 if unit == "GB" else 9.95)
    return f"{count:.1f} {unit}" if has_tenths else f"{count:.0f} {unit}"


def in_time(seconds: float) -> str:
    """Format a duration roughly: `40 s`, `3 min`, `2.5 h`."""
    if seconds < 90:
        return say("time.seconds", count=max(1, round(seconds)))
    if seconds < 90 * 60:
        return say("time.minutes", count=round(seconds / 60))
    return say("time.hours", count=f"{seconds / 3600:.1f}")


def in_tokens(count: int | None, *, is_exact: bool = True) -> str:
    """Format a number of tokens, marked if it is an estimate; a dash if unknown."""
    return "–" if count is None else f"{'' if is_exact else '≈'}{count:,}"


def tokens_in_words(count: int) -> str:
    """Format a number of tokens with the word: `1 token`, `1,204 tokens`."""
    return say("chat.receipt.tokens", tokens=count)


def in_speed(tokens_per_second: float) -> str:
    """Format a decode speed: `214 tok/s`, `8.3 tok/s`."""
    code = "chat.receipt.speed" if tokens_per_second >= 10 else "chat.receipt.slow"
    return say(code, speed=tokens_per_second)


def in_millions(count: int) -> str:
    """Format a parameter count: `6.5 M`, `7.6 B`."""
    return f"{count / 1e9:.1f} B" if count >= 1e9 else f"{count / 1e6:.1f} M"


def draft_in_words(tokens: int | None, is_exact: bool = True) -> str:
    """Format the size of a draft: `1 token`, `≈12 tokens`, `– tokens` if unknown."""
    return say("composer.tokens", shown=in_tokens(tokens, is_exact=is_exact), count=tokens)
