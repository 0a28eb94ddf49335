# Sourced by the scripts of this folder: one virtual environment, .venv, in the checkout.
#
# ensure_environment EXTRAS   make or complete it; quick when nothing has changed. Afterwards $VENV/bin holds
#                             python, t2c and t2c-train. Set PYTHON to choose the Python it is made from (3.11 or later).

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"
TORCH_VERSION=2.13.0

stop() {
    printf '%s\n' "$*" >&2
    exit 1
}

# A Python that is new enough and can make virtual environments, in $PYTHON; installs Debian's when that is possible.
find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            PYTHON="$candidate"
            return
        fi
    done
    if [ -z "${TRIED_APT:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        TRIED_APT=1
        echo "Installing python3-venv ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv; } >/dev/null ||
            stop "apt-get could not install python3-venv; see its message above, then run this again."
        find_python
        return
    fi
    stop "Python 3.11 or later with its venv module is needed; on Debian or Ubuntu, run 'apt-get install python3-venv' as root."
}

# The build of torch for this machine. With an NVIDIA GPU: the plain one. Without: the CPU build where it is offered.
install_torch() {
    local pip=("$VENV/bin/python" -m pip install --quiet)
    "$VENV/bin/python" -c 'import torch' 2>/dev/null && return
    if command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1; then
        echo "An NVIDIA GPU is present: installing torch $TORCH_VERSION with CUDA ..."
    else
        echo "Installing torch $TORCH_VERSION for the CPU ..."
        "${pip[@]}" "torch==$TORCH_VERSION+cpu" 2>/dev/null && return
        echo "The package index in use offers no CPU-only torch; the build it has may bring several GB of CUDA libraries"
        echo "that will not be used. To avoid that, stop here and point PIP_EXTRA_INDEX_URL at an index of CPU builds."
    fi
    "${pip[@]}" "torch==$TORCH_VERSION" || stop "torch $TORCH_VERSION could not be installed; see pip's message above."
}

ensure_environment() {
    local extras="$1" stamp
    stamp="$VENV/.complete-$(printf '%s %s' "$extras" "$ROOT" | cat - "$ROOT/setup.py" | cksum | tr ' ' '-')"
    if [ -e "$stamp" ] && "$VENV/bin/python" -c '' 2>/dev/null; then
        return
    fi
    [ -w "$ROOT" ] || stop "The folder $ROOT is not writable for you, so .venv cannot be made there; copy the checkout elsewhere."
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        find_python
        echo "Making the virtual environment $VENV ..."
        "$PYTHON" -m venv --clear "$VENV" || stop "The virtual environment $VENV could not be made; see the message above."
    fi
    install_torch
    echo "Installing text2colors [$extras] ..."
    "$VENV/bin/python" -m pip install --quiet --editable "$ROOT[$extras]" ||
        stop "text2colors could not be installed; see pip's message above, then run this again."
    : >"$stamp"
}
