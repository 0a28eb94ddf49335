"""What can go wrong between the plug-in and the engine, in words: one exception, with a hint of what to do.

Standard library only; must not import gi.
"""

from __future__ import annotations

from t2c_plugin.shared.hints import find_hint

__all__ = ["EngineCancelled", "EngineError", "EngineTimeout", "find_hint"]


class EngineError(Exception):
    """The engine could not do what was asked.

    Attributes:
        message: one sentence for the user.
        hint: what to do about it; may be empty.
        details: the engine's last words on stderr, for a log or an expander; may be empty.
        code: the engine's error code (`ErrorCode` of the protocol), or None when the engine did not answer.
    """

    def __init__(self, message: str, hint: str | None = None, details: str = "", code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.code = code
        self.hint = find_hint(message, details) if hint is None else hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class EngineCancelled(EngineError):
    """The job was stopped because the user asked for it."""


class EngineTimeout(EngineError):
    """The engine did not answer in time."""
