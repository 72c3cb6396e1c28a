"""A person with head, coat and walking legs, seen from the front, the back or the side, and what they carry."""

import math
from functools import lru_cache
from typing import Literal

import numpy as np
from attrs import frozen

from doorbell.scene.script import Colour
from doorbell.scene.sprites import Canvas, Mips

STEPS = 8
HALF_WIDTH, HEIGHT = 0.6, 1.95
_SKIN: Colour = (0.86, 0.65, 0.53)
_HAIR: Colour = (0.22, 0.15, 0.10)
_TROUSERS: Colour = (0.17, 0.19, 0.26)
_SHOE: Colour = (0.10, 0.08, 0.07)
_CARD: Colour = (0.74, 0.56, 0.36)
_MASTER = 240  # pixels a metre: a visitor at the mat is drawn about one to one at 1280x720


@frozen
class Pose:
    """`view` side faces to the right; `step` is 0..STEPS-1 walking, or -1 standing."""

    coat: Colour
    view: Literal["front", "back", "side"]
    step: int = -1
    presses: bool = False
    parcel: bool = False


@lru_cache(maxsize=128)
def person(pose: Pose) -> Mips:
    """The sprite of one pose, 2 * HALF_WIDTH by HEIGHT metres; the last 128 are kept, about 0.7 MB each."""
    swing = math.sin(2 * math.pi * pose.step / STEPS) if pose.step >= 0 else 0.0
    c = Canvas(HALF_WIDTH, HEIGHT, _MASTER)
    if pose.view == "side":
        _side(c, pose.coat, swing, pose.parcel)
    else:
        _facing(c, pose, swing)
    return c.finish()


def _dark(colour: Colour, by: float) -> Colour:
    return (colour[0] * by, colour[1] * by, colour[2] * by)


def _side(c: Canvas, coat: Colour, swing: float, parcel: bool) -> None:
    bob = 0.025 * abs(swing)
    for s, shade in ((-swing, 0.75), (swing, 1.0)):
        lift = 0.07 * max(0.0, -s) ** 2
        knee, foot = (0.20 * s + 0.04, 0.50 - bob), (0.36 * s - 0.05 * max(0.0, -s), 0.09 + lift)
        c.limb((0.0, 0.92 - bob), knee, 0.095, 0.075, _dark(_TROUSERS, shade))
        c.limb(knee, foot, 0.075, 0.055, _dark(_TROUSERS, shade))
        c.limb((foot[0] - 0.02, foot[1] - 0.035), (foot[0] + 0.14, foot[1] - 0.05), 0.05, 0.04, _SHOE)
    hand = (0.24 * swing, 0.90 - bob)
    c.limb((0.0, 1.42 - bob), (0.10 * swing - 0.03, 1.15), 0.062, 0.055, _dark(coat, 0.7))
    c.limb((0.10 * swing - 0.03, 1.15), hand, 0.055, 0.04, _dark(coat, 0.7))
    c.body(((0.66, 0.165), (1.0, 0.15), (1.3, 0.165), (1.44, 0.13), (1.50, 0.06)), coat)
    c.limb((0.0, 1.45 - bob), (0.02, 1.56 - bob), 0.06, 0.055, _dark(_SKIN, 0.85))
    c.ellipse((0.025, 1.655 - bob), 0.105, 0.13, _SKIN)
    c.limb((0.125, 1.655 - bob), (0.14, 1.635 - bob), 0.016, 0.022, _SKIN)
    c.ellipse((-0.015, 1.685 - bob), 0.115, 0.115, _HAIR, above=1.635 - bob)
    c.ellipse((-0.06, 1.65 - bob), 0.075, 0.11, _HAIR)
    c.ellipse((0.085, 1.675 - bob), 0.012, 0.012, (0.1, 0.08, 0.08))
    if parcel:
        c.box(0.10, 1.02, 0.42, 1.30, _CARD, 0.95)
    arm = (-0.10 * swing - 0.02, 1.15 - bob)
    hand = (0.26, 1.05) if parcel else (-0.26 * swing, 0.90 - bob)
    c.limb((0.0, 1.40 - bob), arm, 0.068, 0.058, _dark(coat, 1.08))
    c.limb(arm, hand, 0.058, 0.045, _dark(coat, 1.08))
    c.ellipse(hand, 0.045, 0.05, _SKIN)


def _facing(c: Canvas, pose: Pose, swing: float) -> None:
    bob, front = 0.02 * abs(swing), pose.view == "front"
    raised = pose.presses and not pose.parcel
    _legs(c, swing, front)
    for side, s in ((-1, -swing), (1, swing)):
        elbow, hand = (0.255 * side, 1.16 - bob), (0.25 * side, 0.90 + 0.06 * s - bob)
        if pose.parcel:
            elbow, hand = (0.28 * side, 1.15 - bob), (0.20 * side, 1.08 - bob)
        if not (raised and side == 1):
            _arm(c, pose.coat, elbow, hand)
    c.limb((0.0, 1.44 - bob), (0.0, 1.57 - bob), 0.065, 0.06, _dark(_SKIN, 0.8))
    _coat(c, pose.coat, bob, front)
    c.ellipse((0.0, 1.475 - bob), 0.10, 0.045, (0.85, 0.78, 0.62))
    c.ellipse((0.0, 1.655 - bob), 0.10, 0.135, _SKIN if front else _HAIR)
    for side in (-1, 1):
        c.ellipse((0.100 * side, 1.645 - bob), 0.014, 0.028, _dark(_SKIN, 0.85))
    if front:
        _face(c, bob)
    else:
        c.ellipse((0.0, 1.665 - bob), 0.108, 0.14, _HAIR, above=1.56 - bob)
    if pose.parcel and front:
        _carried(c, bob)
    if raised:
        _arm(c, pose.coat, (0.33, 1.20), (0.36, 1.44))


