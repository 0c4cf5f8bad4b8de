"""Large batches on several threads: kernels release the GIL, so a thread pool is enough."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from kinematics.arrays import Array

CHUNK = 8192  # samples, a multiple of LANES: 0.1 to 1 ms of work; handing it to another thread costs 0.05 to 0.1 ms


def in_chunks(
    kernel: Callable[..., int], model: tuple[object, ...], samples: tuple[Array, ...], threads: int
) -> int:
    """Run a kernel on all samples, in chunks that threads take one after the other.

    Where the machine is busy with other things, a second thread would only be waited for: then there is one. Results do
    not depend on the number of threads.

    Args:
        kernel: Takes the model and the samples; returns a count.
        model: First arguments.
        samples: Further arguments, each with the same first axis.
        threads: At most so many, this one included.

    Returns:
        The sum of the counts.
    """
    count = len(samples[0])
    if count < 4 * CHUNK or (threads := min(threads, _free_cores())) < 2:
        return kernel(*model, *samples)
    starts = iter(range(0, count, CHUNK))  # shared; the GIL makes each step of it atomic

    def work() -> int:
        return sum(kernel(*model, *(array[start : start + CHUNK] for array in samples)) for start in starts)

    others = [_pool().submit(work) for _ in range(threads - 1)]
    total = work()
    return total + sum(other.result() for other in others if not other.cancel())


def _free_cores() -> int:
    """How many cores are free for this batch, this thread's included, by the load of the last minute."""
    cores = os.cpu_count() or 1
    return cores if os.getloadavg()[0] < cores + 0.5 else 1  # two threads of our own load two cores


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="kinematics")


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
