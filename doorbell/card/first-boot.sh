#!/bin/sh
# Installs the doorbell from the boot volume. cloud-init put it here at the first boot; it is tried again, also after
# a power cut or a day without internet, until all is done. Then it removes itself.
# Written by `doorbell card`; each step may be done twice.
set -eu

root=${DOORBELL_ROOT:-}
boot=$root/boot/firmware
here=$root/usr/local/lib/doorbell
units=$root/etc/systemd/system
kept=$root/var/cache/doorbell-first-boot

say() { echo "doorbell first boot: $*"; }

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# What is there already is not fetched; a package list that is missing or old is fetched once.
install() { apt install --no-install-recommends "$@" || { apt update && apt install --no-install-recommends "$@"; }; }

version_of() { dpkg-query -W -f '${db:Status-Status} ${Version}' doorbell 2>/dev/null || true; }

# For an owner whose only tool is to pull the card; once the program is there, it tells more itself (doorbell-tell).
tell() {
    case $(version_of) in installed\ *) return 0 ;; esac
    if ! cmp -s "$here/$1.txt" "$boot/DOORBELL-READ-ME.txt"; then
        cp "$here/$1.txt" "$boot/DOORBELL-READ-ME.new" && mv "$boot/DOORBELL-READ-ME.new" "$boot/DOORBELL-READ-ME.txt" &&
            sync -f "$boot" || true
    fi
}

give_up() {
    say "$2"
    tell "$1"
    exit 1
}

has_route() { [ -n "$(ip -4 route show default; ip -6 route show default)" ]; }

# Before anything is waited for: a bell. Where the door's own service starts with the system, the pins are its.
if [ -e "$here/first-bell.py" ] && ! systemctl --quiet is-enabled doorbell.service 2>/dev/null; then
    systemctl start --no-block doorbell-first-bell.service || true
fi

# cloud-init sets the network up and the clock; what it runs itself must be over before packages are touched.
command -v cloud-init >/dev/null && timeout 900 cloud-init status --wait >/dev/null 2>&1 || true
# Raspberry Pi OS keeps the radio off until it knows its country, which network-config has said by now.
command -v rfkill >/dev/null && rfkill unblock wifi || true
command -v nmcli >/dev/null && nmcli radio wifi on >/dev/null 2>&1 || true
command -v nm-online >/dev/null && nm-online -q -t 60 || true

dpkg --configure -a </dev/null || true
deb=$(find "$boot/doorbell" -maxdepth 1 -name 'doorbell_*_all.deb' | LC_ALL=C sort | tail -n 1)
if [ -n "$deb" ]; then
    new=$(dpkg-deb -f "$deb" Version) || give_up no-package "${deb##*/} cannot be read: write the card anew"
    if [ "$(version_of)" != "installed $new" ]; then
        say "installing doorbell $new"
        mkdir -p "$kept"
        # The copy is what is checked and what is installed. The manifest goes with the secrets, so it may be gone.
        cp "$deb" "$kept/"
        if [ -e "$boot/doorbell/MANIFEST" ]; then
            (cd "$kept" && sed 's|  doorbell/|  |' "$boot/doorbell/MANIFEST" | grep "  ${deb##*/}\$" | sha256sum --check --status) ||
                give_up no-package "${deb##*/} was damaged on its way: write the card anew"
        fi
        install "$kept/${deb##*/}" || {
            has_route || give_up no-network "there is no network yet"
            give_up no-server "what doorbell $new needs cannot be had now"
        }
    fi
fi
case $(version_of) in installed\ *) ;; *) give_up no-package "no package lies in $boot/doorbell: write the card anew" ;; esac

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
rm -rf "$kept" "$units/doorbell-first-boot.service" "$units/doorbell-first-bell.service"
rm -f "$here/first-boot" "$here/first-bell.py" "$here"/no-*.txt
systemctl daemon-reload
say "done"
# Swap on the card and the watchdog's time are settled while the system starts.
if [ -e "$root/run/doorbell-restart-wanted" ]; then
    systemctl --no-block reboot
fi
