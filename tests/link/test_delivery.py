import heapq
import itertools
import json
from typing import Any

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from doorbell.link import messages
from doorbell.link.delivery import Action, Delivered, Delivery, Drop, Limits, Open, Publish
from doorbell.link.messages import Message
from doorbell.link.outbox import Ask

ONLINE = messages.availability("front", online=True)
HEALTH = Message("doorbell/front/health", b"{}", 1, True, None)


def ring(visit: str = "a") -> Message:
    return messages.ring("front", visit=visit, wall=0)


def entry(index: int) -> tuple[int, Message]:
    return index, messages.entry("front", index=index, encoded=b"{}")


class Hand:
    """Carries actions out by noting them; ``mid`` of a message is its key."""

    def __init__(self, **limits: Any) -> None:
        self.delivery = Delivery(ONLINE, lambda: 1.0, Limits(**limits))
        self.keys: dict[str, list[int]] = {}
        self.asked = 0

    def do(self, actions: list[Action]) -> list[str]:
        seen = []
        for action in actions:
            match action:
                case Publish(key, message):
                    self.delivery.published(key, key, 0)
                    name = "/".join(message.topic.split("/")[2:])
                    self.keys.setdefault(name, []).append(key)
                    seen.append(name)
                case Open(generation):
                    seen.append(f"open {generation}")
                case Ask(after, question):
                    self.asked = question
                    seen.append(f"ask {after}")
                case Delivered(index):
                    seen.append(f"delivered {index}")
                case Drop():
                    seen.append("drop")
        return seen

    def online(self, at: float) -> list[str]:
        self.do(self.delivery.start(at))
        return self.do(self.delivery.connected(at, self.delivery.generation, at))

    def ack(self, at: float, name: str, when: float | None = None) -> list[str]:
        mid = self.keys[name].pop(0)
        return self.do(self.delivery.acked(at, self.delivery.generation, mid, at if when is None else when))

    def refuse(self, at: float, name: str) -> list[str]:
        """The broker has no room for it."""
        mid = self.keys[name].pop(0)
        return self.do(self.delivery.refused(at, self.delivery.generation, mid, at, full=True))

    def due(self, at: float, *entries: tuple[int, Message]) -> list[str]:
        """The journal answers the last question."""
        return self.do(self.delivery.due(at, self.asked, entries))

    def press(self, at: float, visit: str = "a") -> list[str]:
        return self.do(self.delivery.live(at, [ring(visit)], born=at, urgent=True))


def quiet(at: float = 0) -> Hand:
    """A hand whose link is up, its birth acknowledged, and idle since."""
    hand = Hand()
    hand.online(at)
    hand.ack(at, "availability")
    hand.due(at)
    return hand


def test_a_press_is_preceded_by_a_probe_and_follows_its_acknowledgement() -> None:
    hand = quiet()
    assert hand.press(100) == ["availability"]
    assert hand.ack(100.1, "availability") == ["ring"]


def test_a_press_on_a_link_acknowledged_just_now_goes_at_once() -> None:
    hand = quiet(100)
    assert hand.press(100.25) == ["ring"]


def test_a_finger_on_the_button_has_the_link_probed_so_that_the_press_goes_at_once() -> None:
    hand = quiet()
    assert hand.do(hand.delivery.expect(100)) == ["availability"]
    assert hand.ack(100.01, "availability") == []
    assert hand.press(100.015) == ["ring"]


def test_a_press_that_comes_before_the_answer_to_its_finger_waits_for_that_answer() -> None:
    hand = quiet()
    hand.do(hand.delivery.expect(100))
    assert hand.press(100.015) == []
    assert hand.ack(100.05, "availability") == ["ring"]


