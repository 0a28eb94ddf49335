"""The page that observers open: one HTML file with everything in it, which may reach no network but the URL to post to.

The page is told ids, not methods. Its own policy (Content-Security-Policy) forbids all other code and connections. Must
not import torch.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib.resources import files
from string import Template
from typing import Any
from urllib.parse import urlsplit

from t2c_engine.errors import UsageError
from trainer.study.design import Question, Study

MAX_PAGE_BYTES = 100 << 20
_FOLDER = files("trainer.study.page")


def page_html(study: Study) -> bytes:
    """The page of a study, UTF-8.

    Raises:
        UsageError: it would be too large for a browser, or results cannot be posted to the study's URL.
    """
    style, script = (_FOLDER.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    data = json.dumps(page_data(study), ensure_ascii=False, separators=(",", ":"))
    page = Template(_FOLDER.joinpath("page.html").read_text("utf-8")).substitute(
        policy=html.escape(_policy(style, script, study.post)),
        title=html.escape(study.wording.title),
        style=style,
        script=script,
        data=data.replace("<", "\\u003c"),
    )
    content = page.encode("utf-8", "replace")
    if len(content) > MAX_PAGE_BYTES:
        raise UsageError(
            f"The page would have {len(content) >> 20} MB, more than the {MAX_PAGE_BYTES >> 20} MB that browsers take; "
            "ask about fewer or smaller pictures."
        )
    return content


def page_data(study: Study) -> dict[str, Any]:
    """What the page knows of a study: no method, no role but practice."""
    return {
        "id": study.id,
        "kind": study.kind.value,
        "title": study.wording.title,
        "consent": [part.strip() for part in study.wording.consent.split("\n\n") if part.strip()],
        "question": study.wording.question,
        "post": study.post,
        "practice": study.practice,
        "questions": [_shown(question) for question in study.questions],
        "forms": [[[slot.question, slot.order] for slot in form] for form in study.forms],
    }


def _shown(question: Question) -> dict[str, Any]:
    answers = [
        {
            "id": answer.id,
            "palette": answer.palette,
            "picture": answer.picture,
            "label": answer.label,
            "description": answer.description,
        }
        for answer in question.answers
    ]
    return {
        "id": question.id,
        "text": question.text,
        "palette": question.palette,
        "picture": question.picture,
        "description": question.description,
        "answers": answers,
    }


def _policy(style: str, script: str, post: str) -> str:
    connect = "'none'"
    if post:
        parts = urlsplit(post)
        connect = f"{parts.scheme}://{parts.netloc}"
        if not parts.hostname or not all(letter.isalnum() or letter in "-.:[]/" for letter in connect):
            raise UsageError(
                f"Results cannot be sent to '{post[:80]}'; give a URL such as https://example.org/answers."
            )
    return "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src {_digest(style)}",
            f"script-src {_digest(script)}",
            f"connect-src {connect}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
