"""What the doctor learns from a real mosquitto, beside whatever else is connected to it."""

from __future__ import annotations

from pathlib import Path

import paho.mqtt.publish
import pytest

from doorbell.doctor.finding import Finding
from doorbell.doctor.rounds import CHECKS, look
from tests.rigs.broker import Certificates, Mosquitto, free_port
from tests.rigs.door import Listener


def ask(tmp_path: Path, broker: Mosquitto, *checks: str, more: str = 'tls = "off"') -> list[Finding]:
    path = tmp_path / "doorbell.toml"
    path.write_text(
        f'[door]\nid = "front"\nstate = "{tmp_path}/state"\nruntime = "{tmp_path}/run"\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n{more}\n'
    )
    door = look(path)
    return [CHECKS[check](door) for check in checks]


def test_a_good_broker_is_good_in_every_line(tmp_path: Path, broker: Mosquitto) -> None:
    found = ask(tmp_path, broker, "broker", "encryption", "packets", "broker version")
    assert [one.state for one in found] == ["good"] * 4
    assert "MQTT 5" in found[0].sentence
    assert "mosquitto version" in found[3].sentence


def test_the_visit_leaves_nothing_behind_and_says_nothing_of_the_door(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    assert ask(tmp_path, broker, "broker")[0].state == "good"
    paho.mqtt.publish.single("after", "1", port=broker.port)
    listener.wait("after")
    assert [note.topic for note in listener.notes] == ["after"]


def test_home_assistant_is_seen_by_what_it_left_at_the_broker(tmp_path: Path, broker: Mosquitto) -> None:
    assert ask(tmp_path, broker, "home assistant")[0].state == "unknown"
    for said, state in (("online", "good"), ("offline", "bad")):
        paho.mqtt.publish.single("homeassistant/status", said, retain=True, port=broker.port)
        assert ask(tmp_path, broker, "home assistant")[0].state == state


def test_a_broker_that_takes_only_small_messages_is_bad(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, settings="max_packet_size 20000") as broker:
        (found,) = ask(tmp_path, broker, "packets")
    assert (found.state, "20000 bytes" in found.sentence) == ("bad", True)


def test_a_wrong_password_is_told_once_and_never_shown(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, logins={"front": "right-one"}) as broker:
        more = 'tls = "off"\nusername = "front"\npassword = "wrong-one"'
        found = ask(tmp_path, broker, "broker", "packets", more=more)
        assert ask(tmp_path, broker, "broker", more=more.replace("wrong", "right"))[0].state == "good"
    assert [one.state for one in found] == ["bad", "unknown"]
    assert "refused the login" in found[0].sentence
    assert "wrong-one" not in str(found)


def test_tls_is_good_with_its_authority_and_bad_without(tmp_path: Path) -> None:
    made = Certificates(tmp_path).make_authority()
    with Mosquitto(tmp_path, tls=made.sign("broker", "127.0.0.1")) as broker:
        found = ask(tmp_path, broker, "broker", "encryption", more=f'ca_file = "{made.ca}"')
        assert [one.state for one in found] == ["good", "good"]
        (found,) = ask(tmp_path, broker, "broker", more="")
        assert (found.state, "authority" in found.sentence) == ("bad", True)


def test_a_broker_elsewhere_without_tls_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "doorbell.toml"
    path.write_text('[mqtt]\nhost = "broker.example"\ntls = "off"\n')
    assert CHECKS["encryption"](look(path)).state == "bad"


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_websocket_is_found_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encrypted: bool
) -> None:
    from doorbell.doctor import broker as room

    port = free_port()
    settings = f"listener {port} 127.0.0.1\nprotocol websockets\nallow_anonymous true"
    if encrypted:
        certificate, key = Certificates(tmp_path).make_authority().sign("web", "127.0.0.1")
        settings += f"\ncertfile {certificate}\nkeyfile {key}"
    monkeypatch.setattr(room, "WEBSOCKET_PORTS", (free_port(), port))
    with Mosquitto(tmp_path, settings=settings) as broker:
        _, found = ask(tmp_path, broker, "broker", "websocket")  # it opens its second port a moment after the first
    assert (found.state, ("TLS" in found.sentence) is encrypted) == ("good", True)
    (found,) = ask(tmp_path, broker, "websocket")
    assert found.state == "unknown"
