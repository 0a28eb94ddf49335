"""Limits, names and waiting times of both plug-ins. Runs on Python 2.7 and 3; must not import anything."""

PARASITE = "text2colors"  # name under which GIMP keeps how a layer was made
ORIGINAL = "text2colors-original"  # the same, with a group: the tattoo of the layer that it was made for
MAX_COUNT = 20  # rows that can be looked at; the engine would draw more
MAX_SEED = 2**31 - 1
MAX_COLORS = 1024  # of one palette; the engine makes five of any number
NATURAL = "natural"  # in place of colors: those that the network finds without a palette

# the engine's own, which GIMP 3's plug-in takes from the protocol; a test holds them together
MODES = ("colour", "normal")
DEVICES = ("auto", "cpu", "cuda", "mps")
MAX_STRENGTH = 2.0
HINT_REACH = 0.25  # where none is said
NATURAL_SHARE = 0.2  # the same

HELLO_TIMEOUT = 40.0  # seconds for the engine to say hello; a cold disk or ssh may take long
QUICK_TIMEOUT = 30.0  # seconds for answers that need no picture
JOB_TIMEOUT = 120.0  # seconds without news of a job; the first may wait for torch to load

RING_LINES = 200  # lines of the engine's stderr kept
LOG_LIMIT = 1 << 20  # bytes; a longer log is begun anew

HINT_SIDE = 512  # px, the longest side of the color hints sent: more is not seen, and a large layer is 100 MB
FAINT = 6  # opacity of 255 below which the engine sees no hint
TITLE_LENGTH = 60  # characters of a phrase in a layer's name
