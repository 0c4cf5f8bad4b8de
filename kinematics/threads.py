"""Large batches on several threads: kernels release the GIL, so a thread pool is enough."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from kinematics.arrays import Array

CHUNK = 4096  # samples, a multiple of LANES: about 0.1 ms of work, so little is lost when another thread is held up


def in_chunks(
    kernel: Callable[..., int], model: tuple[object, ...], samples: tuple[Array, ...], threads: int
) -> int:
    """Run a kernel on all samples, in chunks that threads take one after the other.

    A thread that gets no processor takes no chunks: then this is as fast as one thread. Results do not depend on the
    number of threads.

    Args:
        kernel: Takes the model and the samples; returns a count.
        model: First arguments.
        samples: Further arguments, each with the same first axis.
        threads: At most so many, this one included.

    Returns:
        The sum of the counts.
    """
    count = len(samples[0])
    if count < 2 * CHUNK or (threads := min(threads, count // CHUNK, os.cpu_count() or 1)) < 2:
        return kernel(*model, *samples)
    starts = iter(range(0, count, CHUNK))  # shared; the GIL makes each step of it atomic

    def work() -> int:
        return sum(kernel(*model, *(array[start : start + CHUNK] for array in samples)) for start in starts)

    others = [_pool().submit(work) for _ in range(threads - 1)]
    total = work()
    return total + sum(other.result() for other in others if not other.cancel())


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="kinematics")


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
