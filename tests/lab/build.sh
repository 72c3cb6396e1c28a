#!/bin/sh
# Builds, once, the computer that `make lab` boots: Debian trixie with the real parts of a door, and no Pi.
#
#   build.sh [DIRECTORY]     default: $LAB_BUILD, or build/lab beside the Makefile; 2 to 5 minutes, 2.3 GB
#
# Root only (mmdebstrap, chroot). Everything comes from two places: the Debian archive that this machine's apt uses,
# and the Python index that this machine's pip is configured for. No address is written here.
#
# What is as on Raspberry Pi OS: Debian's Python 3.13, PyNaCl, paho, PyAV, numpy, attrs, cattrs, click, sdnotify, systemd.
# What comes from elsewhere, because Debian lacks it or has an old one: gpiozero 2, lgpio and picamera2 from the Python
# index, in /usr/local; kernel (gpio-sim) and libcamera (its virtual camera) from trixie-backports.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-${LAB_BUILD:-$here/../../build/lab}}
python=${PYTHON:-python3}
began=$(date +%s)

step() { printf '%4d s  %s\n' $(($(date +%s) - began)) "$*"; }
stop() { echo "build.sh: $*" >&2; exit 1; }

# The same recipe gives the same name; a changed one is built afresh.
wanted=$(cat "$here/build.sh" "$here"/root/* | sha256sum | cut -c1-16)
if [ "$(cat "$out/built" 2>/dev/null)" = "$wanted" ]; then
    echo "the lab stands in $out"
    exit 0
fi
[ "$(id -u)" = 0 ] || stop "run it as root: it makes a chroot."
for tool in mmdebstrap qemu-system-x86_64 modprobe cpio zstd xz mke2fs; do
    PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || stop "$tool is missing:
    apt-get install mmdebstrap qemu-system-x86 busybox-static kmod cpio zstd xz-utils e2fsprogs"
done
busybox=$(command -v busybox) || stop "busybox is missing: apt-get install busybox-static"

rm -rf "$out"
mkdir -p "$out/wheels" "$out/early/bin" "$out/early/modules"
out=$(cd "$out" && pwd)
root=$out/root

# The door's own libraries, all from apt: the same names that the .deb depends on.
door="python3 python3-attr python3-av python3-cattr python3-click python3-mnemonic python3-nacl python3-numpy
    python3-paho-mqtt python3-sdnotify python3-zxing-cpp"
# What the kernel's and picamera2's sides need, and the test suite.
parts="systemd-sysv dbus udev kmod iproute2 procps e2fsprogs mosquitto mosquitto-clients strace
    python3-libcamera libcamera-ipa python3-jsonschema python3-libarchive-c python3-piexif python3-pil python3-prctl
    python3-tqdm age ffmpeg make openssl python3-hypothesis python3-pytest python3-pytest-timeout python3-pytest-xdist python3-rich python3-segno
    python3-cryptography rclone mtools dosfstools fdisk"
compilers="gcc libc6-dev python3-dev python3-pip python3-setuptools python3-wheel swig"

debian_root() {
    archive=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
    [ -n "$archive" ] || stop "apt knows no Debian archive: run apt-get update first."
    # A mirror that was frozen some weeks ago is good enough for a test; signatures are checked all the same.
    mmdebstrap --quiet --mode=root --variant=apt --architectures=amd64 \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --setup-hook="install -D -m 644 '$here/root/backports.pref' \"\$1/etc/apt/preferences.d/backports\"" \
        --customize-hook="'$here/root/kernel' \"\$1\"" \
        --include="$(echo $door $parts $compilers | tr ' ' ,)" \
        trixie "$root" "deb $archive trixie main" "deb $archive trixie-backports main"
    version=$(ls "$root/usr/lib/modules" | tail -n 1)
    # It warns of lists of built-in modules, which the packages unpacked here do not bring; nothing here needs them.
    chroot "$root" depmod "$version" 2>/dev/null
}

# The host's pip fetches, because index, proxy and certificates are configured there; it is told the root's Python.
fetch() {
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$out/wheels" "$@" 2>"$out/pip.log" ||
        { cat "$out/pip.log" >&2; exit 1; }
}

python_parts() {
    target="--only-binary=:all: --python-version 3.13 --implementation cp --abi cp313 --abi abi3 --abi none"
    target="$target --platform manylinux_2_34_x86_64 --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64"
    target="$target --platform manylinux2014_x86_64 --platform any"
    fetch $target gpiozero colorzero picamera2 videodev2 simplejpeg OpenEXR pyrage pytest-randomly
    # What has no wheel for Python 3.13, or none at all.
    fetch --no-binary=:all: lgpio==0.2.2.0 pidng
    fetch bech32
    mkdir "$root/wheels"
    cp "$out"/wheels/* "$root/wheels/"
    chroot "$root" env -i PATH=/usr/bin:/bin PYPI=1 sh -ec '
        pip install --quiet --root-user-action ignore --break-system-packages --no-warn-script-location \
            --no-index --no-deps --no-build-isolation /wheels/*' >"$out/pip.log" 2>&1 || { cat "$out/pip.log" >&2; exit 1; }
    rm -rf "$root/wheels"
    cp "$here/root/pykms.py" "$root/usr/local/lib/python3.13/dist-packages/"
    # Everything that imports picamera2 here gets the class with the bridges to the virtual camera, and takes the
    # machine for a Pi 5, the one without a hardware encoder: H.264 comes from libx264.
    packages=$root/usr/local/lib/python3.13/dist-packages
    cp "$here/root/virtual_camera.py" "$packages/"
    printf '\nfrom virtual_camera import bridged\n\nPicamera2 = bridged(Picamera2)\n' >>"$packages/picamera2/__init__.py"
    printf '\n_platform = Platform.PISP\n' >>"$packages/picamera2/platform.py"
    chroot "$root" env -i PATH=/usr/bin:/bin python3 -c 'import gpiozero, lgpio, picamera2'
    rm -f "$root"/.lgd-nfy*
}

# The package depends on these three by Debian's names: empty packages answer for what is in /usr/local.
stand_ins() {
    for name in python3-gpiozero python3-lgpio python3-picamera2; do
        mkdir -p "$out/stand-in/DEBIAN"
        printf 'Package: %s\nVersion: 9:2.0-lab\nArchitecture: all\nMaintainer: lab\nDescription: is in /usr/local\n' \
            $name >"$out/stand-in/DEBIAN/control"
        dpkg-deb --root-owner-group --build "$out/stand-in" "$root/$name.deb" >/dev/null
        chroot "$root" dpkg --install "/$name.deb" >/dev/null
        rm -rf "$out/stand-in" "$root/$name.deb"
    done
}

settle() {
    install -D -m 644 "$here/root/virtual.yaml" "$root/usr/share/libcamera/pipeline/virtual/virtual.yaml"
    mkdir -p "$root/opt/frames" "$root/lab"
    install -m 644 "$here/root/lab.service" "$root/etc/systemd/system/lab.service"
    mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
    ln -s ../lab.service "$root/etc/systemd/system/multi-user.target.wants/lab.service"
    # Nothing wakes up by itself while something is measured.
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
        fstrim.timer getty@.service mosquitto.service serial-getty@ttyS0.service systemd-timesyncd.service; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    echo lab >"$root/etc/hostname"
    touch "$root/etc/.updated" "$root/var/.updated"
    rm -rf "$root/var/lib/apt/lists" "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb
}

# The uncompressed kernel boots through PVH in half the time; the small root before the root needs seven modules.
boot_files() {
    "$python" "$here/root/vmlinux.py" "$root/boot/vmlinuz-$version" "$out/vmlinux"
    modprobe --dirname "$root" --set-version "$version" --all --show-depends virtio_blk ext4 9p 9pnet_virtio |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$out/modules"
    number=10
    while read -r module; do
        copy=$out/early/modules/$number-$(basename "$module" .xz)
        case $module in *.xz) xz --decompress --stdout "$module" >"$copy" ;; *) cp "$module" "$copy" ;; esac
        number=$((number + 1))
    done <"$out/modules"
    cp "$busybox" "$out/early/bin/busybox"
    install -m 755 "$here/root/init" "$out/early/init"
    mkdir "$out/early/proc" "$out/early/sys" "$out/early/dev" "$out/early/root"
    (cd "$out/early" && find . | cpio --quiet --create --format=newc | gzip -1 >"$out/initrd.gz")
}

disk() {
    truncate -s 3G "$out/root.img"
    mke2fs -q -t ext4 -L lab -d "$root" "$out/root.img"
}

debian_root
step "Debian trixie, kernel $version"
python_parts
step "gpiozero, lgpio and picamera2"
stand_ins
settle
boot_files
disk
rm -rf "$out/wheels" "$out/early" "$out/pip.log" "$out/modules"
echo "$wanted" >"$out/built"
step "$(du -sm "$root" | cut -f1) MB in $root"
