"""The settings: traitlets that `%config`, a configuration file and plain Python reach."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from IPython.core.error import UsageError
from traitlets import TraitError
from traitlets.config import Config

from exocet_ipython.notebook.settings import Exocet
from tests.shells import Notebook, open_shell
from tests.workshop import Workshop

_numbers = count(1)


def reload_text(notebook: Notebook, workshop: Workshop) -> str:
    """Edit, reload, and return what was displayed."""
    workshop.write({"model.py": "class Model: pass"})
    notebook.run("%exoload model")
    workshop.edit("model.py", f"class Model: x = {next(_numbers)}")  # a text that no living generation ran
    return notebook.run("%exoreload")


def test_config_lists_the_settings_with_help(notebook: Notebook) -> None:
    """`%config` names the class, `%config Exocet` shows each setting with its choices and its value."""
    assert "Exocet" in notebook.run("%config").split()
    text = notebook.run("%config Exocet")
    assert "Exocet.report" in text
    assert "'full'" in text
    assert notebook.value("%config Exocet.report") == "brief"


def test_brief_is_one_line_and_full_is_all(notebook: Notebook, workshop: Workshop) -> None:
    """`%config Exocet.report = "full"` adds each module with its reason and each name to the text."""
    assert len(reload_text(notebook, workshop).strip().splitlines()) == 1
    notebook.run('%config Exocet.report = "full"')
    text = reload_text(notebook, workshop)
    assert "its file changed" in text
    assert "model = model" in text
    assert len(text.strip().splitlines()) > 3


def test_a_wrong_value_is_refused_and_the_old_one_stays(notebook: Notebook, caplog: pytest.LogCaptureFixture) -> None:
    """IPython logs traitlets' error, which names the choices; assigning raises it."""
    notebook.run('%config Exocet.report = "loud"')
    assert "'brief', 'full'" in caplog.text
    assert "'loud'" in caplog.text
    assert notebook.value("%config Exocet.report") == "brief"
    with pytest.raises(TraitError, match="report"):
        Exocet(report="loud")
    with pytest.raises(TraitError, match="rerun_limit"):
        Exocet(rerun_limit=-1.0)


def test_a_configuration_file_reaches_the_settings(workshop: Workshop, tmp_path: Path) -> None:
    """`c.Exocet.report = "full"` is in force from the first reload."""
    config = Config()
    config.Exocet.report = "full"
    with open_shell(tmp_path / "ipython", config) as shell:
        notebook = Notebook(shell)
        notebook.run("%load_ext exocet_ipython")
        assert notebook.value("%config Exocet.report") == "full"
        assert "its file changed" in reload_text(notebook, workshop)


def test_a_wrong_value_in_a_configuration_file_is_said_in_a_line(tmp_path: Path) -> None:
    """The extension isn't loaded then; the line says what is wrong and how to go on, and that works."""
    config = Config()
    config.Exocet.report = "loud"
    with open_shell(tmp_path / "ipython", config) as shell:
        notebook = Notebook(shell)
        (line,) = notebook.fail("%load_ext exocet_ipython", UsageError).strip().splitlines()
        assert "'quiet', 'brief', 'full'" in line
        assert "'loud'" in line
        advice = line.rpartition("in this session: ")[2]
        notebook.run(f"{advice}\n%load_ext exocet_ipython")
        assert notebook.value("%config Exocet.report") == "brief"


def test_settings_survive_reloading_the_extension(notebook: Notebook) -> None:
    """What `%config` has set is in the shell's configuration, so `%reload_ext` keeps it."""
    notebook.run('%config Exocet.report = "full"')
    notebook.run("%reload_ext exocet_ipython")
    assert notebook.value("%config Exocet.report") == "full"
