"""A phone is held up to a door that nobody has paired."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from attrs import evolve

from doorbell import configfile, ticket
from doorbell.clips.recipient import Recipient
from doorbell.light import kept
from doorbell.owner.identity import Identity
from doorbell.scene import Scene
from tests.light.pictures import Look, seen
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.phone import Phone

WIDE, HIGH, FPS = 640, 400, 4
FRAMES = 6
"""For each QR that is held up."""
SECRET = bytes(range(16))


def shown_by(held: Phone, owner: Identity, port: int, **changed: object) -> ticket.Ticket:
    mine = Recipient.parse(str(held.identity.to_public())).key
    one = ticket.Ticket(
        owner=owner.recipient.key, owner_verify_key=owner.verify_key, secret=SECRET, door="side",
        broker=f"mqtt://127.0.0.1:{port}", login="side", password="of the door", phone=mine,
        phone_verify_key=held.verify_key,
    )  # fmt: skip
    return evolve(one, **changed)


def film(path: Path, *texts: str) -> Path:
    """A street, where somebody holds up his phone with each of *texts* in turn, by hand."""
    street = Scene(WIDE, HIGH, 3).frame(0.0).y
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "18", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt, stream.time_base = WIDE, HIGH, "yuv420p", Fraction(1, FPS)
        for number in range(FRAMES * len(texts)):
            text = texts[number // FRAMES]
            held = Look(wide=0.85, tilt=8, turn=-10, roll=number % 5 - 2, blur=0.7, noise=3, seed=number)
            frame = av.VideoFrame.from_ndarray(
                np.concatenate(
                    [
                        seen(text, WIDE, HIGH, held, street).ravel(),
                        np.full(WIDE * HIGH // 2, 128, np.uint8),
                    ]
                ).reshape(HIGH * 3 // 2, WIDE),
                "yuv420p",
            )
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def unpaired(folder: Path, video: Path) -> Door:
    camera = {"source": f"file:{video}", "width": WIDE, "height": HIGH, "fps": FPS}
    return Door(folder / "door", settings={"keys": {"recipients": []}, "camera": camera})


@pytest.fixture
def owner() -> Identity:
    return Identity.make()


def test_a_phone_held_up_while_the_button_is_held_pairs_the_door(tmp_path: Path, owner: Identity) -> None:
    anna = Phone(0, "Anna", door="side", password="of Anna")
    logins = {"side": "of the door", anna.id: "of Anna"}
    with Mosquitto(tmp_path, logins=logins) as broker:
        anna.port = broker.port
        for_phones = shown_by(anna, owner, broker.port, phone=ticket.NONE, phone_verify_key=ticket.NONE)
        texts = ticket.to_qr(for_phones), ticket.to_qr(shown_by(anna, owner, broker.port))
        door = unpaired(tmp_path, film(tmp_path / "phone.mp4", *texts))
        with door, anna:
            door.until(lambda: door.status().get("camera") == "off")
            door.press()
            door.said("somebody rings")
            pause(0.3)
            assert "looks for" not in door.log()
            door.finger(b"button down")
            door.until(lambda: door.log().count("somebody rings") == 2)  # a press rings at once, however long it lasts
            door.said("the camera looks for a phone's QR", 10)
            door.finger(b"button up")
            door.said("a phone joins")  # the QR for phones is told apart, and looked on
            door.said("starts afresh with its owner and its broker")
            anna.until(lambda: anna.facts and anna.knows(SECRET))
            anna.join(SECRET)
            members = json.loads(anna.hello()["result"]["roster"]["json"])["members"]
            assert [(one["name"], one["role"]) for one in members] == [("owner", "admin"), ("Anna", "admin")]
            assert members[0]["recipient"] == str(owner.recipient)
            anna.until(lambda: "pair_mac" not in anna.facts)
            door.press()
            alert = anna.until(lambda: anna.of("alert"))[0][1]
            assert anna.can_open(alert)
            log = door.log()
            assert "of the door" not in log
            assert texts[1][30:60] not in log
            assert "Traceback" not in log
            for name in ("by-light.json", "roster.json"):
                assert (door.state / name).stat().st_mode & 0o777 == 0o600
            assert not (door.state / "pairing.json").exists()
            # A door that has a household is deaf to the street.
            door.finger(b"button down")
            pause(5.5)
            door.finger(b"button up")
            assert door.log().count("looks for a phone's QR") == 1
            assert door.stop() == 0
            door.start()
            assert anna.hello()["result"]["role"] == "admin"


def test_who_photographed_the_qr_cannot_join_by_it(tmp_path: Path, broker: Mosquitto, owner: Identity) -> None:
    door = Door(tmp_path / "door", settings={"keys": {"recipients": []}})
    door.state.mkdir(parents=True)
    anna, eve = Phone(broker.port, "Anna", door="side"), Phone(broker.port, "Eve", door="side")
    kept.keep(door.state, shown_by(anna, owner, broker.port, login="", password=""))
    with Listener(broker.port) as listener, door, anna, eve:
        eve.until(lambda: eve.facts and eve.knows(SECRET))
        door.until(
            lambda: not (door.state / "pairing.json").exists()
        )  # taken up once: a power cut makes no new five minutes
        for _ in range(4):
            eve.join(SECRET)
        anna.until(lambda: anna.facts)
        anna.join(SECRET)
        assert len(json.loads(anna.hello()["result"]["roster"]["json"])["members"]) == 2
        assert listener.wait("hello", 2)


def test_five_minutes_are_not_made_longer_by_a_restart(tmp_path: Path, broker: Mosquitto, owner: Identity) -> None:
    door = Door(tmp_path / "door", settings={"keys": {"recipients": []}})
    door.state.mkdir(parents=True)
    anna = Phone(broker.port, "Anna", door="side")
    kept.keep(door.state, shown_by(anna, owner, broker.port, login="", password=""))
    with door, anna:
        anna.until(lambda: anna.facts and anna.knows(SECRET))
        door.until(lambda: not (door.state / "pairing.json").exists())
        assert door.stop() == 0
        before = anna.facts["epoch"]
        door.start()
        anna.until(lambda: anna.facts["epoch"] != before)
        assert "pair_mac" not in anna.facts


# ---- what a ticket teaches


def test_a_ticket_lies_over_the_configuration_until_its_file_is_removed(tmp_path: Path, owner: Identity) -> None:
    now = configfile.parse(f'[door]\nid = "front"\nstate = "{tmp_path}"\n[mqtt]\nhost = "old.example"\n')
    one = shown_by(Phone(0), owner, 1, broker="mqtts://broker.example", broker_pin=bytes(range(32)))
    kept.keep(tmp_path, one)
    after, why = kept.load(now)
    assert why == ""
    assert (after.door.id, after.keys.recipients) == ("side", (owner.recipient,))
    assert (after.mqtt.host, after.mqtt.port, after.mqtt.username) == ("broker.example", 0, "side")
    assert (after.mqtt.tls, after.mqtt.pin_sha256) == ("pin", bytes(range(32)).hex())
    assert "of the door" not in repr(after)
    (tmp_path / kept.NAME).unlink()
    assert kept.load(now) == (now, "")


@pytest.mark.parametrize(
    ("broker", "pin", "tls"),
    [
        ("mqtts://broker.example", bytes(32), "ca"),
        ("mqtts://[fe80::1]:8883", b"x" * 32, "pin"),
        ("mqtt://10.0.0.2:1883", b"x" * 32, "off"),
    ],
)
def test_how_the_broker_is_trusted_is_what_the_ticket_says(owner: Identity, broker: str, pin: bytes, tls: str) -> None:
    found = kept.settings(shown_by(Phone(0), owner, 1, broker=broker, broker_pin=pin))
    assert found.tls == tls
    assert found.host in ("broker.example", "fe80::1", "10.0.0.2")


def test_an_address_for_browsers_is_none_for_a_door(owner: Identity) -> None:
    with pytest.raises(ValueError, match="browsers"):
        kept.settings(shown_by(Phone(0), owner, 1, broker="wss://broker.example/mqtt"))


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"x" * 5000, b'{"v":1}', bytes(range(160, 224))],
    ids=["empty", "no fields", "long", "a version alone", "no text"],
)
def test_what_was_learnt_and_is_damaged_is_a_sentence(tmp_path: Path, text: bytes) -> None:
    now = configfile.parse(f'[door]\nstate = "{tmp_path}"\n')
    (tmp_path / kept.NAME).write_bytes(text)
    after, why = kept.load(now)
    assert after == now
    assert "pair again" in why
