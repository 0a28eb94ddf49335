#!/usr/bin/env bash
# Makes a folder with Debian 12, the real GIMP 2.10 and its Python, to run the tests of the plug-in for GIMP 2.10 in.
# Usage: sudo bash tests/gimp210/make_root.sh [PYTHON27]      (default: the python2.7 of pyenv or of the PATH)
# Debian's GIMP comes without Python-Fu: its modules are compiled here, from Debian's source package, for PYTHON27.
# Needs root, debootstrap, pip and a CPython 2.7 with its headers. About 1.6 GB and five minutes. A finished folder is left alone.
set -euo pipefail

DEST="${T2C_GIMP210_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/text2colors/gimp-2.10}"
PYTHON="${1:-$(ls -d "$HOME"/.pyenv/versions/2.7*/bin/python2.7 2>/dev/null | tail -1 || true)}"
PYTHON="${PYTHON:-$(command -v python2.7 || true)}"
[ -e "$DEST/.ready" ] && { echo "ready: $DEST"; exit 0; }
[ -n "$PYTHON" ] || { echo "A CPython 2.7 is needed; name it: make_root.sh /path/to/python2.7" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "Run this as root." >&2; exit 1; }
PREFIX="$("$PYTHON" -c 'import sys; print(sys.prefix)')"
inside() { chroot "$DEST" env -i PATH=/usr/bin:/bin:/usr/sbin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

rm -rf --one-file-system "$DEST"
mkdir -p "$DEST"
debootstrap --variant=minbase bookworm "$DEST" >/dev/null
printf '#!/bin/sh\nexit 101\n' >"$DEST/usr/sbin/policy-rc.d"
chmod +x "$DEST/usr/sbin/policy-rc.d"
printf 'path-exclude=/usr/share/%s/*\n' man doc locale >"$DEST/etc/dpkg/dpkg.cfg.d/slim"
sed 's/^deb /deb-src /' "$DEST/etc/apt/sources.list" >"$DEST/etc/apt/sources.list.d/source.list"
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends gimp libgimp2.0-dev gcc libc6-dev make pkg-config bzip2 xz-utils \
    libgirepository1.0-dev libcairo2-dev libffi-dev dbus-x11 dpkg-dev libreadline8 libsqlite3-0 >/dev/null

mkdir -p "$DEST$PREFIX" "$DEST/build" "$DEST/share/profile"
cp -a "$PREFIX/." "$DEST$PREFIX/"
# their builds must be asked for their names, which takes a setuptools of their time
python3 -m venv "$DEST/build/venv"
"$DEST/build/venv/bin/python" -m pip install --quiet "setuptools<70" wheel
"$DEST/build/venv/bin/python" -m pip download --quiet --no-deps --no-binary :all: --no-build-isolation \
    --dest "$DEST/build" pycairo==1.18.2 PyGObject==3.36.1
inside sh -c 'cd /build && apt-get source -qq --download-only gimp && tar xf gimp_*.orig.tar.bz2 && mv gimp-*/plug-ins/pygimp .'

cat >"$DEST/build/compile.sh" <<EOF
set -e
export CFLAGS=-O1
PY=$PREFIX/bin/python2.7
cd /build
for one in pycairo-1.18.2 PyGObject-3.36.1; do
    tar xzf \$one.tar.gz
    export PKG_CONFIG_PATH="\$(find $PREFIX -name '*cairo.pc' -printf '%h\n' | head -1)"
    (cd \$one && \$PY setup.py --quiet install)
done
cd pygimp
mkdir -p /opt/pygimp
FLAGS="-O1 -w -fPIC -shared -I$PREFIX/include/python2.7 \$(find $PREFIX -name pygobject.h -printf '-I%h ') -I."
module() {
    name=\$1; shift
    gcc \$FLAGS \$(pkg-config --cflags gimp-2.0 gimpui-2.0) '-DGETTEXT_PACKAGE="gimp20"' \
        '-Dinit_pygobject()=do{if(!pygobject_init(-1,-1,-1))return;}while(0)' \
        "\$@" -o /opt/pygimp/\$name.so \$(pkg-config --libs gimpui-2.0 gimp-2.0)
}
module gimpcolor gimpcolormodule.c pygimp-colors.c
module _gimpenums gimpenumsmodule.c
module gimp gimpmodule.c \$(ls pygimp-*.c | grep -v colors)
cp gimpfu.py gimpenums.py gimpshelf.py gimpplugin.py /opt/pygimp/
printf 'def require(v): pass\n' >/opt/pygimp/pygtk.py
mkdir -p /usr/lib/gimp/2.0/interpreters /usr/lib/gimp/2.0/environ
printf 'python=%s\n/usr/bin/python=%s\n:Python:E::py::%s:\n' \$PY \$PY \$PY >/usr/lib/gimp/2.0/interpreters/pygimp.interp
printf 'PYTHONPATH=/opt/pygimp\n' >/usr/lib/gimp/2.0/environ/pygimp.env
EOF
inside bash /build/compile.sh
rm -rf "$DEST/build" "$DEST/var/cache/apt/archives" "$DEST/var/lib/apt/lists"
touch "$DEST/.ready"
echo "ready: $DEST"