def test_a_bouncing_finger_asks_once_and_a_fresh_or_missing_link_is_not_asked() -> None:
    hand = quiet()
    assert hand.do(hand.delivery.expect(100)) == ["availability"]
    assert hand.do(hand.delivery.expect(100.001)) == []
    hand.ack(100.01, "availability")
    assert hand.do(hand.delivery.expect(100.2)) == []
    hand.do(hand.delivery.disconnected(101, hand.delivery.generation))
    assert hand.do(hand.delivery.expect(101)) == []


def test_a_press_in_the_middle_of_a_transfer_waits_behind_no_more_than_its_bound() -> None:
    hand, chunk = quiet(), messages.chunk("front", phone="p", request="r", n=0, sealed=bytes(98_304))
    ahead = 0
    while hand.do(hand.delivery.say(100, chunk)):
        ahead += len(chunk.payload)
    assert 0 < ahead <= Limits().say_bytes == 256 * 1024
    assert hand.press(100) == ["availability"]
    assert hand.do(hand.delivery.say(100, chunk)) == []  # nothing more goes before the ring
    assert hand.ack(100.1, "availability") == ["ring"]


def test_two_presses_share_one_probe() -> None:
    hand = quiet()
    assert hand.press(100, "a") == ["availability"]
    assert hand.press(100.01, "b") == []
    assert hand.ack(100.1, "availability") == ["ring", "ring"]


def test_a_probe_without_answer_ends_the_link_and_the_ring_goes_out_on_the_next() -> None:
    hand = quiet()
    hand.press(100)
    assert hand.delivery.deadline == 105
    assert hand.do(hand.delivery.tick(105)) == ["drop", "open 2"]
    assert hand.do(hand.delivery.connected(106, 2, 106))[:2] == ["availability", "ring"]


def test_a_ring_that_was_in_a_socket_is_not_put_into_a_second_one() -> None:
    hand = quiet(100)
    assert hand.press(100.1) == ["ring"]
    assert hand.do(hand.delivery.tick(105.1))[0] == "drop"
    assert "ring" not in hand.do(hand.delivery.connected(106, 2, 106))


def test_a_ring_of_ten_seconds_ago_is_not_told() -> None:
    hand = Hand()
    hand.do(hand.delivery.start(0))
    hand.press(1)
    assert "ring" not in hand.do(hand.delivery.connected(11, 1, 11))
    assert hand.delivery.dropped == 1


def test_a_ring_younger_than_that_is() -> None:
    hand = Hand()
    hand.do(hand.delivery.start(0))
    hand.press(1)
    assert "ring" in hand.do(hand.delivery.connected(10.99, 1, 10.99))


def test_a_probe_answered_long_before_the_loop_came_to_it_is_repeated() -> None:
    hand = quiet()
    hand.press(100)
    assert hand.ack(103, "availability", when=100.1) == ["availability"]
    assert hand.ack(103.5, "availability", when=103.1) == ["ring"]


def test_an_old_sign_of_life_does_not_let_the_next_press_pass_unprobed() -> None:
    hand = quiet()
    assert hand.press(50) == ["availability"]
    hand.ack(50.1, "availability")
    assert hand.press(90) == ["availability"]


def test_live_view_written_to_a_stalled_socket_is_no_sign_of_life() -> None:
    hand = quiet()
    picture = Message("doorbell/front/live/p/s", b"x", 0, False, 5)
    assert hand.do(hand.delivery.say(100, picture)) == ["live/p/s"]
    hand.ack(100, "live/p/s")
    assert hand.press(100) == ["availability"]


def test_a_press_ends_a_wait_to_reconnect() -> None:
    hand = Hand()
    hand.do(hand.delivery.start(0))
    for at in (0, 100, 200, 300, 400, 500, 600):
        hand.do(hand.delivery.disconnected(at, hand.delivery.generation))
        hand.do(hand.delivery.tick(at + 61))
    hand.do(hand.delivery.disconnected(700, hand.delivery.generation))
    assert (hand.delivery.deadline or 0) > 730
    assert hand.press(720) == [f"open {hand.delivery.generation}"]


