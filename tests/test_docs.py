"""The documentation can be read: no sentence is longer than 25 words, and links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
MOST_WORDS = 25
# code by fences, figures, and comments; then lines that are code by their indent, tables or headings
NO_PROSE = re.compile(r"^(```|~~~).*?^\1|!\[[^\]]*\]\([^)]*\)|<!--.*?-->", re.DOTALL | re.MULTILINE)
NO_SENTENCE = re.compile(r"^(    |\t|\s*\||#)")
BREAK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)|\n(?=#)")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


def sentences(text: str) -> Iterator[str]:
    """The sentences of a page of Markdown; an inline code counts as one word, a list of links as none."""
    for block in BREAK.split(NO_PROSE.sub("", text)):
        prose = " ".join(line for line in block.split("\n") if not NO_SENTENCE.match(line))
        plain = re.sub(r"`[^`]*`", "code", LINK.sub(r"\1", prose))
        if " · " not in plain:
            yield from (one for one in re.split(r"(?<=[.!?])[\"')*_]*\s+", plain) if one.strip())


def words(sentence: str) -> list[str]:
    """Words, without numbers and signs."""
    return re.findall(r"[^\W\d_][\w'’-]*", sentence)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_sentence_is_longer_than_25_words(page: Path) -> None:
    long = [one for one in sentences(page.read_text("utf-8")) if len(words(one)) > MOST_WORDS]
    assert not long, "\n".join(f"{len(words(one))} words: {one}" for one in long)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    for _, goal in LINK.findall(page.read_text("utf-8")):
        name, _, heading = goal.partition("#")
        if re.match(r"[a-z]+:", goal):
            continue
        path = page.parent / name if name else page
        assert path.exists(), f"{goal} is not there"
        if heading:
            slugs = [slug(one) for one in re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)]
            assert heading in slugs, f"{goal} is no heading there"


def slug(heading: str) -> str:
    """What hosts of Markdown call a heading in links."""
    return re.sub(r"[^\w\- ]", "", LINK.sub(r"\1", heading).lower()).replace(" ", "-")


def test_sentences_are_found_between_code_tables_and_lists() -> None:
    text = "# Title\n\nOne two. Three `a b c`\nfour!\n\n    code is none\n\n| a | b |\n\n- five\n- six [seven](x.md)\n"
    assert [words(one) for one in sentences(text)] == [
        ["One", "two"], ["Three", "code", "four"], ["five"], ["six", "seven"],
    ]  # fmt: skip
