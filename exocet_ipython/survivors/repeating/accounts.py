"""Instances that functions make where there is none yet, and count or collect in.

`ITEMS.setdefault(sku, Item(sku)).left += n`, `node(a).out.append(node(b))`: they are kept as answers are, in a map that
is asked first, but tell nothing that was computed. What they say is what they were told since.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.reloading.holding.contents import is_registry
from exocet_ipython.reloading.holding.parameters import defaults_of
from exocet_ipython.reloading.ladder.operations import is_same_constant
from exocet_ipython.survivors.classes import own_attributes
from exocet_ipython.survivors.storing.stores import Stores

__all__ = ["is_account", "is_made_of"]


def is_account(key: Any, value: Any, stores: Stores) -> bool:
    """Say whether what is under a key is an instance in which functions count, and that was made of no more than that.

    Its other attributes are the key or a part of it, containers, and what its class and its constructor say themselves.

    Args:
        key: under which it is.
        value: the instance.
        stores: what functions store.

    >>> class Item:
    ...     def __init__(self, sku, price=1): self.sku, self.price, self.left = sku, price, 0
    >>> stores = Stores(counted={"left"})
    >>> [is_account("tea", Item(sku), known) for sku, known in (("tea", stores), ("tea", Stores()), (9, stores))]
    [True, False, False]
    """
    attributes = own_attributes(value)
    counted, told = stores.counted, stores.told
    if not any(name in counted or (name in told and is_registry(part) and part) for name, part in attributes.items()):
        return False
    return is_made_of(key, value, stores)


def is_made_of(key: Any, value: Any, stores: Stores) -> bool:
    """Say whether an instance has nothing else than its key, containers, counts and what its constructor says itself.

    Args:
        key: under which it is.
        value: the instance.
        stores: what functions store.
    """
    attributes = own_attributes(value)
    makes = first_named("__init__", mro_of(type(value)))
    said = [key, *(key if type(key) is tuple else ())]
    if type(makes) is FunctionType:
        said += [*makes.__code__.co_consts, *defaults_of(makes).values()]
    return all(
        name in stores.counted or is_registry(part) or any(is_same_constant(part, known) for known in said)
        for name, part in attributes.items()
    )
