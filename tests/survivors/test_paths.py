"""Hold paths: the expression is real, and the shortest; the search leaves nothing and finds nothing of its own."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import signal
import sys
import threading
import time
import weakref
from typing import Any

import pytest

from exocet_ipython.survivors.finding.paths import Bounds, Holds, find_holds
from exocet_ipython.survivors.finding.roots import Root, Roots

CLASS = "class Old:\n    pass\n"

# What makes `target` and holds it -> the expression that reaches it then.
HELD = {
    "a name": ("model = target", "model"),
    "a list": ("layers = [0, target]", "layers[1]"),
    "a dict": ('handlers = {"click": target}', 'handlers["click"]'),
    "a dict with other keys": ("d = {object(): 1, object(): target}", "list(d.values())[1]"),
    "a tuple as key": ("d = {(1, 'a'): target}", "d[(1, 'a')]"),
    "a key": ("d = {0: 1, target: 2}", "list(d)[1]"),
    "a set": ("s = {target}", "list(s)[0]"),
    "a frozen set in a tuple": ("t = (frozenset({target}),)", "list(t[0])[0]"),
    "a deque": ("import collections\nq = collections.deque([1, 2, target])", "q[2]"),
    "an ordered dict": ("import collections\nd = collections.OrderedDict(k=target)", 'd["k"]'),
    "a subclass of dict": ("class D(dict): pass\nd = D(k=target)", 'd["k"]'),
    "an attribute of a subclass of dict": ("class D(dict): pass\nd = D()\nd.x = target", "d.x"),
    "a chain map": ("import collections\nd = collections.ChainMap({}, {'k': target})", 'd.maps[1]["k"]'),
    "an attribute": ("class App: pass\napp = App()\napp.model = target", "app.model"),
    "attributes of attributes": (
        "class App: pass\napp = App()\napp.model = App()\napp.model.layers = [1, 2, 3, target]",
        "app.model.layers[3]",
    ),
    "an attribute in a dict that somebody has asked for": (
        "class App: pass\napp = App()\napp.model = target\nvars(app)",
        "app.model",
    ),
    "a dict in an attribute": ("class App: pass\napp = App()\napp.table = {'k': target}", 'app.table["k"]'),
    "an attribute with an odd name": ("class App: pass\napp = App()\nvars(app)['a b'] = target", 'vars(app)["a b"]'),
    "an attribute behind a property": (
        "class App:\n    x = property(lambda self: 1 / 0)\napp = App()\nvars(app)['x'] = target",
        'vars(app)["x"]',
    ),
    "a slot": ("class S:\n    __slots__ = ('_x', 'part')\ns = S()\ns.part = target", "s.part"),
    "a private slot": (
        "class S:\n    __slots__ = ('__x',)\n    def __init__(self, x): self.__x = x\ns = S(target)",
        "s._S__x",
    ),
    "a closure": (
        "def outer(x):\n    def fit(): return x\n    return fit\nfit = outer(target)",
        "fit.__closure__[0].cell_contents",
    ),
    "a default": ("def fit(x=target): pass", "fit.__defaults__[0]"),
    "a keyword default": ("def fit(*, x=target): pass", 'fit.__kwdefaults__["x"]'),
    "an annotation": ("def fit(x: target): pass", 'fit.__annotations__["x"]'),
    "an attribute of a function": ("def fit(): pass\nfit.cache = [target]", "fit.cache[0]"),
    "a bound method": ("class App:\n    def cb(self): pass\n", None),
    "a partial": ("import functools\npart = functools.partial(print, 1, target)", "part.args[1]"),
    "a keyword of a partial": ("import functools\npart = functools.partial(print, end=target)", 'part.keywords["end"]'),
    "a class attribute": ("class Registry: entries = {'k': target}", 'Registry.entries["k"]'),
    "a static method's default": (
        "class A:\n    @staticmethod\n    def f(x=target): pass",
        'vars(A)["f"].__func__.__defaults__[0]',
    ),
    "a property's closure": (
        "def make(x):\n    return property(lambda self: x)\nclass A: p = make(target)",
        'vars(A)["p"].fget.__closure__[0].cell_contents',
    ),
    "a thread's local": ("import threading\nlocal = threading.local()\nlocal.x = target", "local.x"),
    "a weak key's value": (
        "import weakref\nclass K: pass\nkey = K()\nd = weakref.WeakKeyDictionary({key: target})",
        "list(d.data.values())[0]",
    ),
    "a generator": ("def gen(x):\n    yield 1\n    yield x\ng = gen(target)\nnext(g)", 'g.gi_frame.f_locals["x"]'),
    "a variable that an inner function shares": (
        "def gen(x):\n    f = lambda: x\n    yield\ng = gen(target)\nnext(g)\n",
        'g.gi_frame.f_locals["x"]',
    ),
    "a coroutine": ("async def run(x): return x\nc = run(target)", 'c.cr_frame.f_locals["x"]'),
    "an exception": ("e = ValueError(1, target)", "e.args[1]"),
    "a traceback": (
        "def f(x): 1 / 0\ntry:\n    f(target)\nexcept ZeroDivisionError as error:\n    kept = error",
        'kept.__traceback__.tb_next.tb_frame.f_locals["x"]',
    ),
    "the globals of a traceback": (
        (
            "space = {'target': target}\ncode = compile('def f(): 1 / 0', 'm.py', 'exec')\nexec(code, space)\n"
            "try: space.pop('f')()\nexcept ZeroDivisionError as error: kept = error\ndel space"
        ),
        'kept.__traceback__.tb_next.tb_frame.f_globals["target"]',
    ),
    "a mapping proxy": ("import types\np = types.MappingProxyType({'k': target})", 'p["k"]'),
    "a callback of a weak reference": (
        "import weakref\nclass K: pass\nkey = K()\nr = weakref.ref(key, [target].append)",
        None,
    ),
}


def evaluate(expression: str, space: dict[str, Any]) -> Any:
    """What an expression gives in a namespace, with the modules that an expression may name."""
    names = {"sys": sys, "gc": gc, "asyncio": asyncio, "signal": signal, "contextvars": contextvars}
    return eval(expression, {**names, **space})  # noqa: S307 - what the search wrote


def run(source: str) -> tuple[dict[str, Any], weakref.ref[Any]]:
    """Run a cell; return its names without `target`, and a weak reference to that."""
    space: dict[str, Any] = {}
    exec(compile(CLASS + "target = Old()\n" + source, "<cell>", "exec", dont_inherit=True), space)
    return space, weakref.ref(space.pop("target"))


def why(space: dict[str, Any], target: weakref.ref[Any], **options: Any) -> Holds:
    """Ask why an object is alive."""
    return find_holds([target()], Roots(space), **options)


@pytest.mark.parametrize("held", HELD)
def test_the_expression_reaches_the_object(held: str) -> None:
    """Whatever holds it, the path is written as the person would write it, gives the object, and takes n + 1 passes."""
    source, expected = HELD[held]
    if held == "a bound method":
        source, expected = "class App:\n    def cb(self): pass\ntarget = App()\ncb = target.cb", "cb.__self__"
    space, target = run(source)
    found = why(space, target)
    path = found.paths[0]
    assert evaluate(path.expression, space) is target()
    if held == "a coroutine":
        space["c"].close()
    if expected is not None:
        assert path.expression == expected
        assert path.kind == "name"
    assert found.passes <= path.levels + 1
    assert found.from_c == 0
    assert found.bounded == ""


def test_class_functions_and_modules() -> None:
    """A class is held by what is of it, a function's module by the function's globals."""
    space, _ = run("rooms = [0, target]")
    old = weakref.ref(space.pop("Old"))
    found = why(space, old)
    assert found.paths[0].expression == "type(rooms[1])"
    assert evaluate("type(rooms[1])", space) is old()

    module: dict[str, Any] = {"__name__": "retired"}
    exec("class Room: pass\ndef on_click(): return Room", module)
    space = {"handlers": {"click": module["on_click"]}}
    room = weakref.ref(module.pop("Room"))
    module["Room"] = room()
    del module
    assert why(space, room).paths[0].expression == 'handlers["click"].__globals__["Room"]'


def test_a_subclass_holds_its_base() -> None:
    """The class of a cell that derives from an old class says so."""
    space, _ = run("class Mine(Old): pass")
    old = weakref.ref(space.pop("Old"))
    assert why(space, old).paths[0].expression in {"Mine.__base__", "Mine.__bases__[0]"}


def test_all_ways_in_are_counted() -> None:
    """Names, outputs and module globals are told apart; each is a path of its own, the shortest and nearest first.

    `_5` is `Out[5]` once more, and is left out.
    """
    space, target = run("a = b = target\nOut = {5: target}\n_ = _5 = target\n_oh = Out\nlayers = [target]")
    found = why(space, target)
    assert [(path.expression, path.kind) for path in found.paths] == [
        ("a", "name"),
        ("b", "name"),
        ("Out[5]", "output"),
        ("_", "output"),
        ("layers[0]", "name"),
    ]
    assert found.passes == 2


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_the_order_of_paths_is_no_matter_of_the_heap(order: str) -> None:
    """Of paths of the same length the one comes first that is shorter to write, whichever holder was made first."""
    space, target = run("\n".join(f"{name} = [target]" for name in order))
    assert [path.expression for path in why(space, target).paths] == ["a[0]", "b[0]"]


def test_the_first_of_several_items() -> None:
    """Of several instances in a list it is the first one that says why their class is alive."""
    space, _ = run("rooms, halls = [Old() for _ in range(30)], tuple(Old() for _ in range(30))")
    old = weakref.ref(space.pop("Old"))
    assert [path.expression for path in why(space, old).paths] == ["type(halls[0])", "type(rooms[0])"]


def test_places_in_large_containers() -> None:
    """An item far behind in a list has its place, and one that is there twice its first."""
    space, target = run("layers = [*range(500), target, *range(500), target]\nnear = (0, target, target)")
    found = {path.expression for path in why(space, target).paths}
    assert found == {"layers[500]", "near[1]"}


def test_the_name_asked_by_is_known_already() -> None:
    """Who asks by a name wants to know what else there is: the search goes on past that name."""
    space, target = run("class App: pass\nm = target\napp = App()\napp.parts = {'a': [[target]]}")
    found = why(space, target, asked="m")
    assert [path.expression for path in found.paths] == ["m", 'app.parts["a"][0][0]']
    assert found.passes <= found.paths[-1].levels + 1
    only, target = run("m = target")
    assert [path.expression for path in why(only, target, asked="m").paths] == ["m"]


def test_a_deep_path_takes_one_pass_a_level() -> None:
    """A path of n references takes at most n + 1 passes over the heap."""
    for depth in (1, 2, 5, 12):
        space, target = run("chain = target\n" + "chain = [chain]\n" * (depth - 1))
        found = why(space, target)
        assert found.paths[0].levels == depth
        assert found.paths[0].expression == "chain" + "[0]" * (depth - 1)
        assert found.passes <= depth + 1


def test_one_call_a_pass(heap_looks: list[int]) -> None:
    """Each pass is one `gc.get_referrers` call for all objects of its level."""
    space, target = run("x = [[[target, [target]], [target], {'a': target}]]")
    heap_looks.clear()
    found = why(space, target)
    assert len(heap_looks) == found.passes
    assert max(heap_looks) > 1


def test_weak_references_hold_nothing() -> None:
    """Weak references, weak sets and weak values are no paths; where nothing else is, the object is garbage."""
    space, target = run("import weakref\nr = weakref.ref(target)\ns = weakref.WeakSet([target])\ntarget.me = target")
    space["d"] = weakref.WeakValueDictionary({"k": target()})
    found = why(space, target)
    assert found.paths == ()
    assert found.from_c == 0
    assert found.bounded == ""
    gc.collect()
    assert target() is None


def test_module_globals() -> None:
    """A module global is written by the module's name in the notebook, or through `sys.modules`."""
    space, target = run("held = target")
    wave = sys.modules["colorsys"] = type(sys)("colorsys")
    wave.kept = [space.pop("held")]  # type: ignore[attr-defined] # put there at run time
    try:
        found = why(space, target)
        assert [(p.expression, p.kind) for p in found.paths] == [('sys.modules["colorsys"].kept[0]', "global")]
        space["waves"] = wave
        assert why(space, target).paths[0].expression == "waves.kept[0]"
    finally:
        del sys.modules["colorsys"]


