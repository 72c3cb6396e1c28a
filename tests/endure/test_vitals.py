"""What row 13 leans on: a limit of memory is one, under either kind of control groups."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.endure.vitals import limited

GREEDY = "held = bytearray(b'x') * (96 << 20)"


def test_a_process_that_wants_more_than_its_group_has_is_ended_and_counted() -> None:
    with limited(32) as limit:
        if limit is None:
            pytest.skip("only root can limit memory, and where the kernel has the controller")
        ended = subprocess.run([*limit.wrapper, sys.executable, "-c", GREEDY], check=False, timeout=60)
        assert (ended.returncode, limit.killed()) == (-9, 1)


def test_under_the_second_kind_of_control_groups_the_controller_is_asked_for(tmp_path: Path) -> None:
    """As a Raspberry Pi has them; the kernel's files are made by hand here."""
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("cpu pids\n")
    with limited(120, tmp_path) as limit:
        assert limit
        assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"
        assert (limit.folder / "memory.max").read_text() == str(120 * 2**20)
        assert (limit.folder / "memory.swap.max").read_text() == "0"
        assert str(limit.folder / "cgroup.procs") in limit.wrapper[2]
        (limit.folder / "memory.events").write_text("low 0\nhigh 0\nmax 31\noom 2\noom_kill 2\noom_group_kill 0\n")
        assert limit.killed() == 2


def test_where_no_group_can_be_made_there_is_no_limit(tmp_path: Path) -> None:
    with limited(120, tmp_path / "nothing") as limit:
        assert limit is None
