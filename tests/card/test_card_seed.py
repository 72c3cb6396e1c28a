"""What cloud-init is given, read as cloud-init reads it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorbell.card import seed
from doorbell.card.system import command_line
from doorbell.card.wishes import Wifi, Wishes, broker
from doorbell.errors import Mistake

yaml = pytest.importorskip("yaml", reason="PyYAML is missing: pip install pyyaml")

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBG7Gk0sCj0v3m4D2Q0nXb1uY5l6b7c8d9e0f1g2h3i4 anna@laptop"


def test_the_wpa_key_is_the_standards_own() -> None:
    # IEEE 802.11i, annex H.4.3
    assert Wifi("IEEE", "password", "US").key == "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1, max_size=10))
def test_every_wifi_name_arrives_as_it_is(ssid: str) -> None:
    if not (len(ssid.encode()) <= 32 and ssid.isprintable()):
        return
    wifi = Wifi(ssid, "12345678", "DE")
    points = yaml.safe_load(seed.network_config(wifi))["network"]["wifis"]["wlan0"]["access-points"]
    assert points == {ssid: {"password": wifi.key}}


def test_a_wpa3_network_gets_the_password_itself() -> None:
    wifi = Wifi("Nest", 'quo"te: #1', "DE", sae=True)
    points = yaml.safe_load(seed.network_config(wifi))["network"]["wifis"]["wlan0"]["access-points"]
    assert points["Nest"] == {"auth": {"key-management": "sae", "password": 'quo"te: #1'}}


@pytest.mark.parametrize("sae", [False, True])
def test_a_network_that_hides_its_name_is_called_for(sae: bool) -> None:
    for hidden in (True, False):
        wifi = Wifi("Nest", "12345678", "DE", sae=sae, hidden=hidden)
        points = yaml.safe_load(seed.network_config(wifi))["network"]["wifis"]["wlan0"]["access-points"]
        assert points["Nest"].get("hidden", False) is hidden


def test_a_door_with_a_cable_has_no_radio_configured() -> None:
    network = yaml.safe_load(seed.network_config(None))["network"]
    assert list(network) == ["version", "ethernets"]
    assert all(one["optional"] for one in network["ethernets"].values()), "or a boot waits for a cable"


@pytest.mark.parametrize("ssh", ["", KEY])
def test_nobody_may_log_in_unless_a_key_was_given(ssh: str) -> None:
    config = yaml.safe_load(seed.user_data(Wishes("front", ssh_key=ssh), 1))
    assert config["ssh_pwauth"] is False and config["disable_root"] is True
    assert all(user["lock_passwd"] for user in config["users"])
    assert [user.get("ssh_authorized_keys") for user in config["users"]] == [[KEY] if ssh else None]
    script = config["write_files"][0]["content"]
    assert f"--ssh={'yes' if ssh else 'no'}" in script and "@" not in script.replace("$@", "")


def test_time_never_begins_before_the_card_was_written() -> None:
    config = yaml.safe_load(seed.user_data(Wishes("front"), 1_795_000_000))
    assert config["bootcmd"][0][-1] == '[ "$(date +%s)" -ge 1795000000 ] || date -s @1795000000'


@pytest.mark.parametrize("updates", [True, False])
def test_the_first_boots_script_is_a_shells(updates: bool, tmp_path: Path) -> None:
    script = yaml.safe_load(seed.user_data(Wishes("front", updates=updates), 1))["write_files"][0]["content"]
    file = tmp_path / "first-boot"
    file.write_text(script)
    assert subprocess.run(["sh", "-n", file], check=False).returncode == 0
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", "-s", "sh", file], capture_output=True, text=True, check=False)
        assert done.stdout == ""


@pytest.mark.skipif(
    not shutil.which("cloud-init"),
    reason="cloud-init is missing: apt-get install cloud-init, on a machine that may have it",
)
@pytest.mark.parametrize("ssh", ["", KEY])
def test_cloud_init_has_nothing_against_the_user_data(ssh: str, tmp_path: Path) -> None:
    file = tmp_path / "user-data"
    file.write_text(seed.user_data(Wishes("front", ssh_key=ssh), 1))
    done = subprocess.run(["cloud-init", "schema", "-c", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _reads_networks() -> bool:
    """Debian 12's cloud-init does not yet; and what it says of Wi-Fi is netplan's."""
    if not (shutil.which("cloud-init") and shutil.which("netplan")):
        return False
    done = subprocess.run(["cloud-init", "schema", "--help"], capture_output=True, text=True, check=False)
    return "--schema-type" in done.stdout


@pytest.mark.skipif(
    not _reads_networks(),
    reason="cloud-init 24 or later and netplan are missing: apt-get install cloud-init netplan.io, on a machine that "
    "may have them (make lab-image asks Debian 13's own)",
)
@pytest.mark.parametrize(
    "wifi",
    [None, Wifi("Nest", "12345678", "DE"), Wifi('N"e:#', "12345678", "DE", sae=True, hidden=True)],
    ids=["cable", "WPA2", "WPA3"],
)
def test_cloud_init_has_nothing_against_the_network(wifi: Wifi | None, tmp_path: Path) -> None:
    file = tmp_path / "network-config"
    file.write_text(seed.network_config(wifi))
    done = subprocess.run(
        ["cloud-init", "schema", "--schema-type", "network-config", "-c", file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_card_is_a_new_instance_in_both_spellings() -> None:
    meta = seed.meta_data("doorbell-front-1", "front")
    assert yaml.safe_load(meta)["instance-id"] == yaml.safe_load(meta)["instance_id"] == "doorbell-front-1"
    assert seed.instance_of(meta.encode()) == "doorbell-front-1"
    assert seed.instance_of(b"dsmode: local\ninstance_id: rpios-image\n") == "rpios-image"
    assert seed.instance_of(b"") == ""


def test_what_stays_of_the_network_changes_nothing() -> None:
    assert yaml.safe_load(seed.NETWORK_LEFT) == {"network": {"config": "disabled"}}


@pytest.mark.parametrize(
    ("before", "country", "after"),
    [
        (b"root=PARTUUID=1-02 rootwait\n", "DE", b"root=PARTUUID=1-02 rootwait cfg80211.ieee80211_regdom=DE\n"),
        (b"a cfg80211.ieee80211_regdom=GB b", "DE", b"a b cfg80211.ieee80211_regdom=DE\n"),
        (b"a ds=nocloud;i=rpi-imager-17 b\r\n", "", b"a ds=nocloud;i=new b\n"),
        (b"init=/bin/x i=1\n", "", b"init=/bin/x i=1\n"),
    ],
)
def test_the_kernels_command_line_keeps_all_but_what_is_ours(before: bytes, country: str, after: bytes) -> None:
    assert command_line(before, "new", country) == after


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("mqtts://broker.example", "broker.example", 0, "ca"),
        ("mqtt://10.0.0.2:1884/", "10.0.0.2", 1884, "off"),
        (" mqtts://[fe80::1]:8883 ", "fe80::1", 8883, "ca"),
    ],
)
def test_a_brokers_address_is_read(url: str, host: str, port: int, tls: str) -> None:
    found = broker(url)
    assert (found.host, found.port, found.tls) == (host, port, tls)


@pytest.mark.parametrize("url", ["", "broker.example", "mqtts://", "mqtts://b:70000", "wss://b", "mqtts://b/path"])
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(Mistake):
        broker(url)


def test_the_door_needs_nothing_of_the_cards_libraries() -> None:
    program = "import sys, doorbell.boot.adopt, doorbell.boot.tell, doorbell.boot.scrub, doorbell.boot.harden;"
    program += "print([m for m in ('segno', 'rich', 'mnemonic', 'av', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
