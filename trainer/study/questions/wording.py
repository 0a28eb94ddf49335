"""What observers read, unless the researcher says otherwise. Must not import anything but the design."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from t2c_engine.errors import UsageError
from t2c_engine.files import reason
from trainer.study.design import Wording

MAX_CONSENT = 20_000  # characters

_COMMON = """\
Taking part is voluntary. You can stop at any time, go on later on the same device, or delete your answers.

What is kept: which answers you chose, how long each took in seconds, and a random number that tells sessions apart. \
Your name, address, device and browser are not among it, and nothing is sent anywhere before you send it yourself.

Please look at a screen with its usual colours: no night mode, no colour filter. If you see colours differently from \
most people, as one man in twelve does, tell whoever invited you. The page does not ask and does not store it."""

PALETTE_WORDING = Wording(
    "Which palette fits the text?",
    "You will see short texts, each with a few palettes of five colours. Choose the palette that fits the text best. "
    "There is no wrong choice; your first impression is what counts.\n\n" + _COMMON,
    "Which palette fits this text best?",
)
PICTURE_WORDING = Wording(
    "Which colours are the most natural?",
    "You will see grey photographs, each with a few versions in colour. Choose the version whose colours look the most "
    "natural. There is no wrong choice; your first impression is what counts.\n\n" + _COMMON,
    "Which version in colour looks the most natural?",
)
DATA_WORDING = Wording(
    "Does the palette fit the text?",
    "You will see texts, each with one palette of five colours. Say whether the palette reflects the text. "
    "Pairs that enough judges accept are kept.\n\n" + _COMMON,
    "Does this palette reflect the text?",
)


def with_changes(wording: Wording, title: str | None, consent: Path | None) -> Wording:
    """The same with a title, or a consent text from a file.

    Raises:
        UsageError: the file cannot be read, is empty or too long.
    """
    if title is not None and not title.strip():
        raise UsageError("The title is empty; leave --title out for the usual one.")
    changed = wording if title is None else replace(wording, title=" ".join(title.split()))
    if consent is None:
        return changed
    try:
        text = consent.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The consent text in {consent} cannot be read ({reason(error)}); give a UTF-8 file."
        ) from error
    if not 1 <= len(text) <= MAX_CONSENT:
        raise UsageError(f"The consent text in {consent} has {len(text)} characters; give 1 to {MAX_CONSENT}.")
    return replace(changed, consent=text)
