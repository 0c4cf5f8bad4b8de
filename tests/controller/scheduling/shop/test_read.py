import pytest

from cells.errors import CellError
from controller.scheduling.shop.read import read_shop


def read(folder, text, name="shop.txt"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_shop(path)


def shape(file):
    """Per job, per operation: {machine: duration}."""
    return [
        [{mode.uses[0].resource: mode.duration for mode in o.modes} for o in job.operations]
        for job in file.problem.jobs
    ]


def test_standard_job_shop(tmp_path):
    file = read(tmp_path, "# two jobs\n\n2 3\n0 5 1 6 2 7\n2 1 0 2 1 3\n", "shop.jsp")
    assert shape(file) == [[{0: 5}, {1: 6}, {2: 7}], [{2: 1}, {0: 2}, {1: 3}]]
    assert (file.kind, file.first_machine) == ("job shop", 0)
    assert [job.precedence for job in file.problem.jobs] == [((0, 1), (1, 2))] * 2


def test_machines_from_one_are_told_apart(tmp_path):
    file = read(tmp_path, "2 2\n1 5 2 6\n2 1 1 2\n")
    assert shape(file) == [[{0: 5}, {1: 6}], [{1: 1}, {0: 2}]]
    assert file.first_machine == 1
    assert [resource.name for resource in file.problem.resources] == ["machine 1", "machine 2"]


def test_taillards_specification(tmp_path):
    file = read(tmp_path, "1 3\n6 7 5\n2 3 1\n")
    assert shape(file) == [[{1: 6}, {2: 7}, {0: 5}]]
    assert file.kind == "job shop (Taillard's specification)"


@pytest.mark.parametrize("name", ["shop.fjs", "shop.txt"])
def test_flexible_job_shop(tmp_path, name):
    file = read(tmp_path, "2 3 1.5\n2 2 1 5 3 4 1 2 9\n1 1 1 2\n", name)
    assert shape(file) == [[{0: 5, 2: 4}, {1: 9}], [{0: 2}]]
    assert (file.kind, file.first_machine) == ("flexible job shop", 1)


def test_precedence_graphs(tmp_path):
    file = read(tmp_path, "5 3 2\n0 2\n1 2\n3 4\n1 0 4\n2 0 5 1 6\n1 1 7\n1 0 8\n1 1 9\n", "shop.fjs")
    assert shape(file) == [[{0: 4}, {0: 5, 1: 6}, {1: 7}], [{0: 8}, {1: 9}]]
    assert [job.precedence for job in file.problem.jobs] == [((0, 2), (1, 2)), ((0, 1),)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: is empty \(allowed: a line with the numbers of jobs and machines\)"),
        ("2\n", r"line 1: 1 numbers: .*allowed: 2 or 3 numbers"),
        ("2 2\n0 1 1 2\n0 x 1 2\n", r"line 3: 0 x 1 2: is not a row of numbers"),
        ("2 2\n0 1 1 2\n", r"line 3: 1 lines: .*allowed: 2 lines with the operations of a job each"),
        ("1 2\n0 1 1 2\n0 1 1 2\n", r"line 3: 2 lines: .*allowed: 1 lines"),
        ("1 2\n0 1 1\n", r"line 2: 3 numbers: .*pairs of machine and duration: an even number"),
        ("1 2\n0 1 3 2\n", r"line 2: 3, number 3 of the line: .*machine, a whole number in 0\.\.2"),
        ("1 2\n0 1 1 -2\n", r"line 2: -2, number 4 of the line: .*duration, a whole number in 0\.\."),
        ("1 2\n0 1 1 2.5\n", r"line 2: 2.5, number 4"),
        ("1 2\n0 1 1 nan\n", r"line 2: nan, number 4"),
        ("1 2\n0 1 1 inf\n", r"line 2: inf, number 4"),
        (
            "1 2\n0 1 2 2\n",
            r"line 2: machines 0 and 2: both occur: .*2 machines, counted from 0 or from 1|both occur",
        ),
        ("0 2\n", r"line 1: 0, number 1 of the line: .*number of jobs"),
        ("nan 2\n1 1\n", r"line 1: nan, number 1"),
        ("1 1e400\n1 1\n", r"line 1: inf, number 2"),
    ],
)
def test_malformed_job_shops(tmp_path, text, message):
    with pytest.raises(CellError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2\n2 1 0 5\n", r"line 2: 4 numbers: .*at least 5 numbers: number of alternatives is missing"),
        ("1 2\n1 1 0 5 7\n", r"line 2: 5 numbers: .*4 numbers for 1 operations"),
        (
            "1 2\n1 -3 0 5\n",
            r"line 2: -3, number 2 of the line: .*number of alternatives, a whole number in 1\.\.2",
        ),
        ("1 2\n1 2 0 5\n", r"at least 5 numbers: machine is missing"),
        ("2 1 1\n0 1\n1 0 1\n", r"line 4: 2 lines: .*3 lines with 1 arcs and 2 operations"),
        (
            "2 1 1\n0 7\n1 0 1\n1 0 1\n",
            r"line 2: 7, number 2 of the line: .*operation, a whole number in 0\.\.1",
        ),
        (
            "2 2 1\n0 1\n1 0\n1 0 1\n1 0 1\n",
            r"line [23]: .*precedence (0 -> 1 -> 0|1 -> 0 -> 1) runs in a circle",
        ),
        ("1 1 1\n0 0\n1 0 1\n", r"line 2: .*precedence 0 -> 0 runs in a circle"),
    ],
)
def test_malformed_flexible_job_shops(tmp_path, text, message):
    with pytest.raises(CellError, match=message):
        read(tmp_path, text, "shop.fjs")


def test_bytes_and_missing_files(tmp_path):
    (tmp_path / "shop.txt").write_bytes(b"\xff\xfe2 2")
    with pytest.raises(CellError, match="is not text"):
        read_shop(tmp_path / "shop.txt")
    with pytest.raises(OSError, match="No such file"):
        read_shop(tmp_path / "none.txt")
