"""Keys of a Setup with the places of a script that say them, as they are found. Knows no script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pretune.script.trace import Event


class Said:
    """Keys of a Setup with their places, as they are found."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.places: dict[str, str] = {}

    def say(self, key: str, value: Any, event: Event) -> None:
        """A key of the Setup, at the event's place; a dict's keys each at it."""
        self.keys[key] = value
        self.places[key] = str(event.place)

    def add(self, key: str, values: dict[str, Any], event: Event) -> None:
        """Further keys of a table of the Setup."""
        if values:
            self.keys[key] = {**self.keys.get(key, {}), **values}
            self.places.setdefault(key, str(event.place))
            self.places.update({f"{key}.{name}": str(event.place) for name in values})
