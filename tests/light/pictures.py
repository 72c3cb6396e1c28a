"""Invented pictures of a phone that shows its QR to the door's camera: tilted, far, blurred, under glare, dim."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import segno
from attrs import evolve, frozen

from doorbell import ticket

Luma = npt.NDArray[np.uint8]
Picture = npt.NDArray[np.float64]

QUIET = 4
"""Modules of white around a code, as its standard asks."""


@frozen
class Look:
    """How the phone is held. ``wide`` is the code's share of the picture's height, quiet zone included; angles in
    degrees; ``blur`` and ``shake`` in pixels of the picture; ``glare`` the light of a lamp in the screen, 0 to 1."""

    wide: float = 0.7
    tilt: float = 0.0
    turn: float = 0.0
    roll: float = 0.0
    blur: float = 0.0
    shake: float = 0.0
    glare: float = 0.0
    noise: float = 2.0
    moire: float = 0.0
    light: float = 1.0
    seed: int = 0


def matrix(text: str) -> Picture:
    """The code's modules, 0 dark and 1 light, quiet zone included, as the app draws them (error correction L)."""
    code = segno.make(text, mode="alphanumeric", error="l", boost_error=False, micro=False)
    return np.pad(1.0 - np.array([list(row) for row in code.matrix], float), QUIET, constant_values=1.0)


def screen(text: str, *, side: int = 720) -> Picture:
    """The phone's screen, 0 to 1: the code, black and white, *side* pixels wide; each pixel has its dark border."""
    modules = matrix(text)
    at = (np.arange(side) * modules.shape[0]) // side
    return modules[np.ix_(at, at)]


def seen(text: str, width: int, height: int, look: Look, behind: Luma | None = None) -> Luma:
    """The camera's luma (height, width) with a phone that shows *text* held up in its middle."""
    return held_up(screen(text), width, height, look, behind)


def held_up(shown: Picture, width: int, height: int, look: Look, behind: Luma | None = None) -> Luma:
    """As ``seen``, of a square screen as it is, 0 to 1; before *behind* or a grey street."""
    dice = np.random.default_rng(look.seed)
    picture = (np.full((height, width), 110.0) if behind is None else behind.astype(float)).copy()
    u, v, inside = _places(width, height, look)
    side = shown.shape[0]
    x, y = np.clip(u * side, 0, side - 1.001), np.clip(v * side, 0, side - 1.001)
    # A camera's pixel sees an area of the screen: averaged over 3 x 3 places in it.
    value = np.zeros_like(x)
    step = side / (look.wide * height) / 3
    for dx in (-step, 0, step):
        for dy in (-step, 0, step):
            value += shown[np.clip((y + dy).astype(int), 0, side - 1), np.clip((x + dx).astype(int), 0, side - 1)] / 9
    value = 22 + 213 * value * look.light
    if look.moire:
        beat = np.sin(2 * np.pi * x / 9.3) * np.sin(2 * np.pi * (y + 0.3 * x) / 8.1)
        value += 60 * look.moire * beat
    if look.glare:
        far = (u - 0.62) ** 2 + (v - 0.4) ** 2
        value += 230 * look.glare * np.exp(-far / 0.02)
    picture[inside] = value[inside]
    picture = _blurred(picture, look.blur)
    picture = _shaken(picture, look.shake)
    picture += dice.normal(0, look.noise, picture.shape)
    return np.clip(picture, 16, 235).astype(np.uint8)


def _places(width: int, height: int, look: Look) -> tuple[Picture, Picture, npt.NDArray[np.bool_]]:
    """For each pixel the place on the screen (0 to 1 across, 0 to 1 down) that it sees, and whether there is one."""
    tilt, turn, roll = np.deg2rad([look.tilt, look.turn, look.roll])
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    about_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    turned = about_x @ about_y @ about_z
    far = 3.0  # the screen's sides from the lens: a hand's breadth of screen at 25 cm
    focal = look.wide * height * far
    home = np.column_stack([turned[:, 0], turned[:, 1], np.array([0, 0, far])])
    camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    back = np.linalg.inv(camera @ home)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    u, v, w = np.einsum("ij,jkl->ikl", back, np.stack([x, y, np.ones_like(x)]).astype(float))
    u, v = u / w + 0.5, v / w + 0.5
    return u, v, (u >= 0) & (u < 1) & (v >= 0) & (v < 1)


def _blurred(picture: Picture, sigma: float) -> Picture:
    if not sigma:
        return picture
    reach = int(np.ceil(3 * sigma))
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    for axis in (0, 1):
        turned = np.moveaxis(picture, axis, 0)
        padded = np.pad(turned, ((reach, reach), (0, 0)), mode="edge")
        turned = sum(w * padded[n : n + turned.shape[0]] for n, w in enumerate(weights))
        picture = np.moveaxis(turned, 0, axis)
    return picture


def _shaken(picture: Picture, length: float) -> Picture:
    """A hand that moves by *length* pixels while the picture is taken."""
    steps = round(length)
    if steps < 1:
        return picture
    return sum(np.roll(picture, (n // 2, n), (0, 1)) for n in range(steps + 1)) / (steps + 1)


LOOKS: dict[str, list[Look]] = {
    "straight on": [Look(wide=wide) for wide in (0.9, 0.7, 0.5)],
    "half as large": [Look(wide=wide) for wide in (0.4, 0.35, 0.3, 0.25)],
    "tilted": [Look(tilt=tilt, turn=turn) for tilt in (0, 20, 35) for turn in (15, 30, 45)],
    "rolled": [Look(roll=roll) for roll in (5, 20, 45, 90, 180, 200)],
    "out of focus": [Look(blur=blur) for blur in (1.0, 1.5, 2.0, 2.5, 3.0)],
    "moved": [Look(shake=shake) for shake in (2, 4, 6)],
    "lamp in the screen": [Look(glare=glare) for glare in (0.3, 0.6, 1.0)],
    "moire": [Look(moire=moire) for moire in (0.3, 0.6, 1.0)],
    "dim screen": [Look(light=light, noise=6) for light in (0.5, 0.25, 0.12)],
    "by hand": [
        Look(wide=0.6, tilt=12, turn=-15, roll=7, blur=1.0, shake=1, glare=0.3, moire=0.3, light=0.8, noise=4),
        Look(wide=0.55, tilt=-20, turn=18, roll=-12, blur=1.2, shake=2, glare=0.4, moire=0.2, light=0.7, noise=5),
        Look(wide=0.8, tilt=8, turn=25, roll=3, blur=1.5, shake=2, glare=0.6, moire=0.4, light=0.6, noise=5),
    ],
}
"""What is compared, in groups (compare.py)."""


def with_seed(look: Look, seed: int) -> Look:
    return evolve(look, seed=seed)


def a_ticket(seed: int, *, password: int = 32) -> ticket.Ticket:
    """One as a phone shows it to a door; keys are no keys here."""
    dice = np.random.default_rng(seed)
    return ticket.Ticket(
        owner=dice.bytes(32), owner_verify_key=dice.bytes(32), secret=dice.bytes(16), door="front",
        broker="mqtts://broker.example:8883", login="front", password="p" * password, broker_pin=dice.bytes(32),
        phone=dice.bytes(32), phone_verify_key=dice.bytes(32),
    )  # fmt: skip
