"""What a push service carries: only one browser opens it, and the service can tell whose door sent it."""

from __future__ import annotations

import pytest
from attrs import evolve
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from doorbell.push import webpush
from tests.rigs.pushservice import CURVE, Browser, Request, proved, unurl64, url64

# RFC 8291, section 5 and appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
SENDER = unurl64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
RECEIVER = unurl64("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
SALT = unurl64("DGv6ra1nlYgDCS1FRnbzlw")
AUTH = unurl64("BTBZMqHH6r4Tts7J_aSIgg")
BODY = unurl64(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def browser_of_the_rfc() -> Browser:
    return Browser("localhost", key=ec.derive_private_key(int.from_bytes(RECEIVER, "big"), CURVE), auth=AUTH)


def test_the_example_of_the_rfc_comes_out_byte_for_byte() -> None:
    point = browser_of_the_rfc().point
    key = webpush.private_key(SENDER)
    assert webpush.encrypted(PLAIN, point, AUTH, salt=SALT, ephemeral=key, padded=len(PLAIN) + 1) == BODY


def test_the_browser_of_these_tests_opens_the_example_of_the_rfc() -> None:
    assert browser_of_the_rfc().opened(BODY) == PLAIN


def letter(browser: Browser, plain: bytes) -> bytes:
    return webpush.encrypted(plain, browser.point, browser.auth, salt=bytes(16), ephemeral=webpush.fresh_key())


def test_all_letters_weigh_the_same_and_only_their_browser_opens_them() -> None:
    anna, ben = Browser("localhost"), Browser("localhost")
    bodies = [letter(anna, b"x" * length) for length in (0, 1, 330, webpush.PADDED - 1)]
    assert {len(body) for body in bodies} == {86 + webpush.PADDED + 16}
    assert anna.opened(bodies[2]) == b"x" * 330
    for wrong in (ben, evolve(anna, auth=ben.auth)):
        with pytest.raises(InvalidTag):
            wrong.opened(bodies[2])
    with pytest.raises(ValueError, match="does not fit"):
        letter(anna, bytes(webpush.PADDED))


@pytest.mark.parametrize("point", [b"", bytes(65), b"\x04" + bytes(64), b"\x04" + b"\xff" * 64, bytes(33)])
def test_a_point_that_is_none_is_refused(point: bytes) -> None:
    with pytest.raises(ValueError):
        webpush.encrypted(b"x", point, bytes(16), salt=bytes(16), ephemeral=webpush.fresh_key())


@pytest.mark.parametrize("secret", [bytes(32), webpush._ORDER.to_bytes(32), b"\xff" * 32])
def test_a_key_beyond_the_curve_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError):
        webpush.private_key(secret)


def test_the_proof_is_for_one_push_service_and_one_hour_and_names_nobody() -> None:
    import time

    key = webpush.fresh_key()
    header = webpush.Vapid(key, "https://doorbell.invalid").header("https://push.example", time.time())
    point, claims = proved(Request(0, "/", {"authorization": header}, b""), "https://push.example")
    assert point == webpush.public_bytes(key)
    assert set(claims) == {"aud", "exp", "sub"} and claims["sub"] == "https://doorbell.invalid"
    assert claims["exp"] <= time.time() + 3600
    assert url64(point) in header
