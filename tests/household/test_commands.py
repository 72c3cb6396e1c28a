"""What the household's phones ask of a real door, through a real broker."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable

from doorbell import orders
from doorbell.link import commands
from doorbell.transfers import CHUNK, READ_AT_ONCE
from tests.rigs.broker import Mosquitto
from tests.rigs.door import QUIET_SCENE, Door, Listener, pause
from tests.rigs.phone import Phone
from tests.rigs.reading import bodies

AtHome = Callable[..., tuple[Door, Phone, Phone]]
SCENE = {"camera": {"source": "scene", **QUIET_SCENE, "bitrate_kbps": 4000}, "visit": {"linger_s": 1, "longest_s": 20}}


def test_every_command_of_the_list_is_carried_out_by_somebody() -> None:
    assert set(orders.DOES) == {one.name for one in commands.LIST}


def test_hello_tells_the_phone_where_it_is(at_home: AtHome) -> None:
    _, anna, ben = at_home()
    reply = ben.hello()
    assert reply["result"]["role"] == "member"
    assert reply["result"]["recording"] is True
    assert [one["name"] for one in json.loads(reply["result"]["roster"]["json"])["members"]] == ["owner", "Anna", "Ben"]
    assert reply["epoch"] == ben.facts["epoch"]
    assert reply["journal"] == ben.facts["journal"]
    assert anna.hello()["result"]["role"] == "admin"


def test_hello_tells_how_the_door_is_also_where_nothing_is_told_in_clear(at_home: AtHome, listener: Listener) -> None:
    _, anna, _ = at_home({"privacy": {"clear_events": False}})
    health = anna.hello()["result"]["health"]
    assert set(health) == {"started", "version", "problems", "disk", "temperature", "throttled", "rssi"}
    assert 0 <= health["disk"] <= 100
    assert isinstance(health["problems"], list)
    assert not any(note.payload for note in listener.of("health"))


def test_the_journal_comes_in_pages_that_continue_each_other(at_home: AtHome, listener: Listener) -> None:
    door, anna, _ = at_home()
    for count in range(1, 4):
        door.press()
        listener.wait("/ring", count)
        pause(0.1)
    listener.wait("journal", 4)
    first = anna.ask("journal", {"since": 0})["result"]
    assert [one["index"] for one in first["entries"]][:4] == [1, 2, 3, 4]
    assert first["more"] is False
    later = anna.ask("journal", {"since": 2})["result"]["entries"]
    assert later == first["entries"][2:]
    sealed = base64.b64decode(first["entries"][1]["body"])
    assert json.loads(anna.opened(sealed))["kind"] == "ring"


def a_clip(door: Door, listener: Listener, seconds: float = 0.0) -> str:
    """Ring, wait until the clip is kept and told; its id."""
    door.until(lambda: door.status().get("camera") == "sees")
    pause(seconds)
    before = set(door.clips)
    door.press()
    clip = door.until(lambda: set(door.clips) - before, 60).pop().name.partition(".")[0]
    door.until(
        lambda: [b for b in bodies(door.owner, listener.of("journal")) if b["kind"] == "clip" and b["id"] == clip]
    )
    return clip


def test_a_clip_comes_in_numbered_chunks_within_its_credit_and_is_whole(at_home: AtHome, listener: Listener) -> None:
    door, anna, ben = at_home(SCENE)
    clip = a_clip(door, listener, 5)
    sealed = door.clips[0].read_bytes()
    assert len(sealed) > 5 * 98_304
    reply = ben.ask("clip", {"clip": clip, "from": 0, "window": 2})
    request, chunks = reply["result"]["request"], reply["result"]["chunks"]
    assert reply["result"]["bytes"] == len(sealed)
    ben.until(lambda: len(ben.chunks(request)) == 2)
    ben.hello()  # a round trip later there are still no more than asked for
    got = ben.chunks(request)
    assert sorted(got) == [0, 1]
    # As after a lost link: go on behind what is there, with more credit than the clip needs.
    again = ben.ask("clip", {"clip": clip, "from": 2, "window": 64})["result"]["request"]
    ben.until(lambda: len(ben.chunks(again)) == chunks - 2)
    got |= ben.chunks(again)
    whole = b"".join(got[n] for n in range(chunks))
    told = next(b for b in bodies(door.owner, listener.of("journal")) if b["kind"] == "clip")
    assert hashlib.sha256(whole).hexdigest() == told["sha256"]
    assert all(len(got[n]) == 98_304 for n in range(chunks - 1))
    assert anna.can_open(whole)
    assert ben.opened(whole)[4:8] == b"ftyp"
    poster = base64.b64decode(ben.ask("poster", {"clip": clip})["result"]["poster"])
    assert ben.opened(poster).startswith(b"\xff\xd8")


def test_two_phones_fetch_at_once_and_each_gets_all(at_home: AtHome, listener: Listener) -> None:
    door, anna, ben = at_home(SCENE)
    clip = a_clip(door, listener, 5)
    sealed = door.clips[0].read_bytes()
    asked = [(phone, phone.ask("clip", {"clip": clip, "from": 0, "window": 64})["result"]) for phone in (anna, ben)]
    for phone, result in asked:
        phone.until(lambda phone=phone, result=result: len(phone.chunks(result["request"])) == result["chunks"])
        got = phone.chunks(result["request"])
        assert b"".join(got[n] for n in sorted(got)) == sealed


def test_an_admin_deletes_a_clip_and_a_member_does_not(at_home: AtHome, listener: Listener) -> None:
    door, anna, ben = at_home(SCENE)
    clip = a_clip(door, listener)
    assert ben.ask("delete", {"clips": [clip]})["refused"] == "role"
    assert door.clips
    reply = anna.ask("delete", {"clips": [clip, "a" * 26]})
    assert reply["result"] == {"deleted": [clip], "unknown": ["a" * 26]}
    said = [b for b in bodies(door.owner, listener.wait("journal")) if b["kind"] == "clip_deleted"]
    door.until(lambda: not door.clips)
    assert said == [] or said[0]["id"] == clip
    assert anna.ask("clip", {"clip": clip, "from": 0, "window": 1})["refused"] == "gone"
    assert anna.ask("poster", {"clip": clip})["refused"] == "gone"


def test_a_clip_deleted_in_the_middle_of_its_transfer_is_gone_and_nothing_else_is(
    at_home: AtHome, listener: Listener
) -> None:
    door, anna, ben = at_home(SCENE)
    other, clip = a_clip(door, listener), a_clip(door, listener)
    sealed = os.urandom((READ_AT_ONCE + 1) * CHUNK)  # one trip to the card brings no more: there is a second
    (door.state / f"clips/{clip}.mp4.age").write_bytes(sealed)
    # Two files that the card gives only when the test lets it hold the card's one reader before and within the clip.
    before, within = ("b" * 26, "c" * 26)
    for one in (before, within):
        os.mkfifo(door.state / f"clips/{one}.mp4.age")
    asked = {one: ben.send("clip", {"clip": one, "from": 0, "window": 64}) for one in (before, clip, within)}
    assert ben.hello()["result"]  # behind the three on the same connection
    (door.state / f"clips/{before}.mp4.age").write_bytes(b"")
    told = ben.until(lambda: ben.replies(asked[clip]))[0]["result"]
    ben.until(lambda: len(ben.chunks(told["request"])) == READ_AT_ONCE)
    assert anna.ask("delete", {"clips": [clip]})["result"]["deleted"] == [clip]
    (door.state / f"clips/{within}.mp4.age").write_bytes(b"")
    refused = ben.until(lambda: ben.replies(asked[clip])[1:])[0]
    assert refused["refused"] == "gone"
    assert ben.ask("clip", {"clip": clip, "from": READ_AT_ONCE, "window": 64})["refused"] == "gone"
    assert ben.chunks(told["request"]) == {n: sealed[n * CHUNK :][:CHUNK] for n in range(READ_AT_ONCE)}
    # The other clip comes whole, the journal tells of the one deletion, and the bell rings.
    whole = ben.ask("clip", {"clip": other, "from": 0, "window": 64})["result"]
    ben.until(lambda: len(ben.chunks(whole["request"])) == whole["chunks"])
    got = ben.chunks(whole["request"])
    assert b"".join(got[n] for n in sorted(got)) == (door.state / f"clips/{other}.mp4.age").read_bytes()
    rung = len(listener.of("/ring"))
    door.press()
    listener.wait("/ring", rung + 1)
    kinds = [(b["kind"], b.get("id")) for b in bodies(door.owner, listener.of("journal"))]
    assert [one for one in kinds if one[0] in ("clip_deleted", "clip_cut")] == [("clip_deleted", clip)]
    assert "Traceback" not in door.log()


def test_a_clip_that_was_never_there_is_gone(at_home: AtHome) -> None:
    _, anna, _ = at_home()
    assert anna.ask("clip", {"clip": "a" * 26, "from": 0, "window": 1})["refused"] == "gone"
    assert anna.ask("poster", {"clip": "a" * 26})["refused"] == "gone"
    assert anna.ask("delete", {"clips": ["a" * 26]})["result"] == {"deleted": [], "unknown": ["a" * 26]}


def test_a_chunk_behind_the_last_is_none(at_home: AtHome, listener: Listener) -> None:
    door, anna, _ = at_home(SCENE)
    clip = a_clip(door, listener)
    reply = anna.ask("clip", {"clip": clip, "from": 2**50, "window": 64})["result"]
    anna.ask("journal", {"since": 0})
    assert anna.chunks(reply["request"]) == {}


def test_an_admin_switches_the_recording_and_the_door_rings_on(at_home: AtHome, listener: Listener) -> None:
    door, anna, ben = at_home(SCENE)
    door.until(lambda: door.status().get("camera") == "sees")
    assert ben.ask("recording", {"on": False})["refused"] == "role"
    assert anna.ask("recording", {"on": False})["result"] == {"recording": False}
    door.until(lambda: door.recorder() == 0)
    door.press()
    listener.wait("/ring")
    assert anna.hello()["result"]["recording"] is False
    anna.ask("recording", {"on": True})
    door.until(lambda: door.status().get("camera") == "sees")
    said = [b for b in bodies(door.owner, listener.wait("journal", 4)) if b["kind"] == "settings"]
    assert said[0]["by"] == anna.id


def test_a_test_ring_reaches_the_phones_and_the_clear_topic_only_where_asked(
    at_home: AtHome, listener: Listener
) -> None:
    _, anna, ben = at_home()
    visit = ben.ask("ring_test", {"everywhere": False})["result"]["visit"]
    alert = anna.document("alert", anna.until(lambda: anna.of("alert"))[0][1])
    assert (alert["kind"], alert["visit"]) == ("test", visit)
    assert listener.of("/ring") == []
    again = ben.ask("ring_test", {"everywhere": True})["result"]["visit"]
    assert json.loads(listener.wait("/ring")[0].payload)["id"] == again


def test_the_same_command_is_carried_out_once_and_answered_again(at_home: AtHome, listener: Listener) -> None:
    _, anna, _ = at_home()
    wanted, sealed = anna.command("ring_test", {"everywhere": True})
    anna.publish(f"from/{anna.id}", sealed)
    anna.until(lambda: anna.replies(wanted))
    anna.publish(f"from/{anna.id}", sealed)
    anna.until(lambda: len(anna.replies(wanted)) == 2)
    assert len(listener.of("/ring")) == 1


def test_a_broker_that_replays_delays_and_forges_moves_nothing(at_home: AtHome, listener: Listener) -> None:
    door, anna, ben = at_home()
    off, held = anna.command("recording", {"on": False})
    assert anna.ask("recording", {"on": True})["result"]
    anna.publish(f"from/{anna.id}", held)  # reordered
    assert anna.until(lambda: anna.replies(off))[0]["refused"] == "counter"
    late = anna.ask("recording", {"on": False}, expires=anna.uptime() - 0.5)
    assert late["refused"] == "expired"
    assert anna.ask("recording", {"on": False}, expires=anna.uptime() + 90)["refused"] == "too_far"
    assert anna.ask("recording", {"on": False}, epoch=base64.b64encode(bytes(16)).decode())["refused"] == "epoch"
    before = len(ben.of("to/")) + len(anna.of("to/"))
    _, sealed = anna.command("recording", {"on": False})
    for bad in (sealed[:-1] + b"x", b"", b"x" * 9000, sealed + b"x"):
        anna.publish(f"from/{anna.id}", bad)
    ben.send("recording", {"on": False}, **{"from": anna.id})  # Ben's signature under Anna's name
    assert ben.ask("journal", {"since": 0})["result"]
    assert len(ben.of("to/")) + len(anna.of("to/")) == before + 1
    assert anna.hello()["result"]["recording"] is True
    _, old = anna.command("recording", {"on": False})
    assert door.stop() == 0
    door.start()
    listener.wait("hello", 2)
    anna.publish(f"from/{anna.id}", old)
    assert anna.hello()["result"]["recording"] is True
    assert "Traceback" not in door.log()


def test_a_stranger_hears_nothing(at_home: AtHome, broker: Mosquitto) -> None:
    _, anna, _ = at_home()
    with Phone(broker.port, "Eve") as eve:
        eve.until(lambda: eve.facts)
        eve.counter, eve.revision = 5, 1
        eve.send("hello")
        eve.send("recording", {"on": False})
        anna.ask("journal", {"since": 0})
        assert eve.of("to/") == []


def test_a_removed_phone_opens_nothing_new_and_commands_nothing_over_restarts(
    at_home: AtHome, listener: Listener
) -> None:
    door, anna, ben = at_home(SCENE)
    first = a_clip(door, listener)
    now = anna.hello()["result"]["roster"]
    members = json.loads(now["json"])["members"][:2]
    assert ben.ask("roster", {"document": ben.roster(now, members)})["refused"] == "role"
    assert anna.ask("roster", {"document": anna.roster(now, [])})["refused"] == "nobody"
    assert anna.ask("roster", {"document": anna.roster(now, members[1:])})["refused"] == "owner"
    door.press()  # a clip runs while the household changes
    door.until(lambda: list((door.state / "clips").glob("*.part")))
    assert anna.ask("roster", {"document": anna.roster(now, members)})["result"] == {"revision": 2}
    told = len(ben.of("journal/"))
    assert ben.ask("journal", {"since": 0})["refused"] == "member"
    door.until(lambda: len(door.clips) >= 3, 60)
    second, third = (one for one in sorted(door.clips, key=lambda one: one.stat().st_mtime) if first not in one.name)
    assert ben.can_open((door.state / f"clips/{first}.mp4.age").read_bytes())
    assert ben.can_open(second.read_bytes())
    assert not ben.can_open(third.read_bytes())
    assert anna.can_open(third.read_bytes())
    assert door.stop() == 0
    door.start()
    epoch = ben.facts["epoch"]
    ben.until(lambda: ben.facts["epoch"] != epoch)
    assert ben.hello()["refused"] == "member"
    assert anna.hello()["result"]
    door.press()
    alert = ben.until(lambda: ben.of("alert")[2:])[0][1]
    assert not ben.can_open(alert)
    assert anna.can_open(alert)
    entries = [json.loads(payload) for _, payload in ben.of("journal/")[told:]]
    after = [one for one in entries if not ben.can_open(base64.b64decode(one["body"]))]
    kinds = [b["kind"] for b in bodies(door.owner, listener.of("journal"))]
    assert "roster" in kinds
    assert len(after) >= kinds[kinds.index("roster") :].count("clip") + 2
