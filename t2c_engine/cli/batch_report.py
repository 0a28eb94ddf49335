"""What a run of `t2c batch` says while it goes on: words and a bar, one JSON object a picture, or JSON events.

Events are for programs: "start", then "picture" for each that is finished, then "end"; "error" says what ends a run
early. Must not import torch or Pillow at module level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from t2c_engine.cli.colorize import Summary, counted
from t2c_engine.cli.common import print_error, print_json
from t2c_engine.cli.terminal import output, progress
from t2c_engine.errors import T2CError
from t2c_engine.files import location

if TYPE_CHECKING:
    from t2c_engine.albums.journal import Journal
    from t2c_engine.batch.request import PictureResult

Tell = Callable[["PictureResult"], None]  # called with each picture that is finished, or failed


class Style(StrEnum):
    """WORDS: for people. RESULTS: every result as JSON. EVENTS: JSON events on standard output, one a line."""

    WORDS = "words"
    RESULTS = "results"
    EVENTS = "events"


class ProgressKind(StrEnum):
    """What `--progress` takes."""

    BAR = "bar"
    JSON = "json"


def reporting(style: Style, journal: Journal, folder: Path) -> AbstractContextManager[Tell]:
    """Say what becomes of the pictures that wait in a journal. Leave it when the workers have stopped."""
    return _events(journal, folder) if style is Style.EVENTS else _words(journal, style is Style.RESULTS)


@contextmanager
def error_events(style: Style) -> Iterator[None]:
    """Say an error that ends a run as an event, too: {"event": "error", "error": sentence}."""
    try:
        yield
    except T2CError as error:
        if style is Style.EVENTS:
            print_json({"event": "error", "error": str(error)})
        raise


@contextmanager
def _events(journal: Journal, folder: Path) -> Iterator[Tell]:
    """The counts of "end" are the journal's: with what was finished while the run was stopping."""
    before = journal.counts()
    start = {"output": location(folder), "pictures": before["waiting"], "done": before["done"]}
    print_json({"event": "start", **start, "failed": before["failed"], "other_processes": journal.others()})
    number = failed = 0

    def tell(result: PictureResult) -> None:
        nonlocal number, failed
        number += 1
        failed += result.error is not None
        counts = {"number": number, "pictures": before["waiting"], "failed": failed}
        print_json({"event": "picture", **counts, **result.as_json()})

    stopped = True
    try:
        yield tell
        stopped = False
    finally:
        print_json({"event": "end", "stopped": stopped, **journal.counts()})


@contextmanager
def _words(journal: Journal, as_json: bool) -> Iterator[Tell]:
    """A bar, and sentences on what failed; as JSON, every result and no bar."""
    before = journal.counts()
    if others := journal.others():
        print_error(f"{counted(others, 'other process')} at work on this job; the pictures are shared.")
    summary, done = Summary(), 0
    with progress(before["waiting"], shown=not as_json) as bar:

        def tell(result: PictureResult) -> None:
            nonlocal done
            summary.add(result)
            done += result.error is None
            bar(result.input.name, 1)
            with bar.paused():
                if as_json:
                    print_json(result.as_json())
                elif result.error:
                    print_error(result.error)

        yield tell
    for sentence in summary.sentences(before["waiting"]):
        print_error(sentence)
    if before["failed"]:
        print_error(f"{counted(before['failed'], 'picture')} failed earlier; --retry-failed tries again.")
    if not as_json:
        elsewhere = journal.counts()["running"]
        words = f"{counted(done, 'picture')} coloured, {before['done']} done before"
        output().print(f"{words}; {elsewhere} elsewhere." if elsewhere else f"{words}.", markup=False)
