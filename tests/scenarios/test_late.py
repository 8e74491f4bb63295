"""Who loads the extension when the modules have been imported has what a restart would have given, too."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from tests.scenarios.scenarios import Scenario
from tests.scenarios.sessions import Answers, Mode
from tests.scenarios.test_scenarios import draw_cases, require_equal

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a forked child")

_ONE_IN = 24  # scenarios: `python -m tests.scenarios.varied --mode late unvaried` runs all
_RULE = "modules-of-before-the-extension"  # what this mode has brought up: always run

# What can't be right, since nobody looked when it happened.
_REASONS: Mapping[str, tuple[str, ...]] = {
    "what bodies have set outside of their modules was not seen, and is not taken back when they run again": (
        *("atexit-and-warnings", "attributes-of-libraries-that-a-module-adds-to", "basic-config-in-a-module"),
        *("folder-that-a-module-changes-to", "function-of-a-library-that-two-modules-wrap"),
        *("handler-of-a-signal-that-calls-the-one-before", "handlers-of-loggers-added-by-cells"),
        *("library-containers-changed-in-any-way", "library-containers-imported-by-name-and-back"),
        *("logger-of-another-name-whose-handler-was-replaced", "logger-renamed-whose-handler-is-named"),
        *("logging-inline-handler", "none-that-a-body-found-in-a-library", "patch-of-a-library-behind-a-flag"),
        *("path-that-an-imported-module-adds", "paths-and-finders-that-a-module-adds"),
        *("settings-of-libraries-by-other-ways", "stream-of-python-that-a-module-wraps"),
        *("values-of-libraries-that-an-edit-leaves-alone", "values-of-libraries-that-own-code-loads-first"),
        *("variables-of-a-file-that-a-module-reads", "variables-that-a-module-sets-by-default"),
        *("warning-filter-of-a-cell-before-that-of-a-module", "warning-filter-that-is-gone-or-another"),
    ),
    "an import that has failed was not seen to, and is not tried again": (
        *("import-that-failed-and-a-name-of-the-persons", "import-that-wants-a-data-file"),
        *("imports-of-cells-that-failed", "left-over-of-an-optional-import-that-failed"),
        *("module-that-fails-after-another-took-it-half-way", "optional-module-that-failed-is-tried-again"),
        "optional-module-that-says-it-can-not-be-had",
    ),
    "which module brought which, and when, was not seen": (
        *("broken-module-that-nothing-imports-any-more", "broken-module-that-only-a-deleted-one-imported"),
        "circle-that-a-package-is-in-by-what-is-inside",
    ),
    "what functions have made and kept may be the doing of their module's body": (
        *("answers-that-a-second-reload-makes-anew", "cached-factory-asked-by-keywords"),
        "closure-that-a-constructor-registers",
    ),
    "of what stands for a module, what it gives by name was not seen": (
        *("methods-of-an-instance-that-stands-for-its-module", "module-that-stands-in-for-its-own-without-a-spec"),
    ),
}
LIMITS = {name: reason for reason, names in _REASONS.items() for name in names}


@pytest.mark.parametrize(("scenario", "mode"), [*draw_cases("late", _ONE_IN, LIMITS, _RULE)])
def test_adopted_equals_restarted(scenario: Scenario, mode: Mode, answers: Answers) -> None:
    """Every probe shows what it shows in a restarted notebook, where `%exoauto on` came after the imports."""
    require_equal(scenario, mode, answers)
