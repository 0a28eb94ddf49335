"""Limits, names and waiting times of both plug-ins. Runs on Python 2.7 and 3; must not import anything."""

PARASITE = "text2colors"  # name under which GIMP keeps how a layer was made
MODES = ("colour", "normal")
DEVICES = ("auto", "cpu", "cuda", "mps")
MAX_COUNT = 20
MAX_SEED = 2**31 - 1
MAX_STRENGTH = 2.0
MAX_COLOURS = 1024  # of one palette; the engine makes five of any number

HELLO_TIMEOUT = 40.0  # seconds for the engine to say hello; a cold disk or ssh may take long
QUICK_TIMEOUT = 30.0  # seconds for answers that need no picture
JOB_TIMEOUT = 120.0  # seconds without news of a job; the first may wait for torch to load

RING_LINES = 200  # lines of the engine's stderr kept
LOG_LIMIT = 1 << 20  # bytes; a longer log is begun anew

HINT_SIDE = 512  # px, the longest side of the dabs sent: the network sees less
FAINT = 6  # opacity of 255 below which the engine sees no dab
TITLE_LENGTH = 60  # characters of a phrase in a layer's name
