#!/usr/bin/env bash
# Installs text2colors for this user, on Linux and macOS: engine, and the plug-in in every GIMP 3 and GIMP 2.10 found.
# Usage: bash install/install.sh [--uninstall] [--plugin-only] [--engine COMMAND] [--torch auto|cpu|cuda]
# The steps are install.py's; this finds a Python for them. macOS: written with care, not tested.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            PYTHON="$candidate"
            return
        fi
    done
    echo "Python 3.11 or later with its venv module is needed." >&2
    if [ "$(uname)" = Darwin ]; then
        echo "Install Python from python.org or by 'brew install python', then run this again." >&2
    else
        echo "On Debian or Ubuntu run 'sudo apt-get install python3-venv', on Fedora 'sudo dnf install python3'," >&2
        echo "then run this again." >&2
    fi
    exit 1
}

if [ "$(id -u)" = 0 ] && [ -n "${SUDO_USER:-}" ]; then
    echo "This installs for one user; run it as $SUDO_USER, without sudo." >&2
    exit 1
fi
find_python
exec "$PYTHON" "$here/install.py" "$@"
