"""What cloud-init reads at the first boot: user-data, network-config and meta-data, as text (NoCloud).

Strings are written as JSON, which is YAML with one spelling: a Wi-Fi name full of quotes and colons stays a name.
The only secret among them is the Wi-Fi key in network-config; user-data holds none, because cloud-init keeps copies of
it in several places, and may be read again at every boot.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from doorbell.card import early
from doorbell.card.wishes import Wifi, Wishes

USER: Final = "user-data"
NETWORK: Final = "network-config"
META: Final = "meta-data"
SCRIPT: Final = f"{early.FOLDER}/first-boot"
UNIT: Final = "doorbell-first-boot.service"
NETWORK_LEFT: Final = (
    "# The door has taken this over. To change it: doorbell card, once more.\nnetwork: {config: disabled}\n"
)
"""What stays of network-config: nothing secret, and should cloud-init ever read it again, it changes nothing."""
LOGIN: Final = "pi"
"""The one user there is, and only where the owner asked for SSH."""

_UNIT: Final = f"""\
[Unit]
Description=Installs the doorbell from the boot volume
ConditionPathExists={SCRIPT}
After=local-fs.target
StartLimitIntervalSec=0

[Service]
# exec, not oneshot: nothing of the boot waits for it, and it waits for cloud-init's end.
Type=exec
ExecStart={SCRIPT}
# No network yet, a package server that is away: told on the boot volume, and tried again until it is done.
Restart=on-failure
RestartSec=30

[Install]
WantedBy=multi-user.target
"""


def user_data(wishes: Wishes, written_at: int) -> str:
    """*written_at* (seconds since 1970) is the first boot's lower bound of time: apt refuses lists from the future."""
    script = files("doorbell.card").joinpath("first-boot.sh").read_text(encoding="utf-8")
    config: dict[str, Any] = {
        "hostname": f"doorbell-{wishes.door}",
        "manage_etc_hosts": True,
        "timezone": wishes.zone,
        "ssh_pwauth": False,
        "disable_root": True,
        "users": [_login(wishes.ssh_key) if wishes.ssh_key else _NOBODY],
        "bootcmd": [
            ["cloud-init-per", "instance", "doorbell-clock", "sh", "-c",
             f'[ "$(date +%s)" -ge {written_at} ] || date -s @{written_at}'],
            ["sh", "-c", "if command -v rfkill >/dev/null; then rfkill unblock wifi; fi"],
        ],
        "write_files": [
            {"path": SCRIPT, "permissions": "0755", "owner": "root:root",
             "content": script.replace("@UPDATES@", "yes" if wishes.updates else "no")
                              .replace("@SSH@", "yes" if wishes.ssh_key else "no")},
            {"path": f"/etc/systemd/system/{UNIT}", "permissions": "0644", "owner": "root:root", "content": _UNIT},
            *({"path": path, "permissions": "0644", "owner": "root:root", "content": text}
              for path, text in {**early.bell(wishes), **early.texts(wishes)}.items()),
        ],
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", UNIT],
            ["systemctl", "start", "--no-block", UNIT],
            *([["systemctl", "enable", "--now", "ssh.service"]] if wishes.ssh_key else []),
        ],
    }  # fmt: skip
    return "#cloud-config\n# Written by `doorbell card`. It holds no secret.\n" + _yaml(config)


_NOBODY: Final = {"name": "root", "lock_passwd": True}
"""Some cloud-inits refuse an empty list, and none at all makes the default user. Root is there anyway, and locked."""


def _login(ssh_key: str) -> dict[str, Any]:
    return {
        "name": LOGIN, "groups": "adm, sudo, video, gpio, audio", "shell": "/bin/bash", "lock_passwd": True,
        "sudo": "ALL=(ALL) NOPASSWD:ALL", "ssh_authorized_keys": [ssh_key],
    }  # fmt: skip


def network_config(wifi: Wifi | None) -> str:
    """netplan's version 2. The cable is always tried; optional, or a boot waits minutes for what is not plugged in."""
    network: dict[str, Any] = {
        "version": 2,
        "ethernets": {"eth0": {"dhcp4": True, "dhcp6": True, "optional": True}},
    }
    if wifi is not None:
        network["wifis"] = {
            "wlan0": {
                "dhcp4": True,
                "dhcp6": True,
                "optional": True,
                "regulatory-domain": wifi.country,
                "access-points": {wifi.ssid: _access(wifi)},
            }
        }
    return "# Written by `doorbell card`. The door takes the Wi-Fi key out of here at its first boot.\n" + _yaml(
        {"network": network}
    )


def _access(wifi: Wifi) -> dict[str, Any]:
    seen = {"hidden": True} if wifi.hidden else {}
    if wifi.sae:
        return {"auth": {"key-management": "sae", "password": wifi.password}, **seen}
    return {"password": wifi.key, **seen}


def meta_data(instance: str, door: str) -> str:
    """A new *instance* makes cloud-init go through its first boot again. Raspberry Pi OS spells the key both ways."""
    return _yaml({"dsmode": "local", "instance-id": instance, "instance_id": instance,
                  "local-hostname": f"doorbell-{door}"})  # fmt: skip


def instance_of(text: bytes) -> str:
    """The instance that a meta-data of ours, or of Raspberry Pi OS, names; empty where it names none."""
    for line in text.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("instance-id", "instance_id"):
            return value.strip().strip("\"'")
    return ""


def _yaml(table: dict[str, Any]) -> str:
    """Block style for the first level, JSON below it."""
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())
