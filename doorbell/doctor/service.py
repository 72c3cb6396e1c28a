"""The daemon: whether it runs, how it is, and whether systemd watches over it."""

from __future__ import annotations

import shutil
import subprocess

from doorbell.doctor.finding import Door, Finding, bad, good, unknown

ASK_S = 5.0


def daemon(door: Door) -> Finding:
    if door.page is None:
        return bad("The daemon does not run.", "sudo systemctl enable --now doorbell (or: doorbell run --config FILE)")
    problems = door.page.get("problems") or []
    if problems:
        return bad(f"The daemon runs with {len(problems)} problems: {' '.join(problems)}", "Mend what it names.")
    return good("The daemon runs, and all is well.")


def watchdog(_: Door) -> Finding:
    """Asked of systemd; a daemon that was started by hand has nobody who restarts it."""
    if not shutil.which("systemctl"):
        return unknown("There is no systemd here: nobody restarts a daemon that dies.")
    try:
        asked = subprocess.run(
            ["systemctl", "show", "doorbell.service", "--property=LoadState,WatchdogUSec,UnitFileState"],
            capture_output=True, text=True, timeout=ASK_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return unknown(f"systemd did not answer within {ASK_S:.0f} s.")
    said = dict(line.split("=", 1) for line in asked.stdout.splitlines() if "=" in line)
    if asked.returncode or not said:
        return unknown("systemd does not answer here: nobody restarts a daemon that dies.")
    return _judge(said)


def _judge(said: dict[str, str]) -> Finding:
    if said.get("LoadState") != "loaded":
        return bad("The service is not installed.", "Copy systemd/doorbell.service to /etc/systemd/system.")
    if said.get("UnitFileState") != "enabled":
        return bad("The service does not start with the machine.", "sudo systemctl enable --now doorbell")
    if said.get("WatchdogUSec") in (None, "0", "infinity"):
        return bad("The service has no watchdog.", "Use systemd/doorbell.service as it is: WatchdogSec=30.")
    return good(f"systemd starts the door with the machine and watches over it ({said['WatchdogUSec']}).")
