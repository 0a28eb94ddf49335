"""What the command line shows: swatches, tables and progress on a terminal, plain words in a pipe.

Results go to standard output, everything else to standard error. Must not import torch or Pillow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from t2c_engine.palettes.palette import Palette

if TYPE_CHECKING:
    from rich.progress import Progress


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")  # and what turns the direction of writing


class Bar:
    """A progress bar, or nothing at all in a pipe. Called, it is told what is done: see `__call__`."""

    def __init__(self, bar: Progress | None = None, total: int = 0) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=total) if bar else None

    def __call__(self, doing: str = "", advance: int = 0) -> None:
        """`advance` more steps are done; `doing` says what comes now."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=advance, description=printable(doing).replace("[", r"\["))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bar off the terminal while something else is printed."""
        if self._bar is not None:
            self._bar.stop()
        yield
        if self._bar is not None:
            self._bar.start()


def output() -> Console:
    """Standard output; colours only on a terminal that has them and without NO_COLOR."""
    return Console(highlight=False, soft_wrap=True)


def notes() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def printable(text: object) -> str:
    """Text on one line: control characters, as names of files may have them, as escapes; a terminal would obey them."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def swatch_line(palette: Palette, indent: str = "  ") -> Text:
    """A palette as blocks in its own colours with the hex codes in them; without colour, the codes alone."""
    line = Text(indent)
    for (red, green, blue), code, lab in zip(palette.colors, palette.hex, palette.lab, strict=True):
        ink = "black" if lab[0] > 58 else "white"
        line.append(f" {code} ", style=f"{ink} on rgb({red},{green},{blue})")
    return line


def print_palettes(console: Console, palettes: Sequence[Palette], title: str = "") -> None:
    """The title, then one line of swatches for each palette. In a pipe: codes separated by single spaces."""
    if title:
        console.print(Text(printable(title), style="bold"))
    for palette in palettes:
        in_color = console.is_terminal and console.color_system is not None
        console.print(swatch_line(palette) if in_color else Text("  " + " ".join(palette.hex)))


def print_table(console: Console, rows: Sequence[tuple[str, str]], indent: str = "  ") -> None:
    """Label and words, the words in one column; further lines of the words stay in that column."""
    width = max((len(label) for label, _ in rows), default=0) + 2
    for label, words in rows:
        lines = words.splitlines() or [""]
        console.print(Text.assemble(indent, (label.ljust(width), "bold"), lines[0]))
        for line in lines[1:]:
            console.print(Text(indent + " " * width + line))


@contextmanager
def progress(total: int, shown: bool = True) -> Iterator[Bar]:
    """A progress bar on standard error, on a terminal only; gone when done."""
    console = notes()
    if not (shown and console.is_terminal):
        yield Bar()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        yield Bar(bar, total)
