"""Worlds for the tests of the simulation; each is closed after its test."""

from collections.abc import Callable, Iterator

import pytest

from cells.cell import Cell, load_cell
from sim.world import World


@pytest.fixture(scope="session")
def cell() -> Cell:
    return load_cell("six_arm")


@pytest.fixture
def new_world(cell: Cell) -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def build(seed: int = 0, *, ideal: bool = True) -> World:
        worlds.append(World(cell, seed, ideal=ideal))
        return worlds[-1]

    yield build
    for world in worlds:
        world.close()
