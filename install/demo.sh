#!/usr/bin/env bash
# Sets everything up in .venv and colours a real photograph from a phrase; then says where the pictures are.
# Usage: bash install/demo.sh [PHRASE]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

PHRASE="${1:-autumn breeze and falling leaves}"
OUT="$ROOT/out/demo"

ensure_environment demo
PHOTO="$("$VENV/bin/python" - <<'PYTHON'
from pathlib import Path

import skimage

print(Path(skimage.__file__).parent / "data" / "astronaut.png")
PYTHON
)"
mkdir -p "$OUT"
cp "$PHOTO" "$OUT/photo.png"

"$VENV/bin/t2c" palette "$PHRASE" -n 5 --seed 7
"$VENV/bin/t2c" colorize "$OUT/photo.png" --phrase "$PHRASE" -n 5 --seed 7 -o "$OUT" --overwrite
printf '\nThe photograph in the colours of "%s":\n' "$PHRASE"
printf '  %s\n' "$OUT"/photo-[1-9].png "$OUT/photo-sheet.png"