def test_waits_to_reconnect_grow_to_a_minute_and_start_again_after_a_steady_link() -> None:
    hand = Hand()
    hand.do(hand.delivery.start(0))
    waits, at = [], 0.0
    for _ in range(8):
        hand.do(hand.delivery.disconnected(at, hand.delivery.generation))
        due = hand.delivery.deadline or 0
        waits.append(due - at)
        at = due
        hand.do(hand.delivery.tick(at))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    hand.do(hand.delivery.connected(at, hand.delivery.generation, at))
    assert hand.do(hand.delivery.disconnected(at + 31, hand.delivery.generation)) == [
        f"open {hand.delivery.generation}"
    ]


def test_what_an_old_connection_still_says_changes_nothing() -> None:
    hand = quiet()
    hand.press(100)
    hand.do(hand.delivery.tick(105))
    assert hand.do(hand.delivery.disconnected(105.1, 1)) == []
    assert hand.do(hand.delivery.acked(105.1, 1, 1, 105.1)) == []
    assert hand.do(hand.delivery.connected(105.1, 1, 105.1)) == []


def test_a_connection_that_is_never_made_is_given_up() -> None:
    hand = Hand()
    hand.do(hand.delivery.start(0))
    assert hand.delivery.deadline == 45
    assert hand.do(hand.delivery.tick(45)) == ["drop"]
    assert hand.do(hand.delivery.tick(46)) == ["open 2"]


def test_every_state_is_put_out_at_every_connection_and_only_its_newest() -> None:
    hand = Hand()
    hand.do(hand.delivery.state(0, messages.recording("front", on=True)))
    hand.do(hand.delivery.state(0, messages.recording("front", on=False)))
    assert hand.online(0).count("recording/state") == 1
    hand.do(hand.delivery.disconnected(1, 1))
    hand.do(hand.delivery.tick(2))
    assert "recording/state" in hand.do(hand.delivery.connected(2, 2, 2))


def test_a_fluttering_state_waits_for_its_acknowledgement() -> None:
    hand = quiet()
    on, off = (messages.recording("front", on=one) for one in (True, False))
    assert hand.do(hand.delivery.state(1, on)) == ["recording/state"]
    assert hand.do(hand.delivery.state(1, off)) == []
    assert hand.do(hand.delivery.state(1, on)) == []
    assert hand.ack(2, "recording/state") == ["recording/state"]
    assert hand.ack(3, "recording/state") == []


def test_journal_entries_go_eight_at_a_time_and_each_acknowledgement_is_told() -> None:
    hand = Hand()
    assert "ask 0" in hand.online(0)
    assert hand.due(0, *(entry(n) for n in range(1, 13))) == [f"journal/{n}" for n in range(1, 9)]
    assert hand.ack(1, "journal/1") == ["delivered 1", "journal/9"]
    for n in (2, 3, 4):
        hand.ack(1, f"journal/{n}")
    assert hand.ack(1, "journal/5") == ["delivered 5", "ask 12"]


def test_a_journal_that_begins_anew_is_asked_from_its_first_entry_and_old_acknowledgements_are_not_its_own() -> None:
    hand = Hand()
    hand.online(0)
    hand.due(0, entry(1), entry(2))
    assert hand.do(hand.delivery.another_journal(1)) == ["ask 0"]
    assert hand.ack(2, "journal/1") == []
    assert hand.due(3, entry(1)) == ["journal/1", "ask 1"]
    hand.keys["journal/1"] = hand.keys["journal/1"][-1:]
    assert hand.ack(4, "journal/1") == ["delivered 1"]


def test_the_end_of_a_link_that_was_given_up_is_no_news() -> None:
    hand = Hand()
    hand.do(hand.delivery.start(0))
    assert not hand.delivery.has_ended(1)
    assert "drop" in hand.do(hand.delivery.tick(45))
    assert hand.delivery.has_ended(1)
    hand.do(hand.delivery.tick(60))
    hand.do(hand.delivery.connected(61, 2, 61))
    assert hand.delivery.has_ended(1)
    assert not hand.delivery.has_ended(2)


