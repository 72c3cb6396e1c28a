"""Who may not read a file hears it from the command, in one sentence."""

from __future__ import annotations

import click

from doorbell.__main__ import COMMANDS, main


def test_a_file_that_may_not_be_read_is_told_by_the_command_itself_with_its_fix() -> None:
    """click says three lines and exit status 2 of its own accord, where it looks at the rights beforehand."""
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        for one in [command, *getattr(command, "commands", {}).values()]:
            for parameter in one.params:
                assert not isinstance(parameter.type, click.Path) or not parameter.type.readable, (name, parameter.name)
