"""`python tests/lab/run.py [PART…]`: the door against real parts in a small virtual machine; `make lab` runs it.

Each part boots the machine afresh and puts pytest to tests/lab/parts/PART.py in there; what it says comes out as a
table and as build/lab/PART.xml (JUnit). Without PART: gpio, camera, service and power. The status is 0 only if
everything passed.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

from attrs import frozen

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab.frames import draw
from tests.lab.machine import BUILD, REPOSITORY, Machine, built

PYTEST = "python3 -m pytest -q -p no:cacheprovider -p no:randomly -o timeout=0 -o junit_family=xunit1"


def tests(*files: str) -> str:
    """The script that puts pytest to each of *files*, and fails if one of them does."""
    runs = [f"{PYTEST} --junitxml=/lab/{number}.xml {file} || bad=1" for number, file in enumerate(files)]
    return "\n".join(["bad=0", *runs, "exit $bad", ""])


@frozen
class Part:
    """``script`` runs in the guest, in a copy of the checkout."""

    script: str
    about: str
    plain: bool = True
    memory_mb: int = 1536
    within_s: float = 900


CAMERA = """\
. tests/lab/parts/camera.sh
export DOORBELL_TEST_CAMERAS=picamera2 DOORBELL_TEST_PATIENCE_S=240 DOORBELL_TEST_FRAMES=${LAB_FRAMES:-150}
"""

PARTS = {
    "gpio": Part(tests("tests/lab/parts/gpio.py"), "gpiozero on lgpio on a kernel's gpiochip"),
    "camera": Part(
        CAMERA + tests("tests/camera/test_contract.py", "tests/lab/parts/camera.py"),
        "picamera2 on libcamera's virtual camera", memory_mb=2560,
    ),
    "service": Part(
        CAMERA + ". tests/lab/parts/service.sh\n" + tests("-x tests/lab/parts/service.py"),
        "the installed package under systemd", plain=False, memory_mb=2560, within_s=1500,
    ),
    "short": Part(
        ". tests/lab/parts/camera.sh\n. tests/lab/parts/service.sh\n" + tests("-x tests/lab/parts/short.py"),
        "the least of it, for every change: package, sandbox, press, kill", plain=False, within_s=900,
    ),
}  # fmt: skip


ON_THE_HOST = {
    "power": ("tests/lab/power.py", "ext4 on a card that loses what it had not written"),
    "image": ("tests/lab/image/boots.py", "a card as `doorbell card` writes it, booted as arm64"),
}
"""Parts that pull a plug or boot another kind of machine themselves."""
IN_MAKE_LAB = "gpio", "camera", "service", "power"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = [*PARTS, *ON_THE_HOST]
    also = f"any of {', '.join(names)}; none: {', '.join(IN_MAKE_LAB)}"
    parser.add_argument("parts", nargs="*", metavar="PART", help=also)
    wanted = parser.parse_args().parts or IN_MAKE_LAB
    if unknown := sorted(set(wanted) - set(names)):
        parser.error(f"no part is called {', '.join(unknown)}: there are {', '.join(names)}")
    if set(wanted) - {"image"} and not built():
        parser.error("the lab is not built: run tests/lab/build.sh as root")
    return max([run_on_host(name) if name in ON_THE_HOST else run(name) for name in wanted])


def run_on_host(name: str) -> int:
    file, about = ON_THE_HOST[name]
    print(f"{name}: {about}", flush=True)
    report = BUILD / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    words = [sys.executable, "-m", *shlex.split(PYTEST.removeprefix("python3 -m ")), f"--junitxml={report}"]
    began = time.monotonic()
    done = subprocess.run([*words, file], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    if report.exists():
        table(ET.parse(report).getroot())
    if done.returncode:
        print(done.stdout[-6000:])
    print(f"{name}: {'FAILED' if done.returncode else 'passed'} in {time.monotonic() - began:.0f} s\n", flush=True)
    return int(done.returncode != 0)


def run(name: str) -> int:
    """Run one part; 0 if all of it passed."""
    part = PARTS[name]
    machine = Machine(BUILD / "runs" / name, plain=part.plain, memory_mb=part.memory_mb)
    chosen = {name: value for name, value in os.environ.items() if name.startswith("LAB_")}
    machine.prepare("".join(f"export {name}={shlex.quote(value)}\n" for name, value in chosen.items()) + part.script)
    if name in ("camera", "service"):
        draw(BUILD / "frames")
        shutil.copytree(BUILD / "frames", machine.folder / "frames")
    if name in ("service", "short"):
        shutil.copy(package(REPOSITORY), machine.folder / "doorbell.deb")
    if name == "service":
        shutil.copy(package(next_version(BUILD / "next")), machine.folder / "next.deb")
    print(f"{name}: {part.about}", flush=True)
    outcome = machine.run(part.within_s)
    reports = [ET.parse(file).getroot() for file in sorted(machine.folder.glob("*.xml"))]
    merged = ET.Element("testsuites")
    for report in reports:
        merged.extend(report.iter("testsuite"))
    ET.ElementTree(merged).write(BUILD / f"{name}.xml", encoding="utf-8", xml_declaration=True)
    table(merged)
    complete = outcome.status == 0 and bool(reports)
    if not complete:
        print(outcome.output[-6000:])
    print(f"{name}: {'passed' if complete else 'FAILED'} in {outcome.seconds:.0f} s\n", flush=True)
    return 0 if complete else 1


def package(checkout: Path) -> str:
    """The path of the .deb that *checkout* builds."""
    built = subprocess.run([checkout / "packaging/build-deb"], stdout=subprocess.PIPE, text=True, check=True)
    return built.stdout.strip()


def next_version(folder: Path) -> Path:
    """A copy of this checkout in *folder* whose version is one higher, to be upgraded to."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "doorbell", "packaging", "systemd",
         "pyproject.toml", "doorbell.example.toml", "phone/package-lock.json", "requirements", "tools"],
        cwd=REPOSITORY, stdout=subprocess.PIPE, check=True,
    ).stdout  # fmt: skip
    tar = ["tar", "-c", "--null", "--ignore-failed-read", "-T", "-"]
    packed = subprocess.run(tar, cwd=REPOSITORY, input=names, stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "-x"], cwd=folder, input=packed, check=True)
    module = folder / "doorbell/__init__.py"
    text = module.read_text()
    module.write_text(re.sub(r'(?m)^(__version__ = "\d+\.)(\d+)', lambda at: f"{at[1]}{int(at[2]) + 1}", text))
    assert module.read_text() != text
    return folder


def table(report: ET.Element) -> None:
    """A line for each test: what came of it, its name as a sentence, its figures."""
    for case in report.iter("testcase"):
        bad = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "")
        mark = {"": "ok", "skipped": "--"}.get(bad, "BAD")
        name = case.get("name", "").removeprefix("test_").replace("_", " ")
        figures = "; ".join(f"{one.get('name')} {one.get('value')}" for one in case.iter("property"))
        print(f"  {mark:4}{float(case.get('time', 0)):7.1f} s  {name}{': ' + figures if figures else ''}")


if __name__ == "__main__":
    sys.exit(main())
