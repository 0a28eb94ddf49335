"""Texts between GIMP 2.10, which speaks bytes, and everything else. Must not import gimp."""

try:
    from typing import Any, Text
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass


def to_text(value):
    # type: (Any) -> Text
    """A text from GIMP, an error or anything else; bytes are UTF-8."""
    try:
        known = value if isinstance(value, (bytes, type(u""))) else str(value)  # type: Any
    except UnicodeError:  # an exception with a text that is not ASCII, on Python 2.7
        known = type(u"")(value)
    return known.decode("utf-8", "replace") if isinstance(known, bytes) else known


def native(text):
    # type: (Text) -> str
    """A text as GIMP takes it: the interpreter's `str`, UTF-8 on Python 2.7."""
    known = text  # type: Any
    return known if isinstance(known, str) else known.encode("utf-8")
