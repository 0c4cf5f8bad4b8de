"""Solve a shop: the core that fits, a bound, and a schedule that has been checked."""

import numpy as np

from controller.scheduling.shop.annealing import anneal
from controller.scheduling.shop.elite import Candidate
from controller.scheduling.shop.graph import Int64Array
from controller.scheduling.shop.problem import ShopProblem
from controller.scheduling.shop.replay import replay
from controller.scheduling.shop.search import Improve, Start, search
from controller.scheduling.shop.start import dispatch, one_by_one
from controller.scheduling.shop.tables import any_shop, plain_shop
from controller.scheduling.shop.tabu import tabu_search

_TENURE = (8, 14)

def cores(problem: ShopProblem, target: int) -> tuple[Start, Improve]:
    shop, m = any_shop(problem), len(problem.resources)
    firsts = np.array(problem.firsts)
    plain = plain_shop(shop) if problem.is_plain else None
    def start(rng):
        return dispatch(shop, m, rng) if plain else one_by_one(shop, firsts, rng)
    def improve(order, mode, iterations, seed, stop):
        if plain is not None:
            _, done = tabu_search(plain, m, order, mode, np.array([iterations, target, *_TENURE, seed]), stop)
        else:
            *_, done = anneal(shop, m, order, mode, np.array([iterations, target, seed]), stop)
        begins = np.empty(len(order), np.int64)
        makespan, late = replay(shop, order, mode, begins, np.empty((3, m), np.int64))
        return Candidate(late=late, makespan=makespan, order=order, mode=mode, start=begins), done
    return start, improve
