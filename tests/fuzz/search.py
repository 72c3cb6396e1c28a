"""The child of run.py: `search.py PARSER FLAG... FOLDER` has libFuzzer drive one parser, beginning with its seeds."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
with atheris.instrument_imports(include=["doorbell", "parsers", "json", "tomllib"]):
    import parsers

name, flags, folder = sys.argv[1], sys.argv[2:], Path(sys.argv[-1])
for number, data in enumerate(parsers.PARSERS[name].seeds()):
    (folder / f"seed-{number:03}").write_bytes(data[: parsers.LARGEST])
atheris.Setup([sys.argv[0], *flags], lambda data: parsers.fed(name, data))
atheris.Fuzz()
