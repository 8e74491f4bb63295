"""A real JupyterLab in a real Chromium, for looking at notebooks as a person does."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Locator, Page, sync_playwright

__all__ = ["Theme", "contrast", "find_chromium", "open_lab", "run_all"]

Theme = Literal["light", "dark"]
_SECONDS = 90  # the longest a test waits for the server, and for a notebook to have run
_THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
# JupyterLab asks for news and updates from the internet unless told.
_SETTINGS = {
    "notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
}
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox",  # as root, which containers are
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def find_chromium() -> str | None:
    """Return the path of the system's Chromium; playwright's own would have to be downloaded."""
    return next((found for name in _CHROMIUM if (found := shutil.which(name))), None)


@contextlib.contextmanager
def open_lab(folder: Path, theme: Theme, chromium: str) -> Iterator[Page]:
    """Serve the notebooks of a folder, and open JupyterLab in a browser; both end with the block.

    Args:
        folder: an empty one for the server's own files; its `notebooks` is what is served.
        theme: of JupyterLab.
        chromium: path of the browser.
    """
    with _server(folder, theme) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_QUIET))
        try:
            page = browser.new_page(viewport={"width": 1100, "height": 1400})
            page.goto(f"{address}/lab?reset")
            page.wait_for_function("window.jupyterapp !== undefined", timeout=_SECONDS * 1000)
            page.evaluate("window.jupyterapp.restored")
            yield page
        finally:
            browser.close()


def run_all(page: Page, notebook: str) -> None:
    """Open a notebook, run all of its cells, and wait until the last one has run."""
    page.evaluate(
        """async name => {
            const app = window.jupyterapp;
            const panel = await app.commands.execute('docmanager:open', {path: name});
            await panel.context.ready;
            await panel.sessionContext.ready;
            window.ran = false;
            app.commands.execute('notebook:run-all-cells').then(() => { window.ran = true; });
        }""",
        notebook,
    )
    page.wait_for_function("window.ran", timeout=_SECONDS * 1000)


def contrast(text: Locator) -> float:
    """Return the contrast of a text with what is behind it, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    ratio: float = text.evaluate(
        """element => {
            const channels = colour => colour.match(/[\\d.]+/g).map(Number);
            const luminance = colour => {
                const [r, g, b] = channels(colour).slice(0, 3).map(value => {
                    const part = value / 255;
                    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
                });
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            let behind = element;
            while (behind && channels(getComputedStyle(behind).backgroundColor)[3] === 0) {
                behind = behind.parentElement;
            }
            const ground = behind ? getComputedStyle(behind).backgroundColor : 'rgb(255, 255, 255)';
            const both = [luminance(getComputedStyle(element).color), luminance(ground)].sort((a, b) => b - a);
            return (both[0] + 0.05) / (both[1] + 0.05);
        }"""
    )
    return ratio


@contextlib.contextmanager
def _server(folder: Path, theme: Theme) -> Iterator[str]:
    """Start a JupyterLab server on a free port of 127.0.0.1; yield its address."""
    settings = folder / "settings"
    for name, values in {**_SETTINGS, "themes": {"theme": _THEMES[theme]}}.items():
        file = settings / "@jupyterlab/apputils-extension" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    places = {
        "HOME": folder / "home",
        "IPYTHONDIR": folder / "ipython",
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": settings,
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
    }
    for place in places.values():
        place.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={folder / 'notebooks'}"),
        *("--IdentityProvider.token=", "--ServerApp.password="),
    ]
    log = folder / "server.log"
    with log.open("wb") as output:
        environment = {**os.environ, **{name: str(place) for name, place in places.items()}}
        server = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            yield _address(server, folder / "runtime", log)
        finally:
            server.terminate()  # the server ends its kernels
            server.wait(_SECONDS)


def _address(server: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Wait for the file in which a Jupyter server says where it listens."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        for file in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError):  # half-written
                found: dict[str, Any] = json.loads(file.read_text())
                return str(found["url"]).rstrip("/")
        assert server.poll() is None, log.read_text()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.1)
    raise AssertionError(log.read_text())
