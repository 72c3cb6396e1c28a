#!/bin/sh
# Builds, once, what `make lab-image` fills its card image with: an arm64 root shaped like Raspberry Pi OS Lite (Trixie).
#
#   build.sh [DIRECTORY]     default: build/lab-image beside the Makefile; about 15 minutes, 1.5 GB
#
# Root only (mmdebstrap, chroot). arm64 programs run under qemu-user, which is why it takes so long; the result is kept
# until this recipe changes. Everything comes from the Debian archive that this machine's apt uses.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../../build/lab-image}
began=$(date +%s)
PATH=$PATH:/usr/sbin:/sbin

step() { printf '%4d s  %s\n' $(($(date +%s) - began)) "$*"; }
stop() { echo "build.sh: $*" >&2; exit 1; }

wanted=$(cat "$here/build.sh" "$here"/root/* "$here/../root/kernel" | sha256sum | cut -c1-16)
if [ "$(cat "$out/built" 2>/dev/null)" = "$wanted" ]; then
    echo "the card's root stands in $out"
    exit 0
fi
[ "$(id -u)" = 0 ] || stop "run it as root: it makes a chroot."
for tool in mmdebstrap arch-test modprobe cpio xz mke2fs mkfs.vfat mcopy genimage qemu-system-aarch64 qemu-aarch64-static; do
    command -v $tool >/dev/null || stop "$tool is missing:
    apt-get install mmdebstrap arch-test qemu-user-static binfmt-support qemu-system-arm genimage mtools dosfstools kmod cpio xz-utils e2fsprogs"
done
# In a container nothing has told the kernel yet who runs programs of other processors.
if [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
    [ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    update-binfmts --enable qemu-aarch64 || stop "this kernel runs no programs for arm64: apt-get install qemu-user-static binfmt-support"
fi

mkdir -p "$out"
out=$(cd "$out" && pwd)
root=$out/root
rm -rf "$out/built" "$out/early"
mkdir -p "$out/early/bin" "$out/early/modules"

# What Raspberry Pi OS Lite has, as far as the first boot touches it.
system="systemd-sysv systemd-timesyncd dbus udev kmod iproute2 procps e2fsprogs fdisk sudo ca-certificates cloud-init
    netplan.io openssh-server rfkill unattended-upgrades init-system-helpers busybox-static"
# What the door's package depends on, for the machine is offline; three of them are stand-ins, below.
door="python3 python3-attr python3-av python3-cattr python3-click python3-mnemonic python3-nacl python3-numpy
    python3-paho-mqtt python3-sdnotify python3-zxing-cpp"

debian_root() {
    archive=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
    [ -n "$archive" ] || stop "apt knows no Debian archive: run apt-get update first."
    mmdebstrap --quiet --mode=root --variant=apt --architectures=arm64 \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/lib/udev/hwdb.d/*' \
        --customize-hook="KERNEL=linux-image-arm64 '$here/../root/kernel' \"\$1\"" \
        --include="$(echo $system $door | tr ' ' ,)" \
        trixie "$root" "deb $archive trixie main"
    version=$(ls "$root/usr/lib/modules" | tail -n 1)
    depmod --basedir "$root" "$version" 2>/dev/null
}

# No pins and no camera are in qemu's boards: empty packages stand for what Debian has not, or has too old.
stand_ins() {
    for name in python3-gpiozero python3-lgpio python3-picamera2; do
        mkdir -p "$out/stand-in/DEBIAN"
        printf 'Package: %s\nVersion: 9:2.0-lab\nArchitecture: all\nMaintainer: lab\nDescription: stands in\n' \
            $name >"$out/stand-in/DEBIAN/control"
        dpkg-deb --root-owner-group --build "$out/stand-in" "$root/$name.deb" >/dev/null
        chroot "$root" dpkg --install "/$name.deb" >/dev/null
        rm -rf "$out/stand-in" "$root/$name.deb"
    done
}

settle() {
    mkdir -p "$root/boot/firmware"
    install -m 644 "$here/root/fstab" "$root/etc/fstab"
    install -D -m 644 "$here/root/cloud.cfg" "$root/etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg"
    install -m 755 "$here/root/lab-report" "$root/usr/local/sbin/lab-report"
    install -m 644 "$here/root/lab-report.service" "$root/etc/systemd/system/lab-report.service"
    ln -sf ../lab-report.service "$root/etc/systemd/system/multi-user.target.wants/lab-report.service"
    for group in gpio i2c spi; do chroot "$root" groupadd --force --system $group; done
    # Raspberry Pi OS has a key made at the first boot, as cloud-init does; none is in an image.
    rm -f "$root"/etc/ssh/ssh_host_*
    # Nothing wakes up by itself while it is measured, and qemu's boards have one console.
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
        fstrim.timer getty@.service serial-getty@.service systemd-firstboot.service \
        systemd-networkd-wait-online.service; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    ln -sf /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/"
    echo raspberrypi >"$root/etc/hostname"
    : >"$root/etc/machine-id"
    touch "$root/etc/.updated" "$root/var/.updated"
    rm -rf "$root/var/lib/apt/lists" "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb
}

# On a Pi the firmware loads the kernel; here qemu does, with a small root before the root that has the card's drivers.
boot_files() {
    cp "$root/boot/vmlinuz-$version" "$out/vmlinuz"
    cp "$root/usr/lib/linux-image-$version/broadcom/bcm2837-rpi-3-b.dtb" "$out/pi.dtb"
    modprobe --dirname "$root" --set-version "$version" --all --ignore-install --show-depends \
        virtio_pci virtio_blk virtio_net virtio_rng ext4 vfat nls_cp437 nls_ascii bcm2835 sdhci_iproc mmc_block \
        i2c_bcm2835 raspberrypi_cpufreq 2>/dev/null |
        awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$out/modules"
    number=100
    while read -r module; do
        copy=$out/early/modules/$number-$(basename "$module" .xz)
        case $module in *.xz) xz --decompress --stdout "$module" >"$copy" ;; *) cp "$module" "$copy" ;; esac
        number=$((number + 1))
    done <"$out/modules"
    cp "$root/bin/busybox" "$out/early/bin/busybox"
    install -m 755 "$here/root/init" "$out/early/init"
    mkdir "$out/early/proc" "$out/early/sys" "$out/early/dev" "$out/early/root"
    (cd "$out/early" && find . | cpio --quiet --create --format=newc | gzip -9 >"$out/initrd.gz")
}

# The long part is done again only when its own lines change; what follows may be done twice to the same root.
packages=$(sed -n '/^system=/,/^}/p' "$here/build.sh" | cat - "$here/../root/kernel" | sha256sum | cut -c1-16)
if [ "$(cat "$out/packages" 2>/dev/null)" != "$packages" ]; then
    rm -rf "$root" "$out/packages"
    debian_root
    stand_ins
    echo "$packages" >"$out/packages"
fi
version=$(ls "$root/usr/lib/modules" | tail -n 1)
step "Debian trixie for arm64, kernel $version"
settle
boot_files
rm -rf "$out/early" "$out/modules"
echo "$wanted" >"$out/built"
step "$(du -sm "$root" | cut -f1) MB in $root"
