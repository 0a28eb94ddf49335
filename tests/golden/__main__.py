"""`python -m tests.golden palettes|colors` stores the golden values of now; for new weights only."""

import sys

from tests.golden.record import write_colors, write_palettes

WRITERS = {"palettes": write_palettes, "colors": write_colors}

if __name__ == "__main__":
    for name in sys.argv[1:] or WRITERS:
        WRITERS[name]()
