"""Pure rooms know no clock, thread, file, socket or log: their imports are read, and each must be on a short list.

The list names what is allowed, so a new import has to be thought about. What stands between rooms is in pyproject.toml
([tool.importlinter]); what a process really holds once it runs is asked of the process itself, below.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

PURE = (
    "closed", "debounce", "effects", "errors", "events", "hkdf", "live", "owed", "pairing", "pipe", "roster",
    "schedule", "supervision", "ticket", "transfers", "visit",
    "boot.readme", "card.manifest",
    "clips.bech32", "clips.preroll", "clips.recipient", "clips.retention", "clips.seal",
    "journal.entry", "push.book", "push.letters", "overheard.guesses", "overheard.looks",
    "link.acceptance", "link.commands", "link.delivery", "link.homeassistant", "link.messages", "link.outbox",
    "link.replies", "link.settings", "link.topics",
    "scene.*", "vision.*",
)  # fmt: skip

ALLOWED = {
    "__future__", "base64", "binascii", "bisect", "collections", "collections.abc", "datetime", "enum",
    "fractions", "functools", "hashlib", "hmac", "itertools", "json", "math", "operator", "re", "struct",
    "textwrap", "typing", "zlib",
    "attrs", "cattrs", "nacl.bindings", "nacl.exceptions", "numpy", "numpy.typing",
}  # fmt: skip

# Sealing takes its randomness as an argument whose default is the kernel's; nothing else of os may be used there.
EXCEPT = {("clips/seal.py", "os")}

CLOCKS = {"now", "utcnow", "today", "fromtimestamp"}
"""What would make a formatter of given moments a reader of the clock (fromtimestamp: only with a zone, see below)."""


def pure_files() -> Iterator[Path]:
    for name in PURE:
        room = REPOSITORY / "doorbell" / name.removesuffix(".*").replace(".", "/")
        files = sorted(room.glob("*.py")) if name.endswith(".*") else [room.with_suffix(".py")]
        assert files, f"{name}: no such room"
        yield from files


FILES = [str(file.relative_to(REPOSITORY / "doorbell")) for file in pure_files()]


def tree(file: str) -> ast.Module:
    return ast.parse((REPOSITORY / "doorbell" / file).read_text(encoding="utf-8"))


def imports(module: ast.Module) -> Iterator[str]:
    """Dotted names, wherever they stand in the file; what only a type checker reads is not imported."""
    skipped = {
        id(inner)
        for node in ast.walk(module)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(module):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            if node.module in ("doorbell", "numpy") or (REPOSITORY / (node.module or "").replace(".", "/")).is_dir():
                yield from (f"{node.module}.{name.name}" for name in node.names)
            else:
                yield node.module or ""


def is_pure_room(name: str) -> bool:
    """Whether *name* is a pure module, a name in one, or a package whose rooms are all pure."""
    inner = name.removeprefix("doorbell.")
    return any(
        inner == room or inner.startswith(f"{room}.")
        for pattern in PURE
        for room in (pattern.removesuffix(".*"),)
    )  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_a_pure_room_imports_only_what_is_pure(file: str) -> None:
    strange = [
        name
        for name in imports(tree(file))
        if name not in ALLOWED
        and name.rpartition(".")[0] not in ALLOWED
        and (file, name) not in EXCEPT
        and not (name.startswith("doorbell.") and is_pure_room(name))
    ]
    assert not strange, f"{file} imports {', '.join(strange)}"


@pytest.mark.parametrize("file", FILES)
def test_a_pure_room_reads_no_clock_and_opens_nothing(file: str) -> None:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute) and called.attr in CLOCKS:
                zoned = called.attr == "fromtimestamp" and len(node.args) + len(node.keywords) == 2
                assert zoned, f"{file}:{node.lineno} reads the clock"
            assert not (isinstance(called, ast.Name) and called.id in ("open", "print", "input")), (
                f"{file}:{node.lineno}"
            )


def test_sealing_uses_nothing_of_os_but_the_kernels_randomness() -> None:
    used = [
        ast.unparse(node)
        for node in ast.walk(tree("clips/seal.py"))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    ]
    assert set(used) == {"os.urandom"}


def test_the_list_of_imports_sees_every_way_to_import() -> None:
    text = (
        "import time\nfrom os import path\nfrom doorbell import inbox\nfrom doorbell.clips import store\n"
        "def f():\n import ssl"
    )
    assert sorted(imports(ast.parse(text))) == ["doorbell.clips.store", "doorbell.inbox", "os", "ssl", "time"]


# ---- what a process holds


def loaded_by(statement: str) -> set[str]:
    """The modules of a fresh Python after *statement*."""
    program = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def held(modules: set[str], *names: str) -> list[str]:
    return sorted(one for one in modules for name in names if one == name or one.startswith(f"{name}."))


def test_the_doorman_holds_no_picture_and_no_way_to_open_one() -> None:
    modules = loaded_by("import doorbell.daemon")
    assert "doorbell.doorman" in modules
    assert held(modules, "numpy", "av", "cv2", "doorbell.owner", "doorbell.cli.open_", "mnemonic") == []


def test_the_recorder_holds_no_broker_no_tls_and_no_way_to_open_a_clip() -> None:
    # The interpreter's own socket module is there: it carries the pipe to the doorman. TLS is not, nor paho.
    modules = loaded_by("import doorbell.recorder, doorbell.senses.video, doorbell.clips.mux")
    assert "numpy" in modules
    assert held(modules, "paho", "ssl", "sqlite3", "gpiozero", "doorbell.link", "doorbell.owner", "mnemonic") == []
    # Nor what reads TOML, which would be 2 MB of its memory: its configuration comes through the pipe.
    assert held(modules, "cattrs", "tomllib") == []


def test_the_command_line_imports_no_command_before_it_is_called() -> None:
    modules = loaded_by("import doorbell.__main__")
    assert [one for one in held(modules, "doorbell") if one.startswith("doorbell.cli.")] == []
    assert held(modules, "numpy", "av", "paho", "nacl", "rich") == []
