"""A bouncing contact to presses: closed for 15 ms without a break is a press, a spike of 5 ms is none.

gpiozero's own ``bounce_time`` loses edges, and its mock ignores it, so the decision is made here, from the stamps
that the kernel gave the edges: a daemon that gets to run late still decides as if it had been on time.
"""

from __future__ import annotations

from attrs import evolve, frozen

from doorbell.events import ButtonEdge, Pressed

STABLE_S = 0.015


@frozen
class Contact:
    """The contact's decided state (``closed``), and the raw level (``raw``) it has shown since ``since``."""

    closed: bool = False
    raw: bool = False
    since: float = 0.0

    @property
    def deadline(self) -> float | None:
        """When to call ``settle``: the moment at which the raw level has been stable long enough, if undecided."""
        return None if self.raw == self.closed else self.since + STABLE_S


def edge(contact: Contact, event: ButtonEdge) -> tuple[Contact, Pressed | None]:
    """Take one raw edge. What was due before it is decided first, however late the edge is handled."""
    contact, pressed = settle(contact, event.at)
    return evolve(contact, raw=event.down, since=event.at), pressed


def settle(contact: Contact, at: float) -> tuple[Contact, Pressed | None]:
    """Decide what is due at *at*; a press carries the moment of its decision, not the moment of the call."""
    due = contact.deadline
    if due is None or at < due:
        return contact, None
    settled = evolve(contact, closed=contact.raw)
    return settled, Pressed(due) if settled.closed else None
