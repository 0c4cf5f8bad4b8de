"""Random shops with any mixture of features, small enough for an oracle."""

import numpy as np

from controller.scheduling.shop import Job, Mode, Operation, Resource, ShopProblem, Use, chain

FEATURES = ("flexible", "assembly", "several", "setup", "blocking", "release", "due")


def random_shop(rng: np.random.Generator, operations: int, features: frozenset[str]) -> ShopProblem:
    """A shop of about that many operations; without features it is a job shop. Some operations take no time."""
    m = int(rng.integers(2, 5))
    states = 3 if "setup" in features else 1
    resources = tuple(
        Resource(
            name=f"R{r}",
            setup=tuple(tuple(map(int, rng.integers(0, 6, states))) for _ in range(states))
            if states > 1
            else (),
        )
        for r in range(m)
    )
    jobs: list[Job] = []
    left = operations
    while left > 0:
        count = min(left, int(rng.integers(1, 5)))
        left -= count
        precedence = chain(count)
        if "assembly" in features:
            precedence = tuple(
                (a, b) for a in range(count) for b in range(a + 1, count) if rng.random() < 0.5
            )
        followers = [sum(a == k for a, _ in precedence) for k in range(count)]
        modes = [_modes(rng, m, states, features, followers[k]) for k in range(count)]
        release = int(rng.integers(0, 15)) if "release" in features else 0
        longest = sum(max(mode.duration for mode in choices) for choices in modes)
        due = release + longest + int(rng.integers(5, 60)) if "due" in features else None
        jobs.append(
            Job(
                name=f"J{len(jobs)}",
                operations=tuple(Operation(modes=choices) for choices in modes),
                precedence=precedence,
                release=release,
                due=due,
            )
        )
    return ShopProblem(resources=resources, jobs=tuple(jobs))


def _modes(
    rng: np.random.Generator, m: int, states: int, features: frozenset[str], followers: int
) -> tuple[Mode, ...]:
    """Modes; without the feature `several` each takes another resource, as in a flexible job shop."""
    number = int(rng.integers(1, min(m, 3) + 1)) if "flexible" in features else 1
    if "several" in features:
        groups = [rng.choice(m, int(rng.integers(1, min(m, 3) + 1)), replace=False) for _ in range(number)]
    else:
        groups = [np.array([r]) for r in rng.choice(m, number, replace=False)]
    return tuple(
        Mode(
            duration=int(rng.integers(0, 10)),
            uses=tuple(
                Use(
                    resource=int(r),
                    enter=int(rng.integers(states)),
                    leave=int(rng.integers(states)),
                    hold="blocking" in features and followers <= 1 and bool(rng.random() < 0.6),
                )
                for r in group
            ),
        )
        for group in groups
    )
