"""Texts between GIMP 2.10, which speaks bytes, and everything else. Must not import gimp."""

try:
    from typing import Any, Text
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass


def to_text(value):
    # type: (Any) -> Text
    """A text from GIMP, an error or anything else; bytes are UTF-8."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    try:
        return value if isinstance(value, type(u"")) else u"{}".format(value)
    except UnicodeDecodeError:  # an exception that holds bytes, on Python 2.7
        return bytes(value).decode("utf-8", "replace")


def native(text):
    # type: (Text) -> str
    """A text as GIMP takes it: the interpreter's `str`, UTF-8 on Python 2.7."""
    return text if isinstance(text, str) else text.encode("utf-8")
