#!/usr/bin/env bash
# Sets everything up in .venv and runs all tests: ruff, pyright, pytest.
# Usage: bash install/test.sh [ARGUMENTS OF PYTEST]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

ensure_environment train,test
cd "$ROOT"
"$VENV/bin/ruff" check .
"$VENV/bin/pyright" --pythonpath "$VENV/bin/python"
exec "$VENV/bin/python" -m pytest "$@"
