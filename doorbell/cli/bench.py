"""``doorbell bench``: figures beside their references, in one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from doorbell.bench.__main__ import SIZES
from doorbell.errors import Mistake


@click.command()
@click.option(
    "--json",
    "as_json",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Write the rows here as well.",
)
@click.option("--only", multiple=True, metavar="NAME", help=f"Only this one: {', '.join(SIZES)}. May be given again.")
@click.option("--quick", is_flag=True, help="Fewer rounds: a minute or two instead of fifteen.")
def bench(as_json: Path | None, only: tuple[str, ...], quick: bool) -> None:
    """Measure this computer; print ratios against the named references.

    Each measurement runs in a process of its own, one after the other; ours and the reference take turns in it. The
    memory of the door can only be read by root. Exit status 1 where something could not be measured; a bar that is
    missed is printed, and is no failure.
    """
    from doorbell.bench.rows import Row, table

    unknown = [name for name in only if name not in SIZES]
    if unknown:
        raise Mistake(f"--only {unknown[0]}: no such measurement; known are {', '.join(SIZES)}.")
    machine = _machine()
    click.echo(", ".join(f"{name} {value}" for name, value in machine.items()))
    rows: list[dict[str, Any]] = []
    missing = []
    for name in only or SIZES:
        found = _measured(name, quick=quick)
        rows += found or []
        if found is None:
            missing.append(name)
    click.echo("\n" + table([Row(**row) for row in rows]))
    if as_json is not None:
        as_json.write_text(json.dumps({"machine": machine, "quick": quick, "rows": rows}, indent=1) + "\n")
    if missing:
        click.echo(f"\nnot measured: {', '.join(missing)} (the reason stands above)", err=True)
        sys.exit(1)


def _measured(name: str, *, quick: bool) -> list[dict[str, Any]] | None:
    """The rows; None where it could not be measured, and said why."""
    words = [sys.executable, "-m", "doorbell.bench", name, *(["--quick"] if quick else [])]
    # An installed door has its modules compiled: one that compiles them at every start is not what is measured.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(words, stdout=subprocess.PIPE, env=environment, check=False)
    if done.returncode:
        return None
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def _machine() -> dict[str, str]:
    """What the figures depend on, in neutral words: no name of a host, no path."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {
        "processor": platform.machine(),
        "cores": str(os.cpu_count()),
        "Python": platform.python_version(),
    }
    for package in ("av", "numpy", "paho-mqtt", "PyNaCl", "gpiozero"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    found["load at the start"] = f"{os.getloadavg()[0]:.1f}"
    return found
