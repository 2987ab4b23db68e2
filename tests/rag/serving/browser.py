"""A headless Chromium through its WebDriver, in the few words that the page's tests need."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004", "Down": "\ue015"}


@dataclass
class Browser:
    """One window."""

    session: str

    def _send(self, path: str, body: object = None) -> Any:
        data = json.dumps({} if body is None else body).encode()
        request = urllib.request.Request(
            f"{self.session}{path}", data, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None

    def open(self, url: str) -> None:
        self._send("/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """What a function body returns in the page."""
        return self._send("/execute/sync", {"script": script, "args": list(arguments)})

    def press(self, *keys: str) -> None:
        """Keys one after another: a name of ``KEYS``, or text to type."""
        actions = []
        for key in keys:
            for character in [KEYS[key]] if key in KEYS else key:
                actions += [{"type": "keyDown", "value": character}, {"type": "keyUp", "value": character}]
        self._send("/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def wait(self, script: str, seconds: float = 20.0) -> Any:
        """What the function body returns once that is true."""
        end = time.monotonic() + seconds
        while not (found := self.run(script)):
            assert time.monotonic() < end, f"never so: {script}\n{self.run('return document.body.innerText')}"
            time.sleep(0.05)
        return found

    def devtools(self, command: str, **parameters: object) -> Any:
        return self._send("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def look(self, width: int, height: int, *, dark: bool = False, mobile: bool = False) -> None:
        """The window's size, and what the system prefers."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if mobile else 1,
            mobile=mobile,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, to: Path) -> None:
        shot = self.devtools("Page.captureScreenshot", format="png")
        to.write_bytes(base64.b64decode(shot["data"]))

    def requested(self) -> set[str]:
        """Every address asked for since the last call, those that the page's own policy blocked left out."""
        time.sleep(0.5)  # the browser's log of what was blocked comes after the attempt
        entries = self._send("/se/log", {"type": "performance"})
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        blocked = {
            message["params"]["requestId"]
            for message in messages
            if message["method"] == "Network.loadingFailed"
            and message["params"].get("blockedReason") == "csp"
        }
        return {
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
            and message["params"]["requestId"] not in blocked
        }

    def console(self) -> list[str]:
        """What the page's console was told since the last call."""
        return [entry["message"] for entry in self._send("/se/log", {"type": "browser"})]

    def has_dialog(self) -> bool:
        request = urllib.request.Request(f"{self.session}/alert/text")
        try:
            with urllib.request.urlopen(request, timeout=60):
                return True
        except urllib.error.HTTPError:
            return False


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser; the test is skipped where there is none."""
    driver = shutil.which("chromedriver")
    program = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    if driver is None or program is None:
        pytest.skip("no Chromium with its chromedriver on this machine (Debian: chromium chromium-driver)")
    process = subprocess.Popen(
        [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        port = next(
            found.group(1) for line in process.stdout if (found := re.search(r"on port (\d+)\.", line))
        )
        asked = {
            "browserName": "chrome",
            "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
            "goog:chromeOptions": {
                "binary": program,
                "args": [
                    *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"),
                    f"--user-data-dir={profile}",
                ],
            },
            "unhandledPromptBehavior": "ignore",
        }
        root = Browser(f"http://127.0.0.1:{port}/session")
        made = root._send("", {"capabilities": {"alwaysMatch": asked}})
        browser = Browser(f"{root.session}/{made['sessionId']}")
        try:
            yield browser
        finally:
            urllib.request.urlopen(
                urllib.request.Request(browser.session, method="DELETE"), timeout=30
            ).close()
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()
