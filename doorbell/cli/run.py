"""``doorbell run``: the daemon."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option("--config", "config", type=click.Path(path_type=Path, readable=False),
              default="/etc/doorbell/doorbell.toml", show_default=True, help="The configuration file.")  # fmt: skip
@click.option("--once", is_flag=True, help="With a file: camera: end when the video ends, with everything kept.")
@click.option("--fast", is_flag=True, help="With a file: camera or the scene: as fast as it goes, in the video's time.")
def run(config: Path, once: bool, fast: bool) -> None:
    """Be the door: ring, see, remember.

    A configuration that cannot be read does not stop the ring: the door then runs bell-only, says so in its log and
    in systemd's status, and looks at the file again as soon as it changes. Ends at SIGTERM or Ctrl-C with the running
    clip finished and kept.
    """
    from doorbell.daemon import main

    sys.exit(main(config, once=once, fast=fast))
