"""What cells have registered stays where the new code refuses it, and the report says so."""

from __future__ import annotations

from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

BEFORE = """
    REG = {}
    def register(function):
        REG[function.__name__] = function
        return function
    """
AFTER = """
    REG = {}
    def register(function):
        key = function.__name__[0]
        if key in REG:
            raise ValueError(f"{key} twice")
        REG[key] = function
        return function
    """


def test_what_the_new_code_refuses_stays_registered_as_it_was(workshop: Workshop) -> None:
    """The cells would fail with the new code; what the one has registered that fails is neither lost nor unsaid."""
    workshop.write({"plug.py": BEFORE})
    notebook = PlainNotebook()
    notebook.run("import plug")
    notebook.run("@plug.register\ndef alpha(): return 1")
    notebook.run("plug.REG['hand'] = len")
    notebook.run("@plug.register\ndef apple(): return 2")
    workshop.write({"plug.py": AFTER})
    report = notebook.reload()
    assert list(notebook["plug"].REG) == ["a", "hand", "apple"]
    assert notebook["plug"].REG["apple"] is notebook["apple"]
    (stuck,) = report.stuck
    assert stuck.name == "the registrations by plug.register"
    assert stuck.reason.startswith("ValueError: a twice (")
    assert "plug.py, line 5, in register)" in stuck.reason
    assert "1 of the registrations by plug.register stays as it was: ValueError: a twice" in repr(report)
