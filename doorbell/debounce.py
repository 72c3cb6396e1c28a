"""A bouncing contact to presses: closed for 15 ms without a break is a press, a spike of 5 ms is none.

gpiozero's own ``bounce_time`` loses edges, and its mock ignores it, so the decision is made here, from the stamps
that the kernel gave the edges: a daemon that gets to run late still decides as if it had been on time.
"""

from __future__ import annotations

from attrs import evolve, frozen

from doorbell.events import ButtonEdge, Held, Pressed

STABLE_S = 0.015
HELD_S = 5.0
"""A press rings at once; a finger that stays this long means something more (doorbell/light)."""


@frozen
class Contact:
    """The contact's decided state (``closed``), and the raw level (``raw``) it has shown since ``since``."""

    closed: bool = False
    raw: bool = False
    since: float = 0.0
    held: bool = False
    """Whether it was told that the contact stays closed."""

    @property
    def deadline(self) -> float | None:
        """When to call ``settle``: the moment at which the raw level has been stable long enough, if undecided."""
        return None if self.raw == self.closed else self.since + STABLE_S

    @property
    def held_at(self) -> float | None:
        """When to call ``hold``, if the contact stays closed."""
        return self.since + HELD_S if self.raw and self.closed and not self.held else None


def edge(contact: Contact, event: ButtonEdge) -> tuple[Contact, Pressed | None]:
    """Take one raw edge. What was due before it is decided first, however late the edge is handled."""
    contact, pressed = settle(contact, event.at)
    return evolve(contact, raw=event.down, since=event.at, held=False), pressed


def settle(contact: Contact, at: float) -> tuple[Contact, Pressed | None]:
    """Decide what is due at *at*; a press carries the moment of its decision, not the moment of the call."""
    due = contact.deadline
    if due is None or at < due:
        return contact, None
    settled = evolve(contact, closed=contact.raw)
    return settled, Pressed(due) if settled.closed else None


def hold(contact: Contact, at: float) -> tuple[Contact, Held | None]:
    """Told once for each time the contact stays closed; a bounce begins the five seconds anew."""
    due = contact.held_at
    if due is None or at < due:
        return contact, None
    return evolve(contact, held=True), Held(due)
