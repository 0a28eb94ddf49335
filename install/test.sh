#!/usr/bin/env bash
# Sets everything up in .venv and runs all tests: ruff, pyright, pytest.
# Usage: bash install/test.sh [ARGUMENTS OF PYTEST]; without any, all tests but those marked slow; "-m slow" runs these.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# The window tests drive GIMP on a screen of memory; without these programs they are skipped.
ensure_screen() {
    local program missing=()
    for program in Xvfb openbox xdotool; do
        command -v "$program" >/dev/null || missing+=("$(printf %s "$program" | tr XV xv)")
    done
    [ ${#missing[@]} = 0 ] && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing ${missing[*]} for the window tests ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"; } >/dev/null 2>&1 &&
            return
    fi
    echo "The window tests are skipped: ${missing[*]} cannot be installed here."
}

# The study's page is driven in headless Chromium; without one its tests are skipped.
ensure_chromium() {
    local name
    for name in chromium chromium-browser google-chrome-stable google-chrome; do
        command -v "$name" >/dev/null && return
    done
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing chromium for the tests of the study's page ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/dev/null 2>&1 && return
    fi
    echo "The tests of the study's page are skipped: chromium cannot be installed here."
}

# The plug-in for GIMP 2.10 is run by a Python 2.7; where there is none, these tests are skipped and say so.
ensure_jython() {
    command -v jython >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing jython for the tests of the plug-in for GIMP 2.10 ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends jython; } \
            >/dev/null 2>&1 && return
    fi
    echo "The tests of the plug-in for GIMP 2.10 under Jython are skipped: it cannot be installed here."
}

ensure_environment train,test
ensure_screen
ensure_chromium
ensure_jython
cd "$ROOT"
"$VENV/bin/ruff" check .
"$VENV/bin/pyright" --pythonpath "$VENV/bin/python"
[ $# -gt 0 ] || set -- -m "not slow"
exec "$VENV/bin/python" -m pytest "$@"
