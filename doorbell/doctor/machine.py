"""The machine under the door, by what its kernel and firmware say in files below ``door.root``."""

from __future__ import annotations

from pathlib import Path

from doorbell.doctor.finding import Door, Finding, bad, good, unknown

OLDEST_DEBIAN = 12
NOT_A_PI = "Not a Pi"
LEAST_CMA_KB = 64 * 1024
"""What the camera's buffers and the encoder's come from; a Zero's own setting."""
LEAST_FREE_CMA_KB = 32 * 1024
"""For four pictures of 1920x1080 and the encoder's, before the door has taken them."""
WEAK_DBM, FAIR_DBM = -75, -65
HOTTEST_C = 75.0
"""At 80 degrees the firmware slows the processor."""
MOST_DIGITS = 7
_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_POWER, _HEAT = 0x1, 0x2 | 0x4 | 0x8
_BEFORE = 16
"""The same bits, this much higher, say that it happened since the machine started."""


def model(door: Door) -> str:
    return text(door.root / "proc/device-tree/model").strip("\0\n ")


def is_pi(door: Door) -> bool:
    return model(door).startswith("Raspberry Pi")


def text(path: Path) -> str:
    """What a file of the kernel says; nothing where it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:65536]
    except OSError:
        return ""


def system(door: Door) -> Finding:
    said = dict(line.split("=", 1) for line in text(door.root / "etc/os-release").splitlines() if "=" in line)
    name, version = said.get("PRETTY_NAME", "").strip('"'), said.get("VERSION_ID", "").strip('"')
    where = model(door) or f"{NOT_A_PI}: an ordinary computer"
    if not name:
        return unknown(f"{where}; which system runs on it cannot be seen (no /etc/os-release).")
    is_debian = "debian" in said.get("ID", "") + said.get("ID_LIKE", "")
    if is_debian and version.isdigit() and int(version) < OLDEST_DEBIAN:
        return bad(f"{name} is too old.", "Write a card with Raspberry Pi OS 13 (Trixie).")
    if is_pi(door) and not is_debian:
        return unknown(f"{name} on a {model(door)}: tried is Raspberry Pi OS 13 (Trixie) only.")
    return good(f"{name}. {where}.")


def power(door: Door) -> Finding:
    """Under-voltage and heat, now and since the start."""
    said = text(door.root / _THROTTLED).strip()
    try:
        bits = int(said, 16)
    except ValueError:
        return unknown(
            f"{'The firmware does not say' if is_pi(door) else NOT_A_PI + ': nobody says'} how the power is."
        )
    supply = "Use a supply of 5.1 V and 2.5 A with a short, thick cable; from a bell transformer one of 8 VA or more."
    air = "Give it air or a heat sink; lower camera.fps or the picture's size."
    if bits & _POWER:
        return bad("The supply is too weak now: the voltage is below 4.63 V.", supply)
    if bits & _HEAT:
        return bad("The processor is slowed down now, by heat or a weak supply.", air)
    if bits >> _BEFORE & _POWER:
        return bad("The supply was too weak at some time since the start.", supply)
    if bits >> _BEFORE & _HEAT:
        return unknown("The processor was slowed down at some time since the start.", air)
    return good("The power is good, and was since the start.")


def heat(door: Door) -> Finding:
    said = text(door.root / "sys/class/thermal/thermal_zone0/temp").strip()
    if not said.lstrip("-").isdigit() or len(said) > MOST_DIGITS:
        return unknown("The machine does not say how warm it is.")
    degrees = int(said) / 1000
    if degrees > HOTTEST_C:
        return bad(f"The processor has {degrees:.0f} °C.", "Give it air or a heat sink, and keep the sun off its case.")
    return good(f"The processor has {degrees:.0f} °C.")


def camera_memory(door: Door) -> Finding:
    """CMA: the part of the memory that camera and encoder need in one piece."""
    lines = (line.split() for line in text(door.root / "proc/meminfo").splitlines())
    said = {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}
    if not (total := said.get("CmaTotal", 0)):
        if not is_pi(door):
            return unknown(f"{NOT_A_PI}: no memory is set aside for a camera.")
        return bad("No memory is set aside for the camera (CMA).", _MORE_CMA)
    free = said.get("CmaFree", 0)
    sentence = f"{free // 1024} of {total // 1024} MB of the camera's memory (CMA) are free."
    if total < LEAST_CMA_KB and is_pi(door):
        return bad(sentence, _MORE_CMA)
    if free < LEAST_FREE_CMA_KB and door.page is None and is_pi(door):
        return bad(sentence, "Something else holds the camera's memory: stop it, or restart the machine.")
    return good(sentence)


_MORE_CMA = "Put dtoverlay=vc4-kms-v3d,cma-128 into /boot/firmware/config.txt, then restart the machine."


def wifi(door: Door) -> Finding:
    for line in text(door.root / "proc/net/wireless").splitlines()[2:]:
        fields = line.split()
        try:
            level = int(float(fields[3]))
        except (IndexError, ValueError, OverflowError):
            continue
        if level < WEAK_DBM:
            return bad(
                f"The Wi-Fi is weak: {level} dBm.",
                "Move the access point nearer, or turn the door's antenna side free.",
            )
        return good(f"The Wi-Fi has {level} dBm{', which is enough' if level < FAIR_DBM else ''}.")
    return unknown("No Wi-Fi is connected: the door is wired, or its radio is off.")


def watchdog(door: Door) -> Finding:
    """The hardware's: it restarts a machine whose kernel hangs."""
    folder = door.root / "sys/class/watchdog/watchdog0"
    name, state = text(folder / "identity").strip(), text(folder / "state").strip()
    if not name and not state:
        if not is_pi(door):
            return unknown(f"{NOT_A_PI}: no hardware watchdog.")
        return bad("No hardware watchdog is there.", "Put dtparam=watchdog=on into /boot/firmware/config.txt.")
    if state == "active":
        return good(f"The hardware watchdog watches ({name or 'nameless'}).")
    return bad(
        "The hardware watchdog sleeps: a machine whose kernel hangs stays so.",
        "Put [Manager] RuntimeWatchdogSec=15 into /etc/systemd/system.conf.d/watchdog.conf, then restart the machine.",
    )