@pytest.mark.parametrize("attribute", ["last_exc", "last_value"])
def test_last_error(attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last error that `sys` remembers for the debugger holds what its frames held."""
    space, target = run("def f(x): 1 / 0\ntry:\n    f(target)\nexcept ZeroDivisionError as error:\n    kept = error")
    monkeypatch.setattr(sys, attribute, space.pop("kept"), raising=False)
    (path,) = why(space, target).paths
    assert path.kind == "traceback"
    assert path.expression == f'sys.{attribute}.__traceback__.tb_next.tb_frame.f_locals["x"]'


def test_frames_of_threads() -> None:
    """A local variable of a function that runs in another thread is found, and reading it leaves nothing behind."""
    space, target = run("held = [target]\ndef work(model, began, end):\n    began.set()\n    end.wait()")
    began, end = threading.Event(), threading.Event()
    thread = threading.Thread(target=space["work"], args=(target(), began, end), name="worker-1")
    thread.start()
    try:
        assert began.wait(30)
        space["held"].clear()
        found = why(space, target)
        frames = [path for path in found.paths if path.kind == "frame" and 'f_locals["model"]' in path.expression]
        assert frames[0].where.startswith("worker-1: work() in <cell>, line ")
        assert evaluate(frames[0].expression, space) is target()
        assert found.from_c == 0
    finally:
        end.set()
        thread.join(30)
    del thread
    gc.collect()
    assert target() is None


def test_running_generators_and_their_frames() -> None:
    """A generator that waits and that no object refers to is named by its function."""
    space, target = run(
        "def gen(x):\n    yield 1\n    yield x\ndef loop():\n    for _ in gen(keep.pop()): ask()\nkeep = [target]"
    )
    found = []
    space["ask"] = lambda: found.append(why(space, target))
    space["loop"]()
    path = found[0].paths[0]
    assert (path.kind, path.expression) == ("generator", '<generator gen()>.gi_frame.f_locals["x"]')


@pytest.mark.parametrize("variable", ["task", "nothing"])
def test_tasks(variable: str) -> None:
    """What a coroutine of a task holds is reached through the task, by its name or by a variable that has it."""

    async def session() -> None:
        space, target = run("held = [target]\nasync def fit(model, event):\n    await event.wait()\n    return model")
        event = asyncio.Event()
        space[variable] = asyncio.create_task(space["fit"](target(), event), name="fitting")
        await asyncio.sleep(0)
        space["held"].clear()
        if variable == "nothing":
            del space[variable]
        found = why(space, target)
        path = next(path for path in found.paths if path.kind == "task")
        assert (
            path.expression
            == "next(t for t in asyncio.all_tasks() if t.get_name() == 'fitting')._coro.cr_frame.f_locals[\"model\"]"
        )
        assert evaluate(path.expression, space) is target()
        if variable == "task":
            assert 'task._coro.cr_frame.f_locals["model"]' in {path.expression for path in found.paths}
        event.set()

    asyncio.run(session())


def test_tasks_of_other_loops_and_of_the_same_name() -> None:
    """A task that no name tells from others, or that another thread's loop runs, is given by its identity."""
    space, target = run(
        "held = [target]\nimport asyncio, threading\nready = threading.Event()\nasync def fit(model, name):\n"
        "    asyncio.current_task().set_name(name)\n    ready.set()\n    await asyncio.sleep(60)"
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    far = asyncio.run_coroutine_threadsafe(space["fit"](target(), "far"), loop)
    assert space["ready"].wait(10)

    async def session() -> None:
        near = [asyncio.create_task(space["fit"](model, "near")) for model in (target(), None)]
        await asyncio.sleep(0)
        space["held"].clear()
        found = [path for path in why(space, target).paths if path.kind == "task"]
        assert {path.where.partition(",")[0] for path in found} == {"far", "near"}
        assert all(evaluate(path.expression, space) is target() for path in found)
        for task in near:
            task.cancel()

    try:
        asyncio.run(session())
    finally:
        far.cancel()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def test_signal_handlers_and_context_variables() -> None:
    """Callbacks and values that Python keeps in C are places to look at."""
    space, target = run("def make(x): return lambda *_: x\nhandler = make(target)")
    before = signal.signal(signal.SIGUSR1, space.pop("handler"))
    try:
        (path,) = why(space, target).paths
        assert path.expression == "signal.getsignal(signal.SIGUSR1).__closure__[0].cell_contents"
        assert path.kind == "callback"
        assert evaluate(path.expression, space) is target()
    finally:
        signal.signal(signal.SIGUSR1, before)
    space, target = run("values = [target]")
    variable: contextvars.ContextVar[Any] = contextvars.ContextVar("current")

    def ask() -> Holds:
        variable.set(space.pop("values"))
        return why(space, target)

    found = contextvars.copy_context().run(ask)
    assert found.paths[0].kind == "context"
    assert found.paths[0].expression.endswith("k.name == 'current')[0]")


def test_exit_functions() -> None:
    """A function registered with `atexit` is held from C; the path begins at that module, which knows what it holds."""
    import atexit

    space, target = run("def make(x): return lambda: x\nfunction = make(target)")
    weak = weakref.ref(space["function"])
    atexit.register(space.pop("function"))
    try:
        (path,) = why(space, target).paths
        assert path.kind == "callback"
        assert path.expression.startswith("<function ")
        assert path.expression.endswith(" of atexit>.__closure__[0].cell_contents")
    finally:
        function = weak()
        assert function is not None
        atexit.unregister(function)


def test_lru_caches() -> None:
    """What an lru_cache holds is reached through the cached function, bounded or not."""
    for size in ("None", "8"):
        space, target = run(f"import functools\n@functools.lru_cache({size})\ndef load(n): return target\nload(1)")
        path = why(space, target).paths[0]
        assert path.expression.startswith("gc.get_referents(load)[") or "gc.get_referents(load)" in path.expression
        assert evaluate(path.expression, space) is target()


def test_what_c_holds_is_counted() -> None:
    """References that no Python object explains are counted, and said where nothing else is known."""
    import ctypes

    space, target = run("held = target")
    held = ctypes.py_object(target())
    ctypes.pythonapi.Py_IncRef(held)
    del held, space["held"]
    found = why(space, target)
    assert found.from_c == 1
    assert [(path.kind, path.expression) for path in found.paths] == [("code", "<Old>")]
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(target()))
    assert target() is None


@pytest.mark.xfail(strict=True, reason="numpy shows the collector nothing of its arrays")
def test_arrays_of_objects() -> None:
    """An item of an array is reached by its index."""
    pytest.importorskip("numpy")
    space, target = run("import numpy\nrooms = numpy.array([[None, target]], dtype=object)")
    assert why(space, target).paths[0].expression == "rooms[0, 1]"


def test_bounds() -> None:
    """A search ends at its bounds and says which: passes, seconds, objects of one level."""
    space, target = run("chain = target\n" + "chain = [chain]\n" * 20)
    assert why(space, target, bounds=Bounds(depth=5)).bounded == "depth"
    assert why(space, target, bounds=Bounds(seconds=0)).bounded == "time"
    wide, target = run(
        "class Box: pass\nboxes = []\nfor _ in range(500):\n    b = Box()\n    b.x = target\n    boxes.append(b)\ndel b"
    )
    found = why(wide, target, bounds=Bounds(width=10))
    assert found.bounded == "width"
    assert evaluate(found.paths[0].expression, wide) is target()


def test_progress_is_told_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that takes long says so between two passes, and one that doesn't says nothing."""
    told: list[tuple[int, float]] = []
    space, target = run("chain = target\n" + "chain = [chain]\n" * 4)
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    why(space, target, progress=lambda *said: told.append(said))
    assert told == []
    ticks = iter(range(10_000))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(ticks)))
    why(space, target, progress=lambda *said: told.append(said), bounds=Bounds(seconds=1e9))
    assert [passes for passes, _ in told] == list(range(1, len(told) + 1))
    assert len(told) >= 5


