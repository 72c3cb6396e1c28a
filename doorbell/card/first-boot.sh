#!/bin/sh
# Installs the doorbell from the boot volume. cloud-init put it here at the first boot; it is tried again, also after
# a power cut or a day without internet, until all is done. Then it removes itself.
# Written by `doorbell card`; each step may be done twice.
set -eu

root=${DOORBELL_ROOT:-}
boot=$root/boot/firmware
kept=$root/var/cache/doorbell-first-boot

say() { echo "doorbell first boot: $*"; }

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# What is there already is not fetched; a package list that is missing or old is fetched once.
install() { apt install --no-install-recommends "$@" || { apt update && apt install --no-install-recommends "$@"; }; }

version_of() { dpkg-query -W -f '${db:Status-Status} ${Version}' doorbell 2>/dev/null || true; }

# cloud-init sets the network up and the clock; what it runs itself must be over before packages are touched.
command -v cloud-init >/dev/null && timeout 900 cloud-init status --wait >/dev/null 2>&1 || true
# Raspberry Pi OS keeps the radio off until it knows its country, which network-config has said by now.
command -v rfkill >/dev/null && rfkill unblock wifi || true
command -v nmcli >/dev/null && nmcli radio wifi on >/dev/null 2>&1 || true

dpkg --configure -a </dev/null || true
deb=$(find "$boot/doorbell" -maxdepth 1 -name 'doorbell_*_all.deb' | LC_ALL=C sort | tail -n 1)
if [ -n "$deb" ]; then
    new=$(dpkg-deb -f "$deb" Version)
    if [ "$(version_of)" != "installed $new" ]; then
        say "installing doorbell $new"
        mkdir -p "$kept"
        # The copy is what is checked and what is installed. The manifest goes with the secrets, so it may be gone.
        cp "$deb" "$kept/"
        if [ -e "$boot/doorbell/MANIFEST" ]; then
            (cd "$kept" && sed 's|  doorbell/|  |' "$boot/doorbell/MANIFEST" | grep "  ${deb##*/}\$" | sha256sum --check --status) || {
                say "${deb##*/} was damaged on its way: write the card anew"
                exit 1
            }
        fi
        install "$kept/${deb##*/}"
    fi
fi
case $(version_of) in installed\ *) ;; *) say "no package lies in $boot/doorbell: write the card anew"; exit 1 ;; esac

# The settings come first, the bell with them; the rest makes it last.
systemctl restart doorbell-adopt.service || true
doorbell boot harden --ssh=@SSH@ --updates=@UPDATES@
if [ @UPDATES@ = yes ]; then
    install unattended-upgrades
fi
systemctl daemon-reload
systemctl enable --now doorbell-adopt.service doorbell-tell.timer doorbell-wifi.timer
systemctl restart doorbell.service
doorbell boot scrub

systemctl disable doorbell-first-boot.service
rm -rf "$kept" "$root/etc/systemd/system/doorbell-first-boot.service" "$root/usr/local/lib/doorbell/first-boot"
systemctl daemon-reload
say "done"
# Swap on the card and the watchdog's time are settled while the system starts.
if [ -e "$root/run/doorbell-restart-wanted" ]; then
    systemctl --no-block reboot
fi
