"""A command line as a person types it, whichever click is installed."""

from __future__ import annotations

from click.testing import CliRunner


def runner() -> CliRunner:
    """A runner that keeps standard error apart, as click 8.2 does by itself."""
    try:
        return CliRunner(mix_stderr=False)
    except TypeError:
        return CliRunner()
