"""An authority of one's own at a real mosquitto: the door believes it, and nothing that merely looks like it."""

from __future__ import annotations

import shutil
import socket
import ssl
import stat
import subprocess
import sys
import threading
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from doorbell.brokerca import CA, CA_KEY, CERTIFICATE, KEY, Authority, _Workshop, snippet
from doorbell.doctor.certificate import judged
from doorbell.errors import DeviceError, Mistake
from doorbell.events import Offline, Online
from doorbell.link.settings import MqttSettings
from tests.link.test_tls import of_old
from tests.rigs.broker import Certificates, Mosquitto, free_port
from tests.rigs.caller import Caller


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    assert authority.make(["localhost"])
    return authority


def printed(folder: Path, tls: int, sockets: int) -> str:
    """mosquitto's lines as the command prints them, on ports of this test's own."""
    return snippet(folder).replace("8883", f"{tls} 127.0.0.1").replace("8884", f"{sockets} 127.0.0.1")


def settings(authority: Authority, port: int, host: str = "localhost") -> MqttSettings:
    return MqttSettings(host, port, ca_file=str(authority.folder / CA))


def why_not(given: MqttSettings) -> str:
    with Caller(given) as door:
        why: str = door.until(Offline).why
        assert not any(isinstance(one, Online) for one in door.events)
    return why


def test_the_printed_lines_work_for_the_door_and_for_web_sockets(made: Authority, tmp_path: Path) -> None:
    tls, sockets = free_port(), free_port()
    with Mosquitto(tmp_path, settings=printed(made.folder, tls, sockets)) as broker:
        with Caller(settings(made, tls)) as door:
            door.until(Online)
        pinned = MqttSettings("localhost", tls, tls="pin", pin_sha256=made.fingerprint())
        with Caller(pinned) as door:
            door.until(Online)
        here = threading.Event()
        app = paho.Client(CallbackAPIVersion.VERSION2, transport="websockets")
        app.on_connect = lambda *_: here.set()
        app.tls_set(ca_certs=str(made.folder / CA))
        app.connect("localhost", sockets)
        app.loop_start()
        assert here.wait(10)
        app.disconnect()
        app.loop_stop()
        # A client of old is not served, though it would take any certificate.
        with socket.create_connection(("127.0.0.1", tls), 5) as plain, pytest.raises(OSError):
            of_old(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(plain)
        assert broker.says("unsupported protocol"), broker.log()


@pytest.mark.parametrize("kind", ["host", "self-signed", "expired", "another name", "another address"])
def test_what_only_looks_like_the_broker_gets_no_login(made: Authority, tmp_path: Path, kind: str) -> None:
    host, room = "localhost", tmp_path / "room"
    room.mkdir()
    match kind:
        case "host":  # the right certificate, at another name
            host, pair = "127.0.0.1", (made.folder / CERTIFICATE, made.folder / KEY)
        case "self-signed":  # as anybody can make it for the same name
            impostor = Authority(room)
            impostor.make(["localhost"])
            pair = (room / CERTIFICATE, room / KEY)
        case "expired":
            shutil.copy(made.folder / CA, room / "ca.crt")
            shutil.copy(made.folder / CA_KEY, room / "ca.key")
            pair = Certificates(room).sign("old", host, expired=True)
        case _:  # who stole the authority's key signs for another name
            more = {"another name": "DNS:bank.example", "another address": "IP:10.9.9.9"}[kind]
            _with_authority(made, room).certificate(["DNS:localhost", more], 30)
            pair = (room / CERTIFICATE, room / KEY)
    with Mosquitto(tmp_path, tls=pair) as broker:
        assert "certificate" in why_not(settings(made, broker.port, host)).lower()
        assert "connected from" not in broker.log()


def _with_authority(made: Authority, room: Path) -> _Workshop:
    for name in (CA, CA_KEY):
        shutil.copy(made.folder / name, room / name)
    return _Workshop(room)


def test_a_renewed_certificate_needs_nothing_of_door_and_phones(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    assert authority.make(["localhost", "127.0.0.1", "::1"])
    ca, before, ends = (tmp_path / CA).read_bytes(), authority.fingerprint(), authority.ends()
    assert not authority.make(["127.0.0.1", "::1"])
    assert (tmp_path / CA).read_bytes() == ca and authority.fingerprint() != before
    assert ends is not None
    with (
        Mosquitto(tmp_path, tls=(tmp_path / CERTIFICATE, tmp_path / KEY)) as broker,
        Caller(settings(authority, broker.port, "127.0.0.1")) as door,
    ):
        door.until(Online)
    with pytest.raises(Mistake, match=r"bound to 127\.0\.0\.1, ::1, localhost: for other"):
        authority.make(["localhost", "other.home"])
    assert {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in (CA_KEY, CA, KEY, CERTIFICATE)} == {
        CA_KEY: 0o600, CA: 0o644, KEY: 0o640, CERTIFICATE: 0o644,
    }  # fmt: skip
    assert not list(tmp_path.glob(".doorbell-ca-*"))


@pytest.mark.parametrize(
    "names", [[], ["a b"], ["-x"], ["x,DNS:evil"], ["x\nDNS:evil"], ["*.home"], ["a" * 64], ["x", "x"], ["https://x"]]
)
def test_what_is_no_name_of_a_broker_is_refused(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(Mistake):
        Authority(tmp_path).make(names)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [CA, CA_KEY])
def test_a_file_of_the_authority_that_is_damaged_is_named(tmp_path: Path, name: str) -> None:
    authority = Authority(tmp_path)
    authority.make(["localhost"])
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:60])
    with pytest.raises(DeviceError, match=f"{name} cannot be used: put it back"):
        authority.make(["localhost"])
    (tmp_path / CERTIFICATE).write_bytes(b"no certificate")
    with pytest.raises(DeviceError, match=f"{CERTIFICATE} cannot be used: make it again"):
        authority.ends()


def test_an_end_that_is_near_is_told(tmp_path: Path) -> None:
    now = 1_800_000_000.0
    assert judged(now + 31 * 86400, now).state == "good"
    assert judged(now + 29 * 86400, now).state == "bad"
    assert judged(now - 5, now).state == "bad"
    Authority(tmp_path).make(["localhost"], days=30)
    done = subprocess.run(
        [sys.executable, "-m", "doorbell", "broker-setup", "show", "--folder", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "in 29 days" in done.stdout and "Renew it now" in done.stderr


def test_the_command_says_who_needs_what(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "doorbell", "broker-setup", "ca", "broker.home", "--folder", str(tmp_path)]
    first = subprocess.run(words, capture_output=True, text=True, check=False)
    assert first.returncode == 0 and "protocol websockets" in first.stdout and "pin_sha256" in first.stdout
    assert "PRIVATE" not in first.stdout
    again = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    assert "renewed" in again and Authority(tmp_path).fingerprint() in again
    bad = subprocess.run([*words[:-1], "/nonexistent"], capture_output=True, text=True, check=False)
    assert bad.returncode == 1 and "Traceback" not in bad.stderr
