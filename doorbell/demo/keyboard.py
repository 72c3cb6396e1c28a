"""Single keys from the terminal, without Enter; the terminal is given back as it was, whatever happens."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Any, Self


class Keyboard:
    """A context in which ``pressed`` gives the keys typed since the last call; without a terminal there are none."""

    def __init__(self) -> None:
        self._before: list[Any] | None = None
        self._file = -1

    def __enter__(self) -> Self:
        # A demo in the background may not touch the terminal of whoever is in front of it.
        if sys.stdin is not None and sys.stdin.isatty() and os.getpgrp() == os.tcgetpgrp(sys.stdin.fileno()):
            self._file = sys.stdin.fileno()
            self._before = termios.tcgetattr(self._file)
            tty.setcbreak(self._file)  # keeps Ctrl-C a signal
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)
            self._before = None

    @property
    def here(self) -> bool:
        return self._before is not None

    def pressed(self) -> str:
        if self._before is None or not select.select([self._file], [], [], 0)[0]:
            return ""
        data = os.read(self._file, 64)
        if not data:  # the terminal is gone
            self._before = None
        return data.decode("ascii", "ignore")
