"""Every error a user can meet, one small tree.

Each message is a sentence: what is wrong, where, and what to do. Must not import anything of the project.
"""


class T2CError(Exception):
    """Base of all errors whose text is meant for the user."""


class UsageError(T2CError):
    """The request itself cannot be carried out as given (command line: exit code 2)."""


class EmptyPhraseError(UsageError):
    """The phrase is empty or only white space."""


class PaletteError(UsageError):
    """A palette has the wrong number of colours, an unreadable colour, or a malformed file."""


class DeviceError(UsageError):
    """The device asked for does not exist on this machine."""


class PictureError(T2CError):
    """A picture cannot be read: missing, empty, truncated, not a picture, or too large."""


class OutputError(T2CError):
    """A result cannot be written: folder not writable, disk full, or the file exists and may not be replaced."""


class ExistsError(OutputError):
    """A file exists and may not be replaced."""


class ModelError(T2CError):
    """A model is unknown, or its weights are missing, damaged or tampered with."""
