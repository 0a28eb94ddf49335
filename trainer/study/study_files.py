"""A study's key: the JSON file that says which method made which answer. It stays with the researcher.

The page (`trainer.study.page.builder`) knows nothing of methods; results are read together with the key. The key holds
no pictures. Must not import torch or the engine's models.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from t2c_engine.errors import UsageError
from t2c_engine.files import reason
from trainer.study.design import Answer, Form, Kind, Question, Role, Slot, Study, StudyPlan, Wording, draw_forms

FORMAT, VERSION = "text2colors-study", 1
KEY_NAME = "study.json"
MAX_KEY_BYTES = 64 << 20


def make_study(
    kind: Kind,
    wording: Wording,
    questions: Sequence[Question],
    forms: Sequence[Form],
    post: str = "",
    sources: dict[str, str] | None = None,
) -> Study:
    """A study with the id that follows from its content; questions for practice are found by their role.

    Raises:
        UsageError: the URL to post to is none of http or https.
    """
    if post and not post.startswith(("https://", "http://")):
        raise UsageError(f"Results cannot be sent to '{post[:80]}'; give a URL that begins with https://.")
    practice = tuple(index for index, one in enumerate(questions) if one.role is Role.PRACTICE)
    study = Study("", kind, wording, tuple(questions), practice, tuple(forms), post, dict(sources or {}))
    content = json.dumps(asdict(study), sort_keys=True).encode("utf-8", "surrogatepass")
    return replace(study, id=sha256(content).hexdigest()[:16])


def planned_study(kind: Kind, plan: StudyPlan, questions: Sequence[Question], sources: dict[str, str]) -> Study:
    """A study whose forms are drawn as planned. Errors as `make_study` and `draw_forms`."""
    return make_study(kind, plan.wording, questions, draw_forms(questions, plan.forms), plan.post, sources)


def study_json(study: Study) -> bytes:
    """The key as JSON, without the pictures."""
    values = asdict(study)
    for question in values["questions"]:
        question["picture"] = ""
        for answer in question["answers"]:
            answer["picture"] = ""
    text = json.dumps({"format": FORMAT, "version": VERSION} | values, ensure_ascii=False, indent=1)
    return (text + "\n").encode("utf-8", "replace")


def read_study(path: Path) -> Study:
    """A study's key as `study_json` wrote it.

    Raises:
        UsageError: the file cannot be read, or is no key of a study.
    """
    try:
        if path.stat().st_size > MAX_KEY_BYTES:
            raise ValueError(f"it is larger than {MAX_KEY_BYTES >> 20} MB")
        values = json.loads(path.read_text("utf-8"))
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError("it does not say that it is one")
        if values.get("version") != VERSION:
            raise ValueError(f"its version {values.get('version')} is not {VERSION}")
        return _study(values)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} is no key of a study ({reason(error)}); give the {KEY_NAME} written with the page."
        ) from error


def _study(values: dict[str, Any]) -> Study:
    questions = tuple(_question(one) for one in values["questions"])
    forms = tuple(
        tuple(Slot(int(s["question"]), tuple(map(int, s["order"]))) for s in form) for form in values["forms"]
    )
    for form in forms:
        for slot in form:
            if slot.question < 0 or sorted(slot.order) != list(range(len(questions[slot.question].answers))):
                raise ValueError("a form does not fit its questions")
    return Study(
        str(values["id"]),
        Kind(values["kind"]),
        Wording(**values["wording"]),
        questions,
        tuple(values["practice"]),
        forms,
        str(values["post"]),
        {str(name): str(source) for name, source in values["sources"].items()},
    )


def _question(values: dict[str, Any]) -> Question:
    answers = tuple(Answer(**one | {"palette": tuple(one["palette"])}) for one in values["answers"])
    changed = {"answers": answers, "role": Role(values["role"]), "palette": tuple(values["palette"])}
    return Question(**values | changed)


def result_files(given: Sequence[Path]) -> list[Path]:
    """The files named, and of folders all .json and .jsonl files but a key.

    Raises:
        UsageError: something is not there, or a folder holds none.
    """
    found: list[Path] = []
    for path in given:
        inside = [path]
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix in (".json", ".jsonl") and one.name != KEY_NAME)
        if not inside or not path.exists():
            raise UsageError(f"No results are in {path}; give the files that observers sent, or their folder.")
        found += inside
    return found


def find_key(results: Sequence[Path]) -> Path:
    """The key beside the results, or in the folder above them.

    Raises:
        UsageError: none is there.
    """
    for path in results:
        for folder in (path.parent, path.parent.parent):
            if (folder / KEY_NAME).is_file():
                return folder / KEY_NAME
    raise UsageError(f"No {KEY_NAME} lies beside the results or in the folder above; name it with --study.")