def test_entries_not_acknowledged_are_asked_for_again_on_the_next_connection() -> None:
    hand = Hand()
    hand.online(0)
    hand.due(0, entry(1))
    hand.do(hand.delivery.disconnected(1, 1))
    hand.do(hand.delivery.tick(5))
    assert "ask 0" in hand.do(hand.delivery.connected(5, 2, 5))


def test_a_refused_entry_is_not_told_as_delivered() -> None:
    hand = Hand()
    hand.online(0)
    hand.due(0, entry(1))
    mid = hand.keys["journal/1"][0]
    assert hand.do(hand.delivery.refused(1, 1, mid, 1)) == []
    assert hand.delivery.deadline == 5, "the birth is still unanswered"
    hand.ack(1, "availability")
    assert hand.delivery.deadline == 61
    assert hand.do(hand.delivery.tick(61)) == ["ask 0"]


def test_a_poster_waits_ten_minutes_at_most_and_the_oldest_gives_way() -> None:
    hand = Hand()
    hand.do(hand.delivery.start(0))
    for n in range(6):
        hand.do(hand.delivery.poster(n, messages.poster("front", visit=f"v{n}", sealed=b"")))
    sent = hand.do(hand.delivery.connected(604, 1, 604))
    assert [one for one in sent if one.startswith("poster")] == ["poster/v5"]


def test_a_poster_acknowledged_is_not_sent_again() -> None:
    hand = quiet()
    assert hand.do(hand.delivery.poster(1, messages.poster("front", visit="v", sealed=b""))) == ["poster/v"]
    hand.ack(2, "poster/v")
    hand.do(hand.delivery.disconnected(3, 1))
    hand.do(hand.delivery.tick(10))
    assert "poster/v" not in hand.do(hand.delivery.connected(10, 2, 10))


def test_a_reply_is_said_now_or_never() -> None:
    hand = Hand()
    reply = messages.reply("front", phone="p", sealed=b"x")
    assert hand.do(hand.delivery.say(0, reply)) == []
    assert "to/p" not in hand.online(1)
    assert hand.do(hand.delivery.say(2, reply)) == ["to/p"]


def test_what_the_broker_denied_stays_denied_until_it_takes_one_of_its_kind() -> None:
    hand = Hand()
    hand.online(0)
    hand.due(0, entry(1))
    hand.do(hand.delivery.refused(1, 1, hand.keys["journal/1"].pop(), 1))
    assert hand.delivery.denied == {"journal": False}
    hand.ack(2, "availability")
    hand.do(hand.delivery.disconnected(3, 1))
    assert hand.do(hand.delivery.tick(10)) == ["open 2"]
    hand.do(hand.delivery.connected(11, 2, 11))
    assert hand.delivery.denied == {"journal": False}, "a new link is no sign of other rights"
    hand.do(hand.delivery.due(11, 2, []))  # to what the old link had asked
    assert hand.due(12, entry(1)) == ["journal/1", "ask 1"]
    hand.ack(13, "journal/1")
    assert hand.delivery.denied == {}


def test_a_retained_state_that_a_full_broker_refused_is_said_again_and_a_ring_is_not() -> None:
    hand = quiet()
    hand.do(hand.delivery.state(100, HEALTH))
    hand.press(100)
    hand.refuse(100, "availability")
    assert hand.refuse(100, "health") == []
    hand.refuse(100, "ring")
    assert hand.delivery.denied == {"availability": True, "health": True, "ring": True}
    assert hand.delivery.deadline == 160
    assert hand.do(hand.delivery.tick(160)) == ["availability", "health"]
    hand.refuse(160, "health")
    assert hand.do(hand.delivery.state(170, HEALTH)) == ["health"], "a newer one does not wait"
    hand.ack(170, "health")
    hand.ack(170, "availability")
    assert hand.delivery.denied == {"ring": True}
    assert hand.delivery.deadline is None
    hand.do(hand.delivery.kept(171))
    hand.due(171, entry(1))
    hand.ack(172, "journal/1")
    assert hand.delivery.denied == {}, "what takes an entry is not full"


