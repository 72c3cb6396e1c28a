"""Bech32, the spelling of age's keys (BIP 173): a human-readable part, `1`, five bits a letter, and a checksum.

Without BIP 173's limit of 90 letters, as in age, whose post-quantum recipients are longer. Ours, because Raspberry Pi
OS has no package of it.
"""

from collections.abc import Iterable

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
_GENERATOR = 0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3
_CHECKSUM = 6


def _multiple(top: int) -> int:
    """The generator times a value of GF(32): what takes the value's place when it is shifted out of 30 bits."""
    product = 0
    for bit, term in enumerate(_GENERATOR):
        product ^= term if top >> bit & 1 else 0
    return product


_MULTIPLES = [_multiple(top) for top in range(32)]


def encode(kind: str, data: bytes) -> str:
    """*data* in lower case with *kind*, lower-case ASCII, as its human-readable part."""
    values = _regrouped(data, 8, 5)
    assert values is not None  # bytes always have an answer
    rest = _remainder([*_spread(kind), *values, *[0] * _CHECKSUM]) ^ 1
    values += [rest >> 5 * place & 31 for place in reversed(range(_CHECKSUM))]
    return f"{kind}1{''.join(_LETTERS[value] for value in values)}"


def decode(text: str) -> tuple[str, bytes] | None:
    """(human-readable part in lower case, data), or None if checksum, a letter, its case or the padding is wrong."""
    kind, one, letters = text.lower().rpartition("1")
    if text not in (text.lower(), text.upper()) or not text.isascii() or not one or not kind:
        return None
    if not all(33 <= ord(letter) <= 126 for letter in kind) or not set(letters) <= _VALUES.keys():
        return None
    values = [_VALUES[letter] for letter in letters]
    if len(values) < _CHECKSUM or _remainder([*_spread(kind), *values]) != 1:
        return None
    data = _regrouped(values[:-_CHECKSUM], 5, 8)
    return None if data is None else (kind, bytes(data))


def _spread(kind: str) -> list[int]:
    """The human-readable part as the checksum counts it: the high bits of all its letters, 0, their low five bits."""
    return [*(ord(letter) >> 5 for letter in kind), 0, *(ord(letter) & 31 for letter in kind)]


def _remainder(values: Iterable[int]) -> int:
    """*values* as a polynomial over GF(32), divided by BIP 173's generator: the remainder's six values in 30 bits."""
    rest = 1
    for value in values:
        rest = (rest & 0x1FFFFFF) << 5 ^ value ^ _MULTIPLES[rest >> 25]
    return rest


def _regrouped(values: Iterable[int], size: int, other: int) -> list[int] | None:
    """Groups of *size* bits as groups of *other*; from 5 to 8, None if more than 4 bits or a set one are left over."""
    held, bits, out = 0, 0, []
    for value in values:
        held, bits = held << size | value, bits + size
        while bits >= other:
            bits -= other
            out.append(held >> bits)
            held &= (1 << bits) - 1
    if size < other:
        return out if bits < size and not held else None
    return [*out, held << other - bits] if bits else out
