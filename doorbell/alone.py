"""One process a state folder: a second daemon would cut the clip that the first still writes."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doorbell.errors import Mistake

log = logging.getLogger("doorman")


@contextmanager
def alone(state: Path, busy: str) -> Iterator[None]:
    """Hold *state* as its only process; raises Mistake(*busy*) where another one holds it.

    The folder itself is locked, which leaves no file and works on a read-only card; the kernel lets go of it with the
    process. A folder that is not there, or cannot be locked at all, stops no bell.
    """
    try:
        folder = os.open(state, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield
        return
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(folder)
        raise Mistake(busy) from None
    except OSError as error:
        log.warning("%s cannot be locked (%s)", state, error.strerror)
    try:
        yield
    finally:
        os.close(folder)