def test_what_a_full_broker_refused_is_said_at_once_on_a_new_connection() -> None:
    hand = quiet()
    hand.do(hand.delivery.state(100, HEALTH))
    hand.refuse(100, "health")
    hand.do(hand.delivery.disconnected(101, 1))
    hand.do(hand.delivery.tick(103))
    assert "health" in hand.do(hand.delivery.connected(103, 2, 103))
    hand.ack(103, "health")
    assert hand.delivery.deadline != 160


def test_a_slow_link_refuses_more_than_it_can_carry_before_a_ring() -> None:
    hand = quiet()
    chunk = Message("doorbell/front/clip/p/r/1", bytes(96 * 1024), 1, False, 600)
    assert [len(hand.do(hand.delivery.say(1, chunk))) for _ in range(4)] == [1, 1, 0, 0]
    hand.ack(2, "clip/p/r/1")
    assert hand.do(hand.delivery.say(2, chunk)) == ["clip/p/r/1"]


def test_when_too_many_wait_rings_are_the_last_to_go() -> None:
    hand = Hand(held=3)
    hand.do(hand.delivery.start(0))
    hand.press(0, "a")
    for active in (True, False):
        hand.do(hand.delivery.live(0, [messages.motion("front", active=active)], born=0))
    hand.press(0, "b")
    hand.press(0, "c")
    assert hand.delivery.dropped == 2
    assert [one for one in hand.do(hand.delivery.connected(1, 1, 1)) if one in ("ring", "motion")] == ["ring"] * 3


def test_a_ring_the_connection_did_not_take_goes_out_on_the_next() -> None:
    hand = quiet(100)
    (publish,) = hand.delivery.live(100.1, [ring()], born=100.1, urgent=True)
    assert isinstance(publish, Publish)
    hand.delivery.published(publish.key, None, 100.1)
    hand.do(hand.delivery.disconnected(100.2, 1))
    hand.do(hand.delivery.tick(103))
    assert "ring" in hand.do(hand.delivery.connected(103, 2, 103))


def test_a_connection_of_which_the_loop_hears_late_is_probed_before_it_gets_a_ring() -> None:
    hand = Hand()
    hand.do(hand.delivery.start(0))
    hand.press(0)
    sent = hand.do(hand.delivery.connected(4, 1, 1))
    assert "availability" in sent and "ring" not in sent
    assert "ring" in hand.ack(4.1, "availability")


def test_a_connection_already_given_up_is_not_believed() -> None:
    hand = Hand()
    hand.do(hand.delivery.start(0))
    assert hand.do(hand.delivery.tick(45)) == ["drop"]
    assert hand.do(hand.delivery.connected(45.1, 1, 45)) == []


def test_after_stop_nothing_is_opened() -> None:
    hand = quiet()
    hand.do(hand.delivery.stop(1))
    assert hand.do(hand.delivery.disconnected(2, 1)) == [] and hand.delivery.deadline is None


# ---- any course of events


