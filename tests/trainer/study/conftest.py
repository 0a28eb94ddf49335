"""A headless Chromium for the tests of the page; without one they are skipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trainer.study.design import Study
from trainer.study.page.builder import page_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
Opener = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of the system, or else the one that Playwright brings."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        except sync_api.Error:
            pytest.skip("no Chromium can be started; install the package chromium")
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens a study's page from a file: `opened(study, form=1, width=360)`.

    The test fails when the page reports an error, or asks the network for anything.
    """
    trouble: list[str] = []
    contexts = []

    def open_page(study: Study, form: int | None = 0, width: int = 1280, height: int = 800, page: Any = None) -> Page:
        path = tmp_path / f"{study.id}.html"
        path.write_bytes(page_html(study))
        if page is None:
            context = browser.new_context(
                viewport={"width": width, "height": height}, has_touch=width < 600, accept_downloads=True
            )
            context.set_default_timeout(10_000)
            contexts.append(context)
            page = context.new_page()
            page.on("pageerror", lambda error: trouble.append(str(error)))
            page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
            asked = lambda request: trouble.append(request.url) if request.url.startswith("http") else None  # noqa: E731
            page.on("request", asked)
        page.goto(path.as_uri() + ("" if form is None else f"?form={form}"))
        page.trouble = trouble
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not trouble
