import base64
import json

from nacl.signing import SigningKey

from doorbell.link import messages
from doorbell.link.messages import Health

KEY = SigningKey(bytes(32))


def sign(kind: str, text: bytes) -> bytes:
    return KEY.sign(b"doorbell/v1/" + kind.encode() + b"\0" + text).signature


def test_hello_is_signed_over_the_very_bytes_it_carries() -> None:
    said = messages.hello(
        "front", sign, software="0.1", verify_key=b"v" * 32, box_key=b"b" * 32, epoch=b"e" * 16, journal=b"j" * 16
    )
    outer = json.loads(said.payload)
    assert set(outer) == {"json", "sig"}
    text = outer["json"].encode()
    KEY.verify_key.verify(b"doorbell/v1/hello\0" + text, base64.b64decode(outer["sig"]))
    inner = json.loads(text)
    assert set(inner) == {"v", "door", "software", "verify_key", "box_key", "epoch", "journal"}
    assert base64.b64decode(inner["epoch"]) == b"e" * 16
    assert said.retain and said.qos == 1 and said.expiry_s is None


def test_hello_carries_the_pair_mac_only_while_pairing_is_open() -> None:
    said = messages.hello(
        "front", sign, software="0.1", verify_key=b"", box_key=b"", epoch=b"", journal=b"", pair_mac=b"m" * 32
    )
    assert base64.b64decode(json.loads(json.loads(said.payload)["json"])["pair_mac"]) == b"m" * 32


def test_an_alert_is_sealed_and_opens_to_a_signature_and_the_ring() -> None:
    said = messages.alert(
        "front", sign, lambda plain: plain[::-1], visit="abc", epoch=b"e" * 16, uptime=12.3456, wall=0, synced=False
    )
    plain = said.payload[::-1]
    KEY.verify_key.verify(b"doorbell/v1/alert\0" + plain[64:], plain[:64])
    assert json.loads(plain[64:]) == {
        "v": 1, "door": "front", "kind": "ring", "visit": "abc", "epoch": base64.b64encode(b"e" * 16).decode(),
        "uptime": 12.346, "at": "1970-01-01T00:00:00.000Z", "clock": "unsynced",
    }  # fmt: skip
    assert (said.topic, said.qos, said.retain, said.expiry_s) == ("doorbell/front/alert", 1, False, 60)


def test_the_ring_in_clear_tells_the_time_only() -> None:
    said = messages.ring("front", visit="abc", wall=1795719356.1234)
    assert json.loads(said.payload) == {"event_type": "ring", "id": "abc", "at": "2026-11-26T18:55:56.123Z"}
    assert (said.topic, said.qos, said.retain, said.expiry_s) == ("doorbell/front/ring", 1, False, 60)


def test_states_are_kept_by_the_broker_and_events_are_not() -> None:
    states = [
        messages.availability("front", online=True), messages.recording("front", on=False),
        messages.health("front", Health(started="s", version="0.1", disk=3.5, problems=("p",))),
    ]  # fmt: skip
    assert [one.retain for one in states] == [True] * 3
    assert states[0].payload == b"online" and states[1].payload == b"OFF"
    assert json.loads(states[2].payload)["problems"] == ["p"]
    events = [
        messages.motion("front", active=True), messages.poster("front", visit="v", sealed=b"s"),
        messages.entry("front", index=7, encoded=b"{}"), messages.reply("front", phone="p", sealed=b""),
    ]  # fmt: skip
    assert [one.retain for one in events] == [False] * 4
    assert [one.expiry_s for one in events] == [60, 600, 7 * 86400, 30]
    assert events[2].topic == "doorbell/front/journal/7"


def test_silence_takes_back_every_clear_retained_message() -> None:
    silence = messages.silence("front")
    assert {one.topic for one in silence} == {
        "doorbell/front/health", "doorbell/front/recording/state", "homeassistant/device/doorbell-front/config",
    }  # fmt: skip
    assert all(one.retain and one.payload == b"" for one in silence)
