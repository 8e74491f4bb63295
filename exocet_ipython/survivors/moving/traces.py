"""What jax remembers of functions: it traces each once, and knows it by its identity from then on.

A function whose code is another by now, or that calls one, would go on as it was traced: compiled, in loops
(`lax.scan`), in what an instance has put away (`self.step = jax.jit(self._step)`). After a restart nothing is traced.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["forget_traces", "holds_traces"]

_JAX = frozenset(("jax", "equinox", "flax", "haiku", "numpyro", "optax"))  # and what is used in its place


def holds_traces() -> bool:
    """Say whether there may be anything that `forget_traces` is for.

    >>> holds_traces() is ("jax" in sys.modules)
    True
    """
    return "jax" in sys.modules


def forget_traces(names: Iterable[str], records: Mapping[str, ModuleRecord]) -> None:
    """Have jax forget what it has traced, where one of the modules has to do with it: all of that is traced again.

    Args:
        names: dotted names of the modules whose functions answer anew, and of those that import them.
        records: of the modules that are current.

    >>> forget_traces(["model"], {})
    """
    jax: Any = sys.modules.get("jax")
    if jax is not None and any(_uses_jax(records[name]) for name in names if name in records):
        jax.clear_caches()


def _uses_jax(record: ModuleRecord) -> bool:
    return any(name.partition(".")[0] in _JAX for statement in record.imports for name in statement.names)
