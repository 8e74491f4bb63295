"""The notebooks in a real JupyterLab: the reports can be read and opened there, on a light and on a dark page."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import contrast, find_chromium, open_lab, run_all
from tests.notebooks.stored import NOTEBOOKS
from tests.shares import is_of_share

pytestmark = pytest.mark.browser

_READABLE = 4.5  # WCAG 2.2, success criterion 1.4.3


def _cases() -> Iterator[Any]:
    """Yield each notebook on each page; of these a Python runs its share if nothing else is asked for."""
    notebooks = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
    for place, (notebook, page) in enumerate(itertools.product(notebooks, ["light", "dark"])):
        marks = [] if is_of_share(place) else [pytest.mark.long]
        yield pytest.param(page, notebook, id=f"{page}-{notebook}", marks=marks)


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """JupyterLab on a copy of the notebooks."""
    chromium = find_chromium()
    if chromium is None:
        message = "needs Chromium; on Debian: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)  # on a person's machine; .ci/run installs it
    ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks", ignore=ignore)
    with open_lab(tmp_path, request.param, chromium) as page:
        yield page
        page.screenshot(path=tmp_path / "last.png")


@pytest.mark.parametrize(("lab", "notebook"), [*_cases()], indirect=["lab"])
def test_reports_are_read_and_opened(lab: Page, notebook: str) -> None:
    """Each report of a notebook is text that can be read on the page; a click shows its details, readable as well."""
    run_all(lab, notebook)
    # JupyterLab takes cells that are out of sight off the page: here are those that have a report.
    reports = lab.locator(".jp-OutputArea details.exocet-report")
    lab.evaluate("window.jupyterapp.shell.currentWidget.content.node.scrollTop = 0")
    first = reports.first
    first.scroll_into_view_if_needed()
    summary = first.locator("summary")
    expect(summary).to_be_visible()
    assert contrast(summary) >= _READABLE
    if first.get_attribute("open") is None:
        expect(first.locator("pre").first).to_be_hidden()
        summary.click()
    details = first.locator("pre").first
    expect(details).to_be_visible()
    assert contrast(details) >= _READABLE
    # JupyterLab's own style breaks lines within words.
    assert details.evaluate("element => getComputedStyle(element).wordBreak") == "normal"
