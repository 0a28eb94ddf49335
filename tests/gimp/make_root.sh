#!/bin/bash
# make_root.sh [SUITE [DEST]]: a folder holding Debian with the real GIMP 3, for the tests marked `gimp`.
#
# SUITE is Debian's: forky (GIMP 3.2, the default) or trixie (GIMP 3.0.4). Needs root and debootstrap, which is
# installed where apt-get can. 2-4 minutes, up to 1 GB, no mounts. A finished DEST is left alone; an unfinished one is
# made again. Default DEST: text2colors/gimp3-SUITE in the user's cache folder.
set -euo pipefail

suite=${1:-forky}
dest=${2:-${XDG_CACHE_HOME:-$HOME/.cache}/text2colors/gimp3-$suite}
marker="$dest/.text2colors-gimp-ready"
log="$dest.log"

if [ -e "$marker" ]; then
    echo "ready: $dest"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "make_root.sh: only root can make a root folder; run it with sudo." >&2
    exit 1
fi
if ! command -v debootstrap >/dev/null && command -v apt-get >/dev/null; then
    { apt-get update -qq && apt-get install -y -qq debootstrap; } >/dev/null 2>&1 || true
fi
if ! command -v debootstrap >/dev/null; then
    echo "make_root.sh: debootstrap is missing; install it with: apt-get install debootstrap" >&2
    exit 1
fi

# an unfinished folder is removed, and nothing else: whatever does not look like one is left alone
if [ -e "$dest" ] && [ -n "$(ls -A "$dest")" ] && [ ! -d "$dest/debootstrap" ] && [ ! -d "$dest/etc/dpkg" ]; then
    echo "make_root.sh: $dest exists and is not an unfinished root folder; name another one." >&2
    exit 1
fi
rm -rf --one-file-system "$dest"
mkdir -p "$(dirname "$dest")"
trap 'echo "make_root.sh: failed; the end of $log says why:" >&2; tail -5 "$log" >&2' ERR

# debootstrap of an older Debian knows no script for a newer one; all of them are links to sid's
script=/usr/share/debootstrap/scripts/$suite
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
debootstrap --variant=minbase "$suite" "$dest" "" "$script" >"$log" 2>&1
# a testing suite's Release file may have expired on a mirror
echo 'Acquire::Check-Valid-Until "false";' >"$dest/etc/apt/apt.conf.d/99valid"
printf '#!/bin/sh\nexit 101\n' >"$dest/usr/sbin/policy-rc.d" # start no service in the folder
chmod +x "$dest/usr/sbin/policy-rc.d"
printf 'path-exclude=/usr/share/%s/*\n' man doc locale >"$dest/etc/dpkg/dpkg.cfg.d/slim"

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
chroot "$dest" apt-get update -qq >>"$log" 2>&1
chroot "$dest" apt-get install -y -qq --no-install-recommends \
    gimp gir1.2-gimp-3.0 python3-gi python3-gi-cairo dbus-x11 fonts-dejavu-core adwaita-icon-theme >>"$log" 2>&1
chroot "$dest" apt-get clean
rm -rf "$dest"/var/lib/apt/lists/*
touch "$marker"
echo "made: $dest ($(du -sm "$dest" | cut -f1) MB)"