def _legs(c: Canvas, swing: float, front: bool) -> None:
    bob = 0.02 * abs(swing)
    for side, s in ((-1, swing), (1, -swing)):
        lift = 0.13 * max(0.0, s)
        knee, foot = (0.105 * side, 0.50 + 0.5 * lift), (0.11 * side, 0.09 + lift)
        shade = 0.8 if (s > 0) != front else 1.0
        c.limb((0.09 * side, 0.92 - bob), knee, 0.095, 0.078, _dark(_TROUSERS, shade))
        c.limb(knee, foot, 0.078, 0.058, _dark(_TROUSERS, shade))
        c.ellipse((0.115 * side, foot[1] - 0.045), 0.062, 0.052, _SHOE)


def _coat(c: Canvas, coat: Colour, bob: float, front: bool) -> None:
    hem, shoulder = 0.68 - bob, 1.44 - bob
    c.body(((hem, 0.225), (0.98, 0.185), (1.2, 0.195), (shoulder - 0.06, 0.215), (shoulder, 0.17), (1.51, 0.07)), coat)
    if not front:
        return
    c.box(-0.007, hem, 0.007, 1.42, _dark(coat, 0.55))
    for y in (0.85, 1.0, 1.15, 1.3):
        c.ellipse((0.03, y), 0.011, 0.011, _dark(coat, 0.4))
    for side in (-1, 1):
        c.box(0.13 * side - 0.05, 0.985, 0.13 * side + 0.05, 1.0, _dark(coat, 0.6))


def _carried(c: Canvas, bob: float) -> None:
    c.box(-0.21, 0.98, 0.21, 1.26, _CARD)
    c.box(-0.21, 1.235, 0.21, 1.26, _dark(_CARD, 1.2))
    c.box(-0.03, 0.98, 0.03, 1.26, _dark(_CARD, 0.8))
    c.box(0.07, 1.02, 0.18, 1.10, (0.93, 0.92, 0.9))
    for side in (-1, 1):
        c.ellipse((0.21 * side, 1.08 - bob), 0.04, 0.055, _SKIN)


def _arm(c: Canvas, coat: Colour, elbow: tuple[float, float], hand: tuple[float, float]) -> None:
    shoulder = (math.copysign(0.185, elbow[0]), 1.385)
    c.limb(shoulder, elbow, 0.066, 0.054, _dark(coat, 0.94))
    c.limb(elbow, hand, 0.054, 0.043, _dark(coat, 0.94))
    c.ellipse((hand[0], hand[1] - 0.03 * (1 if hand[1] < elbow[1] else -1)), 0.045, 0.055, _SKIN)


def _face(c: Canvas, bob: float) -> None:
    c.ellipse((0.0, 1.705 - bob), 0.113, 0.112, _HAIR, above=1.725 - bob)
    for side in (-1, 1):
        c.ellipse((0.098 * side, 1.70 - bob), 0.020, 0.055, _HAIR)
    c.ellipse((-0.035, 1.735 - bob), 0.075, 0.035, _HAIR)
    for side in (-1, 1):
        c.ellipse((0.038 * side, 1.668 - bob), 0.017, 0.010, (0.95, 0.94, 0.92))
        c.ellipse((0.038 * side, 1.668 - bob), 0.009, 0.010, (0.12, 0.09, 0.08))
        c.limb((0.022 * side, 1.692 - bob), (0.055 * side, 1.690 - bob), 0.0045, 0.003, _HAIR)
    c.limb((0.004, 1.655 - bob), (0.006, 1.628 - bob), 0.008, 0.015, _dark(_SKIN, 0.93))
    for side in (-1, 1):
        c.limb((0.0, 1.584 - bob), (0.032 * side, 1.592 - bob), 0.007, 0.004, (0.66, 0.36, 0.33))


@lru_cache(maxsize=1)
def parcel_left() -> Mips:
    """The parcel on the floor, 0.42 m wide, in a sprite of 0.6 m by 0.4 m."""
    c = Canvas(0.3, 0.4, 320)
    c.box(-0.21, 0.02, 0.21, 0.30, _CARD, 0.86)
    c.box(-0.19, 0.30, 0.19, 0.38, _CARD, 1.12)
    c.box(-0.03, 0.02, 0.03, 0.38, _CARD, 0.80)
    c.box(0.07, 0.06, 0.18, 0.14, (0.93, 0.92, 0.9))
    return c.finish()


@lru_cache(maxsize=1)
def shadow() -> Mips:
    """A soft dark spot for the feet of whoever stands there."""
    c = Canvas(0.5, 1.0, 64)
    c.rgb[:] = 0.03
    far = ((c.x / 0.5) ** 2 + ((c.y - 0.5) / 0.5) ** 2).clip(0, 1)
    c.alpha = np.asarray(0.6 * (1 - far) ** 1.5, np.float32)
    return c.finish()
