"""Objects that C code has freed and keeps for later are left alone: taking hold of one would free it once more."""

from __future__ import annotations

import subprocess
import sys

# The C part of asyncio has such objects once futures were awaited.
LOOKS = """
import asyncio, gc, sys, numpy

async def wait(future): await future

async def run():
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(30)]
    for future in futures: loop.call_soon(future.set_result, None)
    await asyncio.gather(*map(wait, futures))

asyncio.run(run())
from exocet_ipython.reloading.collector import referents_of
from exocet_ipython.survivors.replacing.hidden import find_hidden_holders

thing = object()
held = numpy.array([thing], dtype=object)
for _ in range(3):
    assert [array is held for array in find_hidden_holders([thing], [])] == [True]
    assert referents_of(sys.modules["_asyncio"]) == []
gc.collect()
print(len(gc.get_objects()) > 0)
"""


def test_the_heap_is_whole_after_a_look_at_all_of_it() -> None:
    """After asyncio has run, and all of the heap was looked through for what holds an object, a collection ends."""
    done = subprocess.run([sys.executable, "-c", LOOKS], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
