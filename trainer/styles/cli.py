"""What `t2c-train style` shows: progress, the verdict, and where the report is. Must not import networks."""

from __future__ import annotations

import json

from t2c_engine.cli.terminal import output, progress
from trainer.styles.teach import StyleRequest, check_folder, load_base, teach_style

_PARTS = 100  # of the progress bar


def check_style(request: StyleRequest) -> None:
    """Check the examples; the sentences go to the log."""
    check_folder(request, load_base())
    output().print(f"{request.out / 'check.html'}", markup=False)


def run_style(request: StyleRequest, as_json: bool) -> None:
    """Teach a style and say what became of it."""
    with progress(_PARTS, shown=not as_json) as bar:
        shown = 0

        def advance(done: float, text: str) -> None:
            nonlocal shown
            now = int(done * _PARTS)
            if as_json and (now != shown or done == 0):
                output().print(json.dumps({"progress": round(done, 3), "text": text}), markup=False)
            bar(text, now - shown)
            shown = now

        result = teach_style(request, advance)
    if as_json:
        values = {"verdict": result.verdict.sentence, "kept": result.verdict.kept, "report": str(result.report)}
        values |= {"check": str(result.check), "seconds": round(result.seconds, 1)}
        values["style"] = result.card.as_json() if result.card else None
        output().print(json.dumps(values, ensure_ascii=False), markup=False)
        return
    output().print(result.verdict.sentence, markup=False)
    if result.card is not None:
        size = f"{result.card.size / 1e3:.0f} KB"
        output().print(f"Installed the style '{request.name}', {size}, after {result.seconds:.0f} s.", markup=False)
        output().print(f"Use it: t2c palette 'old harbour' --style {request.name}", markup=False)
    output().print(f"The report: {result.report}", markup=False)
