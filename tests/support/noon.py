"""A time zone in which it is about noon now, so that *three hours ago* is today at any hour of the night."""

from datetime import UTC, datetime


def zone_of_noon() -> str:
    """Its value for `TZ`."""
    return f"NOON{datetime.now(UTC).hour - 12:+d}"
