"""The page in a real browser: by keyboard, mouse and touch; interrupted; two observers; results handed in."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.trainer.study.conftest import Opener
from tests.trainer.study.studies import small_data_study, small_palette_study
from trainer.study.design import Answer, FormConfig, Kind, Role, draw_forms, make_question
from trainer.study.questions.pictures import data_uri
from trainer.study.questions.wording import PICTURE_WORDING
from trainer.study.sessions import Session, parse_session
from trainer.study.study_files import make_study

if TYPE_CHECKING:
    from playwright.sync_api import Page

Receiver = tuple[str, list[bytes], list[int]]
pytestmark = pytest.mark.slow
STUDY = small_palette_study()


def downloaded(page: Page) -> dict[str, Any]:
    """The file that the page gives at the end."""
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save my answers as a file").click()
    assert re.fullmatch(r"answers-[0-9a-f]{6}-[0-9a-f]{16}\.json", saved.value.suggested_filename)
    return json.loads(Path(saved.value.path()).read_text("utf-8"))


def question_id(page: Page) -> str:
    """The answers of the question on screen, by their ids."""
    return ",".join(one.get_attribute("value") or "" for one in page.locator("input").all())


def begin(page: Page) -> None:
    page.get_by_role("button", name="I agree, begin").click()
    for _ in range(2):
        assert "Practice" in (page.locator("h1").text_content() or "")
        page.locator(".answer").first.click()
        page.get_by_role("button", name="Next").click()


def test_a_whole_session_by_keyboard_alone(opened: Opener) -> None:
    page = opened(STUDY, form=2)
    assert page.locator("main").inner_text().startswith("Which palette fits the text?")
    assert page.get_by_text("no night mode").is_visible() and page.get_by_text("voluntary").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    places = []
    for number in range(2 + 8):
        title = page.locator("h1").text_content()
        assert title == (f"Practice {number + 1} of 2" if number < 2 else f"Question {number - 1} of 8")
        page.keyboard.press("Enter")
        assert page.locator("h1").text_content() == title, "nothing is chosen yet"
        if number % 2:
            page.keyboard.press(str(number % 3 + 1))
            places.append(number % 3)
        else:  # without figures: to the radio buttons, and along them
            page.keyboard.press("Tab")
            page.keyboard.press("Space")
            page.keyboard.press("ArrowDown")
            places.append(1)
        assert page.locator("input:checked").count() == 1
        page.keyboard.press("Enter")
    assert page.get_by_role("heading", name="Thank you").is_visible()
    session = parse_session(STUDY, downloaded(page))
    assert session.complete and session.form == 2 and len(session.choices) == 6 and len(session.checks) == 2
    value = downloaded(page)
    shown = [answer["shown"].index(answer["chosen"]) for answer in value["answers"]]
    assert shown == places[2:]
    orders = [[STUDY.questions[s.question].answers[i].id for i in s.order] for s in STUDY.forms[2]]
    assert [answer["shown"] for answer in value["answers"]] == orders
    assert set(value) == {"format", "version", "study", "session", "form", "complete", "answers"}
    assert set(value["answers"][0]) == {"question", "shown", "chosen", "seconds"}


def test_a_session_by_mouse_with_a_reload_in_the_middle(opened: Opener) -> None:
    page = opened(STUDY, form=5)
    begin(page)
    seen = []
    for _ in range(4):
        seen.append(question_id(page))
        page.locator(".answer").nth(2).click()
        page.get_by_role("button", name="Next").click()
    page.reload()
    assert page.get_by_text("4 of 8 questions are answered").is_visible()
    page.get_by_role("button", name="Go on").click()
    assert page.locator("h1").text_content() == "Question 5 of 8"
    page.get_by_role("button", name="Back").click()
    assert question_id(page) == seen[-1], "the last answer can be changed"
    page.locator(".answer").nth(0).click()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Pause").click()
    assert page.get_by_text("kept on this device").is_visible()
    page.reload()
    page.get_by_role("button", name="Go on").click()
    for _ in range(4):
        page.locator(".answer").nth(1).click()
        page.get_by_role("button", name="Next").click()
    value = downloaded(page)
    assert [one["shown"].index(one["chosen"]) for one in value["answers"]] == [2, 2, 2, 0, 1, 1, 1, 1]
    page.reload()
    assert page.get_by_role("heading", name="Thank you").is_visible(), "an end is remembered too"
    assert downloaded(page)["session"] == value["session"]


def test_two_observers_on_one_device(opened: Opener) -> None:
    page = opened(STUDY, form=None)
    sessions: list[Session] = []
    for _ in range(2):
        page.get_by_role("button", name="I agree, begin").click()
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Finish now").click()
        value = downloaded(page)
        sessions.append(parse_session(STUDY, value))
        page.get_by_role("button", name="Next person on this device").click()
    assert sessions[0].id != sessions[1].id and not sessions[0].complete and not sessions[0].choices
    assert page.evaluate("localStorage.length") == 0


def test_answers_can_be_deleted(opened: Opener) -> None:
    page = opened(STUDY)
    begin(page)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Delete my answers").click()
    assert page.get_by_text("Nothing was kept").is_visible() and page.evaluate("localStorage.length") == 0
    page.reload()
    assert page.get_by_role("button", name="I agree, begin").is_visible()


def test_a_narrow_phone_shows_everything_by_touch(opened: Opener) -> None:
    page = opened(small_palette_study(models=4), width=320, height=640)
    page.get_by_role("button", name="I agree, begin").tap()
    for _ in range(4):
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        for selector, least, number in ((".answer, button", 44, 8), (".answer .swatches span", 40, 25)):
            boxes = page.locator(selector).evaluate_all(
                "all => all.map((one) => one.getBoundingClientRect()).map((box) => [box.x, box.width, box.height])"
            )
            assert len(boxes) == number
            for x, width, height in boxes:
                assert width >= least and height >= least and x >= 0 and x + width <= 320
        page.locator(".answer").nth(4).tap()
        page.get_by_role("button", name="Next").tap()
    assert page.locator("h1").text_content() == "Question 3 of 8"


def test_screen_readers_hear_what_is_shown(opened: Opener) -> None:
    page = opened(STUDY)
    begin(page)
    slot = STUDY.forms[0][0]
    one = STUDY.questions[slot.question]
    radios = page.get_by_role("radio").all()
    assert len(radios) == 3
    for place, answer in enumerate(slot.order):
        name = f"{place + 1} {one.answers[answer].description}"
        assert page.get_by_role("radio", name=name, exact=True).count() == 1, name
        colors = (
            page.locator(".answer")
            .nth(place)
            .locator(".swatches span")
            .evaluate_all("all => all.map((one) => getComputedStyle(one).backgroundColor.match(/\\d+/g).map(Number))")
        )
        assert ["#{:02x}{:02x}{:02x}".format(*color) for color in colors] == list(one.answers[answer].palette)
    assert page.get_by_role("group", name=re.compile(re.escape(one.text))).count() == 1
    assert page.get_by_role("progressbar", name="Questions answered").count() == 1
    assert page.evaluate("document.documentElement.lang") == "en"


def test_without_storage_the_page_still_works(opened: Opener) -> None:
    page = opened(STUDY, width=320, height=640)
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException('full'); }; }")
    begin(page)
    assert "leave the page open" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Pause").click()
    assert page.get_by_text("does not let the page keep anything").is_visible()
    page.get_by_role("button", name="Finish now").click()
    assert downloaded(page)["study"] == STUDY.id


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that takes results: its URL, what it got, and the statuses it is to answer with."""
    got: list[bytes] = []
    statuses: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/answers", got, statuses
    server.shutdown()
    thread.join()
    server.server_close()


