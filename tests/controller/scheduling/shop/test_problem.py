import pytest

from controller.scheduling import ProblemError
from controller.scheduling.shop import Job, Mode, Operation, Resource, ShopProblem, Use, chain


def operation(*uses, duration=3):
    return Operation(modes=(Mode(duration=duration, uses=uses),))


BOTH = (Resource(name="arm"), Resource(name="nest"))


def shop(*operations, resources=BOTH, precedence=None, **job):
    given = chain(len(operations)) if precedence is None else precedence
    return ShopProblem(
        resources=resources, jobs=(Job(name="knee", operations=operations, precedence=given, **job),)
    )


ARM, NEST = Use(resource=0), Use(resource=1)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ShopProblem(resources=(), jobs=()), "there are no jobs"),
        (lambda: shop(), "job 'knee': has no operations"),
        (lambda: shop(Operation(modes=())), "operation 0: has no mode"),
        (lambda: shop(operation()), "mode 0: uses no resource"),
        (lambda: shop(operation(ARM, ARM)), "mode 0: uses a resource twice"),
        (lambda: shop(operation(ARM, duration=-1)), r"duration = -1: must lie in 0\.\."),
        (lambda: shop(operation(ARM, duration=2**41)), r"duration = 2199023255552: must lie"),
        (lambda: shop(*[operation(ARM, duration=2**39)] * 3), "one after the other take 1649267441664 ticks"),
        (lambda: shop(operation(Use(resource=2))), r"resource 2: must lie in 0\.\.1"),
        (lambda: shop(operation(Use(resource=0, enter=1))), r"enters in state 1: must lie in 0\.\.0"),
        (lambda: shop(operation(Use(resource=0, leave=1))), r"leaves in state 1: must lie in 0\.\.0"),
        (
            lambda: shop(operation(ARM), precedence=((0, 1),)),
            r"precedence \(0, 1\): must name operations 0\.\.0",
        ),
        (
            lambda: shop(operation(ARM), operation(ARM), precedence=((0, 1), (1, 0))),
            "precedence runs in a circle",
        ),
        (
            lambda: shop(
                operation(Use(resource=0, hold=True)),
                operation(ARM),
                operation(ARM),
                precedence=((0, 1), (0, 2)),
            ),
            "holds a resource, but 2 operations follow",
        ),
        (lambda: shop(operation(ARM), release=-1), "release = -1"),
        (lambda: shop(operation(ARM), release=9, due=8), r"due = 8: must lie in 9\.\."),
        (
            lambda: shop(operation(ARM), resources=(Resource(name="arm", setup=((1, 2), (3,))),)),
            r"resource 'arm': rows of setup have lengths \[2, 1\]",
        ),
        (
            lambda: shop(operation(ARM), resources=(Resource(name="arm", setup=((-4,),)),)),
            "resource 'arm': setup time -4",
        ),
    ],
)
def test_contradictions_are_named(build, message):
    with pytest.raises(ProblemError, match=message):
        build()


def test_all_findings_at_once():
    with pytest.raises(ProblemError) as error:
        shop(operation(ARM, duration=-1), operation(), release=-2)
    assert len(str(error.value).splitlines()) == 3


def test_what_is_plain():
    assert shop(operation(ARM), operation(NEST), release=4).is_plain
    assert not shop(operation(ARM, NEST)).is_plain
    assert not shop(operation(ARM), due=90).is_plain
    assert not shop(operation(Use(resource=0, hold=True))).is_plain
    assert not shop(operation(ARM), resources=(Resource(name="arm", setup=((1,),)),)).is_plain
    twice = Operation(modes=(Mode(duration=1, uses=(ARM,)), Mode(duration=2, uses=(ARM,))))
    assert not shop(twice).is_plain


def test_operations_are_numbered_job_by_job():
    jobs = [Job(name=str(k), operations=(operation(ARM),) * k, precedence=chain(k)) for k in (2, 1, 3)]
    problem = ShopProblem(resources=(Resource(name="arm"),), jobs=tuple(jobs))
    assert problem.firsts == (0, 2, 3, 6)
    assert problem.precedence == ((0, 1), (3, 4), (4, 5))
