"""Progress of what takes long, for whoever watches a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, nothing elsewhere; told how much is done, and of how much."""
    try:
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import Progress  # noqa: PLC0415
    except ImportError:  # a checkout without the extra "desk"
        yield lambda _, __: None
        return
    with Progress(console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda done, whole: bars.update(bar, completed=done, total=whole)
