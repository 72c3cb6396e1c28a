"""Whether the phones of the household are known to ring in a pocket."""

from __future__ import annotations

from doorbell.doctor.finding import Door, Finding, bad, good, unknown


def phones(door: Door) -> Finding:
    """By what the running daemon says; a phone that chose none is told, and is nobody's fault."""
    if door.page is None:
        return unknown("Whether phones ring is the daemon's to say, and it does not run.")
    said = str(door.page.get("phones") or "none")
    if "not confirmed" in said:
        return bad(
            f"Not every phone is known to ring when it is locked: {said}.",
            "On each phone: More, How this phone rings, and confirm a test ring.",
        )
    if "chose none" in said:
        return unknown(f"A phone rings only while its app is open: {said}.", "More, How this phone rings.")
    if said == "none":
        return unknown("No phone has chosen how it is woken.", "On each phone: More, How this phone rings.")
    return good(f"Phones that rang when they were locked: {said}.")