def test_an_interrupt_leaves_nothing_behind() -> None:
    """After Ctrl-C in the middle, its traceback included, nothing of the search holds anything."""
    space, target = run("chain = target\n" + "chain = [chain]\n" * 4)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        ticks = iter(range(10_000))
        patch.setattr(time, "perf_counter", lambda: float(next(ticks)))
        with pytest.raises(KeyboardInterrupt) as caught:
            why(space, target, progress=interrupt, bounds=Bounds(seconds=1e9))
    space.clear()
    gc.collect()
    assert caught.value.__traceback__ is not None
    assert target() is None


def test_a_search_changes_nothing() -> None:
    """Searching twice finds the same, and adds no reference to anything."""
    space, target = run("class App: pass\napp = App()\napp.x = [target]")
    counts = sys.getrefcount(target()), sys.getrefcount(space["app"])
    first = why(space, target)
    second = why(space, target)
    assert [path.expression for path in first.paths] == [path.expression for path in second.paths]
    assert counts == (sys.getrefcount(target()), sys.getrefcount(space["app"]))


def test_roots_of_a_shell() -> None:
    """What the shell itself holds is written from `get_ipython()`."""
    space, target = run("class Shell: pass\nshell = Shell()\nshell.last = [target]")
    shell = space.pop("shell")
    roots = Roots(space, [Root("shell", "get_ipython()", shell)])
    found = find_holds([target()], roots)
    assert found.paths[-1].expression == "get_ipython().last[0]"
    assert found.paths[-1].kind == "shell"


def test_frozen_holders_are_not_seen_but_names_are() -> None:
    """`gc.freeze` hides holders from the collector: the names of the notebook are looked at all the same."""
    space, target = run("model = target\nlayers = [target]")
    gc.freeze()
    try:
        found = why(space, target)
    finally:
        gc.unfreeze()
    assert "model" in {path.expression for path in found.paths}
    assert found.frozen > 0
