"""What the door keeps of its phones' subscriptions, and which addresses it would ever connect to."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell.push import book, letters
from doorbell.push.book import Phone, Subscription, place

ANNA = "a" * 26
GOOD = "https://fcm.googleapis.com/fcm/send/abc:def"


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        (GOOD, "fcm.googleapis.com"),
        ("https://updates.push.services.mozilla.com/wpush/v2/gAAA", "updates.push.services.mozilla.com"),
        ("https://web.push.apple.com/QOb", "web.push.apple.com"),
        ("https://wns2-par02p.notify.windows.com/w/?token=BQ%2b", "wns2-par02p.notify.windows.com"),
    ],
)
def test_the_push_services_of_the_browsers_are_known(endpoint: str, host: str) -> None:
    assert place(endpoint)[:2] == (host, 443)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x", "https://fcm.googleapis.com:8443/x", "https://fcm.googleapis.com",
        "https://evil/x",
        "https://evilpush.apple.com.evil.example/x", "https://xpush.apple.com/x",
        "https://push.apple.com/x", "https://u@fcm.googleapis.com/x", "https://fcm.googleapis.com@evil/x",
        "https://fcm.googleapis.com\\@evil/x", "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com/\r\nHost: x",
        "https://fcm.googleapis.com/#x", "https://127.0.0.1/x", "https://[::1]/x", "https://FCM.googleapis.com/x",
        "", "x",
        "https://fcm.googleapis.com/" + "x" * 1024,
    ],
)  # fmt: skip
def test_no_other_address_is_connected_to(endpoint: str) -> None:
    with pytest.raises(ValueError):
        place(endpoint)


def test_a_push_service_of_ones_own_is_that_one_alone() -> None:
    assert place("https://push.example:8443/x", "push.example:8443") == ("push.example", 8443, "/x")
    assert place("https://push.example/x", "push.example") == ("push.example", 443, "/x")
    for own in ("push.example", "push.example:8444", "example:8443"):
        with pytest.raises(ValueError, match="knows"):
            place("https://push.example:8443/x", own)


def full() -> book.Book:
    one = Subscription(GOOD, b"\x04" + bytes(64), bytes(16))
    made = book.begin(os.urandom(48))
    made = made.with_phone(ANNA, Phone("web", one, "2026-11-22T18:55:56.123Z"))
    return made.with_phone("b" * 26, Phone("none")).with_phone("c" * 26, Phone("web", ended=True))


def test_what_is_kept_is_read_again_and_nothing_secret_is_shown() -> None:
    made = full()
    assert book.load(book.dump(made)) == made
    shown = repr(made)
    assert made.topic not in shown and made.key.hex() not in shown and "googleapis" not in shown


def test_no_more_than_16_phones_are_kept() -> None:
    made = book.begin(os.urandom(48))
    for letter in "abcdefghijklmnop":
        made = made.with_phone(letter * 26, Phone("none"))
    with pytest.raises(ValueError, match="many"):
        made.with_phone("q" * 26, Phone("none"))
    assert len(made.without("a" * 26).phones) == 15


@given(st.binary(max_size=200) | st.sampled_from([b"{}", b"[]", b'{"v":1}']))
def test_a_book_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        book.load(data)


@given(st.data())
def test_a_book_with_one_value_replaced_is_read_or_refused(data: st.DataObject) -> None:
    table = json.loads(book.dump(full()))
    where = data.draw(
        st.sampled_from(["v", "key", "topic", "public", "phones", ANNA, "way", "subscription", "endpoint"])
    )
    wrong = data.draw(st.none() | st.integers() | st.text(max_size=9) | st.lists(st.none(), max_size=2))
    inner = table["phones"][ANNA]
    target = {ANNA: table["phones"], "way": inner, "subscription": inner, "endpoint": inner["subscription"]}
    target.get(where, table)[where] = wrong
    try:
        book.load(json.dumps(table).encode())
    except ValueError:
        return
    assert where in ("subscription", "public") and not wrong


def test_doorman_and_postman_understand_each_other_and_nobody_else() -> None:
    letter = letters.Letter("1", 5.0, GOOD, b"\x04" + bytes(64), bytes(16), "text")
    for message in (letters.Setup(bytes(32), "", "https://ntfy.sh", "t", "", ""), letter, letters.Shout("2", 1.5)):
        assert letters.decode(letters.encode(message), letters.DOWN) == message
        with pytest.raises(ValueError):
            letters.decode(letters.encode(message), letters.UP)
    for message in (letters.Ready(b"\x04" + bytes(64)), letters.Done("1", 201, "")):
        assert letters.decode(letters.encode(message), letters.UP) == message
    for wrong in (b"", b"{}", b'{"is":"Done"}', b'{"is":"Done","token":"1","status":1000,"why":""}', bytes(9000)):
        with pytest.raises(ValueError):
            letters.decode(wrong, letters.UP)
    assert "text" not in repr(letter) and "google" not in repr(letter)
