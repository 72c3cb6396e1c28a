from pathlib import Path

import pytest

from doorbell.link.topics import TABLE, TOPICS, reference, subscriptions, topic

DOCS = Path(__file__).parents[2] / "docs" / "formats" / "mqtt.md"


def test_the_reference_page_holds_the_table_as_the_code_has_it() -> None:
    assert reference() in DOCS.read_text()


def test_what_rings_or_moves_is_never_kept_by_the_broker() -> None:
    assert not any(TOPICS[name].retained for name in ("ring", "alert", "motion", "poster", "journal"))


def test_only_live_and_talk_may_be_lost_on_the_way() -> None:
    assert {row.name for row in TABLE if row.qos == 0} == {"live", "talk"}


def test_what_is_open_to_the_broker_falls_silent_with_clear_events() -> None:
    # availability and hello are what the door cannot be used without; both tell nothing of who comes.
    assert {row.name for row in TABLE if row.open_to == "clear" and not row.clear_event} == {"availability", "hello"}


@pytest.mark.parametrize("visit", ["", "a/b", "+", "#", "a\0b", "é", "x" * 65])
def test_a_topic_cannot_be_bent_by_what_is_filled_in(visit: str) -> None:
    with pytest.raises(ValueError, match="visit"):
        topic("poster", "front", visit=visit)


@pytest.mark.parametrize("door", ["", "Front", "a/b", "#", "x" * 33])
def test_a_door_id_that_is_none_makes_no_topic(door: str) -> None:
    with pytest.raises(ValueError, match="door id"):
        topic("ring", door)


def test_a_topic_with_a_part_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="<n>"):
        topic("clip", "front", phone="p", request="r")
    assert topic("clip", "front", phone="p", request="r", n="1") == "doorbell/front/clip/p/r/1"


def test_the_door_does_not_listen_to_the_recording_switch_unless_it_may() -> None:
    shut = subscriptions("front", may_switch_recording=False, discovery=False)
    assert shut == (("doorbell/front/from/+", 1), ("doorbell/front/pair", 1))
    wide = {one for one, _ in subscriptions("front", may_switch_recording=True, discovery=True)}
    assert wide - {one for one, _ in shut} == {"doorbell/front/recording/set", "homeassistant/status"}
