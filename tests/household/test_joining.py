"""How phones come to a household, and how they do not."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from nacl.signing import SigningKey
from pyrage import x25519

from doorbell.enrolment import enrol
from doorbell.errors import Mistake
from tests.household.conftest import owner
from tests.household.test_commands import AtHome
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener
from tests.rigs.phone import Phone
from tests.rigs.reading import bodies


def members(phone: Phone) -> list[tuple[str, str]]:
    found = json.loads(phone.hello()["result"]["roster"]["json"])["members"]
    return [(one["name"], one["role"]) for one in found]


def invited(door: Door) -> bytes:
    return enrol(door.state, door.owner.recipient, door.owner.verify_key)


def owners_words(door: Door, port: int, through: str = "") -> Phone:
    """Whoever has the owner's key, by the topics of the phone *through*."""
    identity = x25519.Identity.from_str(door.owner.line())
    return Phone(port, "mine", signing=SigningKey(door.owner.signing_key), identity=identity, through=through)


def test_the_first_phone_joins_by_the_secret_of_the_card_and_is_admin(tmp_path: Path, broker: Mosquitto) -> None:
    door = Door(tmp_path / "door", broker.port)
    secret = invited(door)
    with door, Phone(broker.port, "Anna") as anna, Phone(broker.port, "Eve") as eve:
        anna.until(lambda: anna.knows(secret))
        assert not anna.knows(bytes(16))
        anna.join(secret)
        assert members(anna) == [("owner", "admin"), ("Anna", "admin")]
        anna.until(lambda: "pair_mac" not in anna.facts)
        eve.join(secret)  # it is good once
        door.press()
        alert = anna.until(lambda: anna.of("alert"))[0][1]
        assert anna.can_open(alert)
        assert not eve.can_open(alert)
        assert len(members(anna)) == 2
        assert door.stop() == 0
        assert not (door.state / "pairing.json").exists()
        door.start()
        assert len(members(anna)) == 2
        assert "pair_mac" not in anna.facts


def test_the_owners_own_phone_is_the_owner(tmp_path: Path, broker: Mosquitto) -> None:
    door = Door(tmp_path / "door", broker.port)
    secret = invited(door)
    with door, owners_words(door, broker.port) as mine:
        mine.until(lambda: mine.knows(secret))
        mine.join(secret)
        assert members(mine) == [("owner", "admin")]


def test_the_owners_words_let_a_phone_in_by_its_own_topics_and_take_a_lost_one_out(at_home: AtHome) -> None:
    door, anna, _ = at_home()
    nora = Phone(anna.port, "Nora")
    with owners_words(door, anna.port, through=nora.id) as words:
        now = words.hello()["result"]["roster"]
        household = json.loads(now["json"])["members"]
        kept = [one for one in household if one["name"] != "Anna"]
        reply = words.ask("roster", {"document": words.roster(now, [*kept, nora.member("admin")])})
        assert reply["result"] == {"revision": 2}
        assert words.ask("live", {"do": "renew"})["refused"] == "args"
    with nora:
        assert members(nora) == [("owner", "admin"), ("Ben", "member"), ("Nora", "admin")]
    assert anna.ask("journal", {"since": 0})["refused"] == "member"


@pytest.mark.parametrize("place", ["x", "front", "a" * 64])
def test_a_command_on_nobodys_topic_is_answered_on_its_senders_own(at_home: AtHome, place: str) -> None:
    _, anna, _ = at_home()
    wanted, sealed = anna.command("journal", {"since": 0})
    anna.publish(f"from/{place}", sealed)
    assert anna.until(lambda: anna.replies(wanted))[0]["result"]["entries"]


def test_five_wrong_guesses_close_the_door_over_restarts(tmp_path: Path, broker: Mosquitto, listener: Listener) -> None:
    door = Door(tmp_path / "door", broker.port)
    secret = invited(door)
    with door, Phone(broker.port, "Eve") as eve:
        eve.until(lambda: eve.knows(secret))
        for guess in range(1, 6):
            eve.join(bytes([guess]) * 16)
            if guess < 5:
                door.until(lambda guess=guess: json.loads((door.state / "pairing.json").read_text())["wrong"] == guess)
        eve.until(lambda: "pair_mac" not in eve.facts)
        door.until(lambda: not (door.state / "pairing.json").exists())
        eve.join(secret)
        assert [b["what"] for b in bodies(door.owner, listener.wait("journal", 2)) if b["kind"] == "pairing"] == [
            "wrong"
        ]
        assert not (door.state / "roster.json").exists()
        assert door.stop() == 0
        door.start()
        listener.wait("hello", 3)
        assert "pair_mac" not in eve.facts


