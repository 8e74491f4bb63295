"""What has really run, as a reason to put new code in place: the second argument of rung 1, since Python 3.12.

What the closure of names (`reach.py`) can't exclude may still not have happened. The interpreter says which functions
were called while modules were loaded (`loading/witness.py`). A restart would run the same import-time code up to the
first call of a function that was edited; if none of these was called, it would make the same of everything. So new code
may be put in place when

1. each function that does something else was watched from before its module ran, and no load has called it since. All
   modules that were loaded later were loaded under our eyes as well. That a generator or coroutine was made is not
   seen, only that it began: it holds the code of its function;
2. import time has not read the code otherwise: nothing that can have run reads what code objects say of themselves, and
   where something has taken one, nobody but functions has it now. What decorates the function is own code or known, and
   its docstring stays. What Python or a library does with a method when it makes a class, or by the hash of an
   instance, is no matter of calls either; such names are left to the other argument;
3. nothing keeps an answer of the old code. A function that nothing has called has given none. Otherwise no method that
   has run since, and whose answers Python keeps, as those of `__hash__`, leads to it; and all that has run since is
   suspect, for anything may call a method of Python's own: what these functions may have written is as the import left
   it (`stored.py`), none keeps something in a closure or a default, and no cache may have asked for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import CodeType, FrameType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.loading.witness import WITNESS
from exocet_ipython.reloading.collector import current_frames
from exocet_ipython.reloading.holding.contents import ATOM_IDS, CACHE
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.ladder.bodies import Body, names_in
from exocet_ipython.reloading.ladder.codes import CodePair
from exocet_ipython.reloading.ladder.exchange import find_class
from exocet_ipython.reloading.ladder.exposure import calling_base
from exocet_ipython.reloading.ladder.methods import PLAIN_DECORATORS
from exocet_ipython.reloading.ladder.operations import docstring_of, is_special, words
from exocet_ipython.reloading.ladder.reach import KNOWN_DECORATORS, Reach
from exocet_ipython.reloading.ladder.runners import are_run, has_other_holders
from exocet_ipython.reloading.ladder.stored import find_kept
from exocet_ipython.reloading.ladder.uses import Definition
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.wishes import wishes_of

__all__ = ["Evidence"]

# A call of these makes an object that begins to run later, if ever.
_BEGIN_LATER = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
# What reads the code of functions.
_READERS = words(
    "Bytecode co_code co_consts co_lines co_names co_positions findsource get_instructions getclosurevars getsource "
    "getsourcelines"
)
_CACHES = words("cached cached_property cachedmethod lru_cache memoize")
# Special methods of which only calls matter: none is asked when a class is made, and none says where an object is kept.
_CALLED = words(
    "__abs__ __add__ __and__ __bool__ __bytes__ __call__ __ceil__ __complex__ __contains__ __copy__ __deepcopy__ "
    "__del__ __delattr__ __delitem__ __dir__ __divmod__ __enter__ __exit__ __float__ __floor__ __floordiv__ "
    "__format__ __fspath__ __ge__ __getattr__ __getattribute__ __getitem__ __getnewargs__ __getstate__ __gt__ "
    "__iadd__ __iand__ __ifloordiv__ __ilshift__ __imatmul__ __imod__ __imul__ __index__ __init__ __int__ __invert__ "
    "__ior__ __ipow__ __irshift__ __isub__ __iter__ __itruediv__ __ixor__ __le__ __len__ __length_hint__ __lshift__ "
    "__lt__ __matmul__ __missing__ __mod__ __mul__ __neg__ __next__ __or__ __pos__ __post_init__ __pow__ __radd__ "
    "__rand__ __rdivmod__ __reduce__ __reduce_ex__ __repr__ __reversed__ __rfloordiv__ __rlshift__ __rmatmul__ "
    "__rmod__ __rmul__ __ror__ __round__ __rpow__ __rrshift__ __rshift__ __rsub__ __rtruediv__ __rxor__ __setattr__ "
    "__setitem__ __setstate__ __sizeof__ __str__ __sub__ __truediv__ __trunc__ __xor__"
)
# Special methods of which Python keeps what they have answered, or what was made of that: in a dict, in a class.
_KEPT = words(
    "__class_getitem__ __eq__ __hash__ __init_subclass__ __instancecheck__ __mro_entries__ __prepare__ __set_name__ "
    "__subclasscheck__ __subclasshook__"
)
_OF_IMPORT = words("create_module exec_module find_spec invalidate_caches")


class Evidence:
    """What the interpreter has said of the modules of a session.

    Args:
        reach: the names in their code.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def of_codes(
        self, starts: Sequence[Definition], pairs: Sequence[CodePair], records: Mapping[str, ModuleRecord]
    ) -> str | None:
        """Say where an answer of functions may be kept that import time has not called; nothing where none is.

        None where import time may have called one of them, or have made something of its code.

        Args:
            starts: the functions of a module that import-time code defines and that do something else now.
            pairs: what of their code, and of functions inside, is another.
            records: the modules of the generation.
        """
        differing = [pair for pair in pairs if pair.differs_itself]
        if not differing or any(docstring_of(pair.old) != docstring_of(pair.new) for pair in differing):
            return None
        found = self._of(starts, [pair.old for pair in differing], records)
        begin_later = any(pair.old.co_flags & _BEGIN_LATER for pair in differing)
        if found is not None and (begin_later or self._names_at_import(["__code__"])):
            return None if has_other_holders(records[starts[0].module].module, differing) else found
        return found

    def of_users(
        self, users: Collection[Definition], names: Collection[str], records: Mapping[str, ModuleRecord]
    ) -> str | None:
        """Say the same of functions that mention names which have another value now.

        Args:
            users: the functions that import-time code defines.
            names: of the values.
            records: the modules of the generation.
        """
        places = self._reach.computing_places()
        if any(isinstance(place, Body) or WITNESS.ran_at_import(place.code) for place in places):
            return None
        if any((wishes := wishes_of(records[user.module].module)) and wishes.callbacks for user in users):
            return None  # what is called when a module retires has the values of its time
        codes = [
            code
            for user in users
            for code in whole(user.code)
            if not frozenset(names_in(code, whole=False)).isdisjoint(names)
        ]
        return self._of(users, codes, records) if codes else ""

    def _of(
        self, starts: Collection[Definition], codes: Collection[CodeType], records: Mapping[str, ModuleRecord]
    ) -> str | None:
        """Say the same of functions some of whose codes, or of those inside of them, answer otherwise now."""
        if any(map(WITNESS.ran_at_import, codes)) or any(records[start.module].has_run_again for start in starts):
            return None
        if not self._saw_all_after(min(records[start.module].order for start in starts), records):
            return None
        if not all(self._is_plain(start, records) for start in starts) or self._names_at_import(_READERS):
            return None
        if not any(map(WITNESS.ran_later, codes)):
            return ""
        ran = list(filter(_has_run, self._reach.definitions_of_all()))
        if _is_running(codes) or any(self._outsider(start, records) for start in starts) or self._is_told(starts, ran):
            return None
        return self._kept(starts, ran, records)

    def _saw_all_after(self, order: int, records: Mapping[str, ModuleRecord]) -> bool:
        """Say whether all modules that have begun to run after one were watched when they did."""
        return all(
            record.body_code is not None and WITNESS.watches(record.body_code)
            for record in records.values()
            if record.order > order
        )

    def _names_at_import(self, names: Iterable[str]) -> bool:
        """Say whether code that import time may have run names one of these."""
        names = list(names)
        if any(map(self._reach.bodies_naming, names)):
            return True
        return any(WITNESS.ran_at_import(one.code) for one in self._reach.naming(names))

    def _is_plain(self, start: Definition, records: Mapping[str, ModuleRecord]) -> bool:
        """Say whether Python does nothing with a function but to call it, and whether its decorators are own code."""
        name, record = start.name, records[start.module]
        if name in _OF_IMPORT or (is_special(name) and ("." not in start.path or name not in _CALLED)):
            return False
        decorators = start.decorators or frozenset()
        if (method := self._reach.method(start)) is not None:
            cls = find_class(record.module, method.owner)
            if cls is None or issubclass(cls, type):
                return False
            decorators |= method.decorators - PLAIN_DECORATORS
        return not self._foreign(decorators - {name}, record, records)

    def _is_told(self, starts: Collection[Definition], ran: Iterable[Definition]) -> bool:
        """Say whether Python itself keeps what one of the functions has answered: the place of a key, by its hash."""
        return self._lead_to(list(filter(_is_kept_by_python, ran)), starts)

    def _lead_to(self, asking: Collection[Definition], starts: Collection[Definition]) -> bool:
        """Say whether functions may have called one of others, directly or through what has run.

        What leads there names it, or goes by way of a method that Python calls.
        """
        called = self._reach.called(asking) if asking else {}
        found = {id(start): start for start in starts}
        waiting = list(found.values()) if asking else []
        while waiting:
            one = waiting.pop()
            if id(one) in called or is_special(one.name):
                return True
            new = [other for other in self._reach.naming(one.called_by) if id(other) not in found and _has_run(other)]
            found.update((id(other), other) for other in new)
            waiting += new
        return False

    def _outsider(self, start: Definition, records: Mapping[str, ModuleRecord]) -> str:
        """Say which base from outside of the scope may keep what a method has answered."""
        method = self._reach.method(start)
        cls = find_class(records[start.module].module, method.owner) if method is not None else None
        return calling_base(cls, records) if cls is not None else ""

    def _foreign(self, names: Iterable[str], record: ModuleRecord, records: Mapping[str, ModuleRecord]) -> bool:
        """Say whether one of the names in a decorator may be somebody else's, who keeps or reads what it is given."""
        space = globals_of(record.module)
        return any(
            not (_is_own(space[name], records) if name in space else self._defines(name, records))
            for name in names
            if name not in KNOWN_DECORATORS
        )

    def _defines(self, name: str, records: Mapping[str, ModuleRecord]) -> bool:
        """Say whether an attribute of that name can only be own code."""
        spaces = (globals_of(record.module) for record in records.values())
        values = [space[name] for space in spaces if name in space]
        return bool(values or self._reach.defines(name)) and all(_is_own(value, records) for value in values)

    def _kept(
        self, starts: Collection[Definition], ran: Sequence[Definition], records: Mapping[str, ModuleRecord]
    ) -> str:
        """Say where one of the functions that have run may keep an answer of some."""
        if makers := [one for one in self._reach.naming(_CACHES) if WITNESS.ran_at_import(one.code) or _has_run(one)]:
            return f"`{makers[0].path}` may keep old answers"
        for one in ran:
            if one.keeps_in_closure and are_run([code for code in one.keepers if WITNESS.ran_later(code)]):
                return f"`{one.path}` may keep old answers in a closure"
            if self._may_be_cached(one, records) and self._lead_to([one], starts):
                return f"`{one.path}` may keep old answers"
        return find_kept(ran, records)

    def _may_be_cached(self, one: Definition, records: Mapping[str, ModuleRecord]) -> bool:
        """Say whether somebody else's decorator may keep what a function has answered."""
        decorators, record = (one.decorators or frozenset()) - {one.name}, records[one.module]
        return self._foreign(decorators, record, records) and not _is_empty(attribute_at(record.module, one.path))


