"""The real daemon, which also tells on standard output when each press was decided.

The decision's moment is the contact's stamp plus the debounce's 15 ms, exactly; it is written where the edge enters
the inbox, 15 ms before anything is decided, so the telling is in nobody's way.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from doorbell import daemon
from doorbell.debounce import STABLE_S
from doorbell.events import ButtonEdge
from doorbell.inbox import Inbox


class Telling(Inbox):
    """Also writes each closing of the button's contact, as the moment of its decision."""

    def put(self, value: object) -> None:
        super().put(value)
        if isinstance(value, ButtonEdge) and value.down:
            os.write(1, f"{value.at + STABLE_S!r}\n".encode())


if __name__ == "__main__":
    vars(daemon)["Inbox"] = Telling
    sys.exit(daemon.main(Path(sys.argv[1])))
