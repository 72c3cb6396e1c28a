"""The system around the door made fit for years on a wall: written once, at the first boot of a card.

Each is a file of its own beside the system's, so that taking it away undoes it. What each is for stands in it.
"""

from __future__ import annotations

import re
from typing import Final

from doorbell.boot import files
from doorbell.boot.places import Places

RESTART: Final = "run/doorbell-restart-wanted"
"""Made where something holds only from the next start on; the first boot then restarts once."""

FILES: Final[dict[str, str]] = {
    "etc/rpi/swap.conf.d/90-doorbell.conf": (
        "# Memory is compressed in memory, never written to the card: a picture swapped out would lie there in clear.\n"
        "# The system's own choice (zram+file) writes idle pages to /var/swap.\n"
        "[Main]\nMechanism=zram\n"
    ),
    "etc/systemd/journald.conf.d/90-doorbell.conf": (
        "# The system's log stays in memory: it wears no card, and a thief of the card reads none of it.\n"
        "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nForwardToSyslog=no\n"
    ),
    "etc/systemd/system.conf.d/90-doorbell.conf": (
        "# The Pi's hardware watchdog (it counts to 16 s at most) restarts a machine whose kernel or systemd hangs.\n"
        "[Manager]\nRuntimeWatchdogSec=15s\nRebootWatchdogSec=2min\n"
    ),
    "etc/systemd/timesyncd.conf.d/90-doorbell.conf": (
        "# A Pi has no clock battery. systemd-timesyncd starts at the moment its file was last touched, so time never\n"
        "# runs back past it and certificates stay valid; once an hour is enough and spares the card.\n"
        "[Time]\nSaveIntervalSec=1h\n"
    ),
    "etc/NetworkManager/conf.d/90-doorbell.conf": (
        "# Wi-Fi power save holds packets back for a second and more; 2 is off.\n"
        "[connection]\nwifi.powersave=2\n"
    ),
    "etc/systemd/system/NetworkManager.service.d/90-doorbell.conf": (
        "# A network that comes up later than the door is no reason to give up on it.\n"
        "[Service]\nRestart=always\nRestartSec=5\n"
    ),
}  # fmt: skip

UPDATES: Final[dict[str, str]] = {
    "etc/apt/apt.conf.d/90doorbell": (
        "// Security updates of the operating system by themselves, and nothing else: no feature, no kernel of the\n"
        "// Pi's own, no restart. The door's package comes from no archive; a person updates it.\n"
        'APT::Periodic::Update-Package-Lists "1";\n'
        'APT::Periodic::Unattended-Upgrade "1";\n'
        'APT::Periodic::AutocleanInterval "7";\n'
        "#clear Unattended-Upgrade::Origins-Pattern;\n"
        "#clear Unattended-Upgrade::Allowed-Origins;\n"
        "Unattended-Upgrade::Origins-Pattern {\n"
        '  "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";\n'
        "  // The 32-bit system of a Zero W. Raspbian has no archive for security alone, but between two releases of\n"
        "  // Debian little else comes into it.\n"
        '  "origin=Raspbian,codename=${distro_codename},label=Raspbian";\n'
        "};\n"
        'Unattended-Upgrade::Package-Blacklist { "^doorbell$"; };\n'
        'Unattended-Upgrade::Automatic-Reboot "false";\n'
        'Unattended-Upgrade::Remove-Unused-Dependencies "false";\n'
        'Unattended-Upgrade::MinimalSteps "true";\n'
    ),
}

NO_SSH: Final = ("ssh.service", "ssh.socket", "sshd.service")
SWAP_FILES: Final = ("var/swap",)


def harden(places: Places, *, ssh: bool, updates: bool) -> list[str]:
    """Write it all; what was changed, as paths. Doing it twice changes nothing. Raises OSError."""
    changed = [path for path, text in FILES.items() if _put(places, path, text)]
    for path, text in UPDATES.items():
        if updates:
            changed += [path] * _put(places, path, text)
        else:
            (places.root / path).unlink(missing_ok=True)
    if (places.root / "etc/fstab").is_file():
        changed += ["etc/fstab"] * _data_without_atime(places)
    for name in SWAP_FILES:
        # Its old pages are nobody's business; in use it stays until the restart that this asks for.
        if (places.root / name).is_file() and not _in_use(places, f"/{name}"):
            files.wipe(places.root / name)
            changed.append(name)
    changed += _mask(places, wanted=not ssh)
    if changed:
        (places.root / RESTART).parent.mkdir(parents=True, exist_ok=True)
        (places.root / RESTART).touch()
    return changed


def _put(places: Places, path: str, text: str) -> bool:
    place = places.root / path
    if place.is_file() and place.read_bytes() == text.encode():
        return False
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    files.put(place, text.encode(), 0o644, None)
    return True


def _data_without_atime(places: Places) -> bool:
    """ext4 keeps no moment of reading: each look at a file would be a write to the card."""
    place = places.root / "etc/fstab"
    before = place.read_text(encoding="utf-8")
    after = re.sub(r"(?m)^([^#\s]\S*\s+\S+\s+ext4\s+)(\S+)", lambda row: row[1] + _options(row[2]), before)
    if after == before:
        return False
    files.put(place, after.encode(), 0o644, None)
    return True


def _options(given: str) -> str:
    kept = [one for one in given.split(",") if one not in ("atime", "relatime", "strictatime")]
    return ",".join(kept if "noatime" in kept else [*kept, "noatime"])


def _in_use(places: Places, path: str) -> bool:
    try:
        return any(line.startswith(f"{path} ") for line in (places.root / "proc/swaps").read_text().splitlines())
    except OSError:
        return False


def _mask(places: Places, *, wanted: bool) -> list[str]:
    """No SSH unless it was asked for: its units point nowhere, whatever enables them."""
    changed = []
    for unit in NO_SSH:
        link = places.root / "etc/systemd/system" / unit
        masked = link.is_symlink() and str(link.readlink()) == "/dev/null"
        if wanted and not masked:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to("/dev/null")
            changed.append(f"etc/systemd/system/{unit}")
        elif masked and not wanted:
            link.unlink()
            changed.append(f"etc/systemd/system/{unit}")
    return changed