def _has_run(definition: Definition) -> bool:
    """Say whether a function, or one inside of it, may have run since its import."""
    return any(map(WITNESS.ran_later, whole(definition.code)))


def _is_kept_by_python(definition: Definition) -> bool:
    name = definition.name
    return name in _KEPT or (is_special(name) and not name.startswith("__"))  # those of enumerations


def _is_own(value: Any, records: Mapping[str, ModuleRecord]) -> bool:
    """Say whether what a decorator names is own code, or a value that can keep nothing."""
    if isinstance(value, ModuleType):
        return value.__name__ in records
    kind = type(value)
    if id(kind) in ATOM_IDS:
        return True
    return home_of(value) in records


def _is_empty(value: Any) -> bool:
    """Say whether this is a cache of Python's own that has no answer."""
    return isinstance(value, CACHE) and not value.cache_info().currsize


def _is_running(codes: Iterable[CodeType]) -> bool:
    """Say whether a thread is in a function now, and will go on with its old code."""
    waiting: list[FrameType | None] = [*current_frames().values()]
    running: set[int] = set()
    while waiting:  # to the end, so that this call's own frame is not held by itself
        frame = waiting.pop()
        if frame is not None:
            running.add(id(frame.f_code))
            waiting.append(frame.f_back)
    return not running.isdisjoint(map(id, codes))
