"""A broker's password that the owner typed into the settings moves to a file of its own: all else of the text stays.

The boot volume guards nothing, so the password must leave it; but the settings have to stay there, for the next
``doorbell card --boot`` takes pins and masks from them.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

_LINE: Final = re.compile(
    r"""(?m)^(?P<before>[ \t]*(?:["']?mqtt["']?[ \t]*\.[ \t]*)?)(?:password|"password"|'password')[ \t]*=[^\r\n]*"""
)


def moved(text: str, password: str, file: str) -> str | None:
    """*text* (TOML with ``mqtt.password``) with ``mqtt.password_file`` instead.

    None where the line cannot be told for certain, or the password stands in it once more.
    """
    wanted = tomllib.loads(text)
    del wanted["mqtt"]["password"]
    wanted["mqtt"]["password_file"] = file
    for line in _LINE.finditer(text):
        tried = f'{text[: line.start()]}{line["before"]}password_file = "{file}"{text[line.end() :]}'
        try:
            fits = tomllib.loads(tried) == wanted
        except tomllib.TOMLDecodeError:
            continue
        if fits:
            return tried if password not in tried or password in str(wanted) else None
    return None