def test_a_further_phone_joins_after_an_admin_invited_it_and_signed(at_home: AtHome, listener: Listener) -> None:
    door, anna, ben = at_home()
    assert ben.ask("pairing", {"open": True})["refused"] == "role"
    opened = anna.ask("pairing", {"open": True})["result"]
    secret = base64.b64decode(opened["secret"])
    assert (len(secret), opened["joining"]) == (16, [])
    assert 290 <= opened["seconds"] <= 300
    with Phone(anna.port, "Carol") as carol:
        carol.until(lambda: carol.knows(secret))
        carol.join(b"not the secret!!")
        carol.join(secret)
        anna.until(lambda: "pair_mac" not in anna.facts)
        carol.send("hello")  # not yet: an admin has to sign
        asked = anna.ask("pairing", {"open": True})["result"]["joining"]
        assert asked == [{"member": carol.member(), "mac": base64.b64encode(carol.mac(secret)).decode()}]
        assert carol.of("to/") == []
        now = anna.hello()["result"]["roster"]
        household = json.loads(now["json"])["members"]
        reply = anna.ask("roster", {"document": anna.roster(now, [*household, asked[0]["member"]])})
        assert reply["result"] == {"revision": 2}
        assert members(carol)[-1] == ("Carol", "member")
        assert carol.ask("journal", {"since": 0})["result"]["entries"]
    assert anna.ask("pairing", {"open": False})["result"] == {"secret": None, "seconds": 0, "joining": []}

    def told() -> list[str]:
        said = bodies(listener_owner(anna, listener), listener.of("journal"))
        return [body["what"] for body in said if body["kind"] == "pairing"]

    door.until(lambda: told() == ["opened", "asked", "joined"])


def listener_owner(phone: Phone, _: Listener):
    """Anna reads the journal herself: she has been there since it began."""
    from doorbell.owner.identity import Identity

    return Identity.parse(str(phone.identity))


def test_an_invitation_can_be_withdrawn(at_home: AtHome) -> None:
    _, anna, _ = at_home()
    secret = base64.b64decode(anna.ask("pairing", {"open": True})["result"]["secret"])
    anna.until(lambda: anna.knows(secret))
    anna.ask("pairing", {"open": False})
    anna.until(lambda: "pair_mac" not in anna.facts)
    with Phone(anna.port, "Eve") as eve:
        eve.until(lambda: eve.facts)
        eve.join(secret)
        assert anna.ask("pairing", {"open": True})["result"]["joining"] == []


def test_rubbish_on_the_topic_of_joining_moves_nothing(tmp_path: Path, broker: Mosquitto) -> None:
    door = Door(tmp_path / "door", broker.port)
    secret = invited(door)
    with door, Phone(broker.port, "Anna") as anna:
        anna.until(lambda: anna.knows(secret))
        for rubbish in (b"", b"x" * 100, b"x" * 5000):
            anna.publish("pair", rubbish)
        door.press()
        anna.until(lambda: anna.of("alert"))
        assert json.loads((door.state / "pairing.json").read_text())["wrong"] == 0
        assert "Traceback" not in door.log()


def test_a_door_with_a_household_is_not_enrolled_again(tmp_path: Path) -> None:
    (tmp_path / "roster.json").write_text("{}")
    door = Door(tmp_path)
    with pytest.raises(Mistake, match="household already"):
        enrol(tmp_path, door.owner.recipient, door.owner.verify_key)


def test_an_invitation_of_another_owner_is_not_taken_up(tmp_path: Path, broker: Mosquitto) -> None:
    door, other = Door(tmp_path / "door", broker.port), Door(tmp_path)
    secret = enrol(door.state, other.owner.recipient, other.owner.verify_key)
    with door, Phone(broker.port) as phone:
        phone.until(lambda: phone.facts)
        assert not phone.knows(secret)
        assert "another owner" in door.log()


def test_the_command_invites_with_what_the_phone_has_to_know(tmp_path: Path) -> None:
    door = Door(tmp_path / "door")
    door.folder.mkdir()
    (door.folder / "doorbell.toml").write_text(door.configuration())
    (tmp_path / "key.txt").write_text(door.owner.line() + "\n")

    def say(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "doorbell", *words], capture_output=True, text=True, check=False)

    verify_key = say("recipient", "--verify-key", str(tmp_path / "key.txt")).stdout.strip()
    words = ["enrol", "--config", str(door.folder / "doorbell.toml"), "--owner-verify-key"]
    told = json.loads(say(*words, verify_key).stdout)
    assert base64.b64decode(told["owner"]["verify_key"]) == owner(door).verify_key
    assert len(base64.b64decode(told["secret"])) == 16
    bad = say(*words, "nonsense")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "44 characters" in bad.stderr