def test_results_are_sent_and_a_failure_loses_nothing(
    opened: Opener, receiver: tuple[str, list[bytes], list[int]]
) -> None:
    url, got, statuses = receiver
    study = small_palette_study(post=url)
    page = opened(study)
    begin(page)
    for _ in range(8):
        page.keyboard.press("2")
        page.keyboard.press("Enter")
    assert not got, "nothing is sent before the observer says so"
    statuses.append(500)
    page.get_by_role("button", name="Send my answers").click()
    page.get_by_text("Sending failed (the receiver answered 500)").wait_for()
    page.get_by_role("button", name="Send my answers").click()
    page.get_by_text("have been sent").wait_for()
    assert len(got) == 2 and got[0] == got[1]
    assert parse_session(study, json.loads(got[1])) == parse_session(study, downloaded(page))
    trouble = page.trouble  # type: ignore[attr-defined]
    assert {one for one in trouble if "500" not in one} == {url}
    trouble.clear()


def test_the_policy_forbids_other_connections(opened: Opener) -> None:
    page = opened(STUDY)
    reached = page.evaluate("fetch('https://example.org/').then(() => true, () => false)")
    assert reached is False
    trouble = page.trouble  # type: ignore[attr-defined]
    assert any("Content Security Policy" in one for one in trouble)
    trouble.clear()


def test_judges_answer_with_one_key_or_one_click(opened: Opener) -> None:
    study = small_data_study(pairs=5)
    page = opened(study)
    page.get_by_role("button", name="I agree, begin").click()
    for key in "12":
        page.keyboard.press(key)
    page.keyboard.press("1")
    page.get_by_role("button", name="It does not fit").click()
    page.keyboard.press("3")
    page.get_by_role("button", name="Back").click()
    page.keyboard.press("2")
    page.keyboard.press("1")
    page.keyboard.press("1")
    session = parse_session(study, downloaded(page))
    assert [choice.method for choice in session.choices] == ["fits", "does not fit", "does not fit", "fits", "fits"]


def test_pictures_are_shown_beside_the_grey_one(opened: Opener) -> None:
    rng = np.random.default_rng(0)
    questions = []
    for number in range(3):
        answers = [Answer("", name, picture=data_uri(rng.random((60, 90, 3))), description="red") for name in "abcd"]
        role = Role.PRACTICE if number == 2 else Role.QUESTION
        picture = data_uri(np.full((60, 90, 3), 0.5))
        questions.append(make_question(0, str(number), "", answers, role, picture=picture, about=str(number)))
    forms = draw_forms(questions, FormConfig(2, 0, 2))
    page = opened(make_study(Kind.PICTURES, PICTURE_WORDING, questions, forms))
    page.get_by_role("button", name="I agree, begin").click()
    for _ in range(3):
        images = page.locator("img").all()
        assert len(images) == 5
        assert all(one.evaluate("image => image.complete && image.naturalWidth === 90") for one in images)
        boxes = [one.bounding_box() for one in images]
        assert all(box and box["y"] + box["height"] < 800 for box in boxes), "all on one screen"
        page.get_by_role("radio", name="2 Colours: red").check()
        page.keyboard.press("Enter")
    assert page.get_by_role("heading", name="Thank you").is_visible()
