"""Errors are of two kinds: a person's to mend (Mistake) and the world's (DeviceError, may heal by itself).

Anything else is a bug and ends the process. A message is one sentence that says the fix; it never holds a key,
a password, a payload or the name of a household member.
"""


class DoorbellError(Exception):
    """The base: the command line prints its sentence and exits 1, never a traceback."""


class Mistake(DoorbellError):  # noqa: N818  a person's mistake is not an error of ours
    """Something a person wrote, chose or forgot; the message names it and says what to do."""


class ConfigError(Mistake):
    """The configuration: names the key, the value and the fix.

    ``bare`` is the same without any value, for a place that others may read: what was typed into the wrong line may be
    a password.
    """

    def __init__(self, sentence: str, bare: str = "") -> None:
        super().__init__(sentence)
        self.bare = bare or sentence


class DeviceError(DoorbellError):
    """A camera, a card, a pin or a broker that does not do what it should, for now."""


class DamagedError(DoorbellError):
    """Sealed bytes that are cut short, changed, or not sealed to the given identity."""