@define
class World:
    """A broker and a network that can be down, stalled or well; time passes from one happening to the next."""

    delivery: Delivery
    now: float = 0.0
    up: bool = True
    stalled: bool = False
    linked: int = 0
    wire: list[int] = field(factory=list)
    handed: dict[str, list[float]] = field(factory=dict)
    well: list[tuple[float, float]] = field(factory=list)
    _well_since: float | None = None
    _agenda: list[tuple[float, int, str, int]] = field(factory=list)
    _order: Any = field(factory=itertools.count)

    def do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Open(generation):
                    self._end()
                    self._later(0.05, "answer", generation)
                case Publish(key, message):
                    self.delivery.published(key, key, self.now)
                    if message.topic.endswith("/ring"):
                        self.handed.setdefault(json.loads(message.payload)["id"], []).append(self.now)
                    self.wire.append(key)
                    self._later(0.02, "carry", 0)
                case Drop():
                    self._end()

    def set(self, *, up: bool | None = None, stalled: bool | None = None) -> None:
        self.up = self.up if up is None else up
        self.stalled = self.stalled if stalled is None else stalled
        if not self.up and self.linked:
            generation = self.linked
            self._end()
            self.do(self.delivery.disconnected(self.now, generation))
        self._mark()
        self._later(0.02, "carry", 0)

    def pass_time(self, seconds: float) -> None:
        ends = self.now + seconds
        while True:
            agenda = self._agenda[0][0] if self._agenda else ends
            at = min(agenda, max(self.now, self.delivery.deadline or ends), ends)
            self.now = max(self.now, at)
            if self._agenda and self._agenda[0][0] <= self.now:
                self._happen(*heapq.heappop(self._agenda)[2:])
            elif self.delivery.deadline is not None and self.delivery.deadline <= self.now < ends:
                self.do(self.delivery.tick(self.now))
            elif self.now >= ends:
                return

    def _happen(self, what: str, generation: int) -> None:
        if what == "answer" and generation == self.delivery.generation:
            if not self.up:
                self.do(self.delivery.disconnected(self.now, generation))
            elif self.stalled:
                self._later(0.05, "answer", generation)
            else:
                self.linked = generation
                self._mark()
                self.do(self.delivery.connected(self.now, generation, self.now))
        elif what == "carry" and self.linked and not self.stalled:
            wire, self.wire = self.wire, []
            for key in wire:
                self.do(self.delivery.acked(self.now, self.linked, key, self.now))

    def _later(self, seconds: float, what: str, generation: int) -> None:
        heapq.heappush(self._agenda, (self.now + seconds, next(self._order), what, generation))

    def _end(self) -> None:
        self.linked = 0
        self.wire.clear()
        self._mark()

    def _mark(self) -> None:
        """Note since when, and until when, the link is up and flowing."""
        well = bool(self.linked and self.up and not self.stalled)
        if well and self._well_since is None:
            self._well_since = self.now
        elif not well and self._well_since is not None:
            self.well.append((self._well_since, self.now))
            self._well_since = None

    def finish(self) -> None:
        if self._well_since is not None:
            self.well.append((self._well_since, self.now))


STEP = st.one_of(
    st.just("press"),
    st.sampled_from(["up", "down", "stall", "flow"]),
    st.floats(0.01, 0.5),
    st.floats(0.5, 30),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_whatever_happens_no_ring_is_late_none_is_doubled_and_none_is_lost_on_a_link_that_works(
    steps: list[Any],
) -> None:
    world = World(Delivery(ONLINE, lambda: 0.5))
    world.do(world.delivery.start(0))
    born: dict[str, float] = {}
    for step in steps:
        match step:
            case "press":
                visit = str(len(born))
                born[visit] = world.now
                world.do(world.delivery.live(world.now, [ring(visit)], born=world.now, urgent=True))
            case "up" | "down":
                world.set(up=step == "up")
            case "stall" | "flow":
                world.set(stalled=step == "stall")
            case seconds:
                world.pass_time(seconds)
    world.pass_time(12)
    world.finish()
    for visit, pressed in born.items():
        handed = world.handed.get(visit, [])
        assert len(handed) <= 1
        assert all(at - pressed < 10 for at in handed)
        if any(min(until, pressed + 10) - max(since, pressed) > 0.1 for since, until in world.well):
            assert len(handed) == 1
