#!/bin/sh
# Builds, once, a Debian root with a real Home Assistant core in it (no browser frontend), for `make test-ha`.
#
#   build-root.sh [DIRECTORY]     default: build/ha beside the Makefile
#
# Root only (mmdebstrap, chroot). Everything comes from two places: the Debian archive this machine's apt already uses,
# and the Python index this machine's pip is configured for. No address is written here.
# HA_VERSION and HA_SUITE choose others: 2026.3 and later want Python 3.14, which trixie does not have.
set -eu

version=${HA_VERSION:-2026.2.3}
suite=${HA_SUITE:-trixie}
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../build/ha}
python=${PYTHON:-python3}
wanted="Home Assistant $version on Debian $suite"
began=$(date +%s)

step() { printf '%4d s  %s\n' $(($(date +%s) - began)) "$*"; }
stop() { echo "build-root.sh: $*" >&2; exit 1; }

if [ "$(cat "$out/built" 2>/dev/null)" = "$wanted" ]; then
    echo "$wanted stands in $out"
    exit 0
fi
[ "$(id -u)" = 0 ] || stop "run it as root: it makes a chroot."
command -v mmdebstrap >/dev/null || stop "install mmdebstrap (apt-get install mmdebstrap)."
"$python" -m pip --version >/dev/null 2>&1 || stop "$python has no pip: give another with PYTHON=."

rm -rf "$out"
mkdir -p "$out/wheels"
out=$(cd "$out" && pwd)
wheels=$out/wheels root=$out/root

# What three of Home Assistant's dependencies, published as source only, need to become wheels; purged at the end.
compilers="gcc libc6-dev python3-dev python3-setuptools python3-wheel"

debian_root() {
    archive=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
    [ -n "$archive" ] || stop "apt knows no Debian archive: run apt-get update first."
    # A mirror that was frozen some weeks ago is good enough for a test; signatures are checked all the same.
    mmdebstrap --quiet --mode=root --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
        --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --include="$(echo python3 python3-venv libturbojpeg0 $compilers | tr ' ' ,)" \
        "$suite" "$root" "deb $archive $suite main"
    chroot "$root" python3 -m venv /opt/ha
}

# The host's pip fetches, because index, proxy and certificates are configured there; it is told the root's Python.
fetch() {
    "$python" -m pip download --quiet --disable-pip-version-check --no-cache-dir --find-links "$wheels" --dest "$wheels" "$@" \
        2>"$out/pip.log" || { cat "$out/pip.log" >&2; exit 1; }
}

fetch_wheels() {
    fetch $target --no-deps "homeassistant==$version"
    chroot "$root" python3 -c '
import sys, zipfile
sys.stdout.write(zipfile.ZipFile(sys.stdin.buffer).read("homeassistant/package_constraints.txt").decode())
' <"$wheels/homeassistant-$version-py3-none-any.whl" >"$out/constraints"
    sources=""
    for name in lru-dict PyTurboJPEG PyRIC; do
        pin=$(grep -i "^$name==" "$out/constraints" || true)
        sources="$sources ${pin:-$name}"
    done
    for one in $sources; do
        fetch --no-deps --no-binary=:all: --constraint "$out/constraints" "$one"
    done
    mkdir "$root/src"
    mv "$wheels"/*.tar.gz "$root/src/"
    chroot "$root" sh -ec 'cd /src; for one in *.tar.gz; do
        tar xzf "$one"; (cd "${one%.tar.gz}"; python3 setup.py --quiet bdist_wheel --dist-dir /src/whl >/src/log 2>&1) || { tail -20 /src/log; exit 1; }
    done'
    mv "$root"/src/whl/*.whl "$wheels/"
    rm -rf "$root/src"
    # paho-mqtt for the mqtt integration, PyTurboJPEG for camera, which mqtt loads; standard-chunk (once in Python's own
    # library) is a dependency only from 3.13 on, a marker that the host's older pip reads as "not needed". What mqtt's
    # set-up takes from the Supervisor's library came with the core until 2026.7; the version stands where it is used.
    supervisor=$(chroot "$root" python3 -c '
import json, sys, zipfile
wanted = json.loads(zipfile.ZipFile(sys.stdin.buffer).read("homeassistant/components/hassio/manifest.json"))
print(*(one for one in wanted["requirements"] if one.startswith("aiohasupervisor")))
' <"$wheels/homeassistant-$version-py3-none-any.whl")
    fetch $target --constraint "$out/constraints" "homeassistant==$version" paho-mqtt PyTurboJPEG standard-chunk $supervisor
}

python_of_root() {
    now=$(chroot "$root" python3 -c 'import platform; print(platform.python_version())')
    machine=$(uname -m)
    target="--only-binary=:all: --implementation cp --python-version $now --abi none --abi abi3"
    target="$target --abi cp$(echo "$now" | cut -d. -f1,2 | tr -d .) --platform any --platform linux_$machine --platform manylinux2014_$machine"
    for glibc in 5 12 17 24 26 27 28 31 34; do target="$target --platform manylinux_2_${glibc}_$machine"; done
    for glibc in 35 36 38 39 41; do target="$target --platform manylinux_2_${glibc}_$machine"; done
}

install() {
    mkdir "$root/wheels"
    cp "$wheels"/*.whl "$root/wheels/"
    chroot "$root" env -i PATH=/usr/bin:/bin /opt/ha/bin/pip install --quiet \
        --disable-pip-version-check --no-compile --no-index \
        --find-links /wheels "homeassistant==$version" paho-mqtt PyTurboJPEG aiohasupervisor
    chroot "$root" env -i PATH=/usr/bin:/bin /opt/ha/bin/pip check
    chroot "$root" /opt/ha/bin/python -m homeassistant --version
}

slim() {
    rm -rf "$root/wheels" "$wheels"
    find "$root/opt/ha/lib" -path '*/translations/*.json' ! -name en.json ! -name de.json -delete
    chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get purge -qq -y --autoremove $compilers >/dev/null 2>&1
    rm -rf "$root/var/lib/apt/lists" "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb
    mkdir -p "$root/conf"
}

debian_root; python_of_root
step "Debian $suite with Python $now"
fetch_wheels
step "$(ls "$wheels" | wc -l) wheels, $(du -sm "$wheels" | cut -f1) MB"
install
step "Home Assistant $version installed"
slim
echo "$wanted" >"$out/built"
step "$wanted: $(du -sm "$root" | cut -f1) MB in $root"
