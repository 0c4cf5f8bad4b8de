import dataclasses
import hashlib
import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from controller.motion.plan_document import (
    CellRecord,
    HandRecord,
    LegRecord,
    NodeRecord,
    PlanDocument,
    SweepRecord,
    json_schema,
)
from controller.motion.plan_files import (
    PLAN_FILE,
    TRAJECTORY_FILE,
    PlanFileError,
    read_plan,
    write_plan,
)
from controller.motion.plan_records import cell_record
from tests.controller.motion.small_plan import CELL, cell, planned

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA, FORMAT = DOCS / "plan.schema.json", DOCS / "plan-format.md"
WRITE_SCHEMA = "python -m controller.motion.plan_document > docs/plan.schema.json"
RECORDS = (PlanDocument, CellRecord, HandRecord, LegRecord, NodeRecord, SweepRecord)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("plan")
    write_plan(directory, planned(), cell(), CELL)
    return directory


@pytest.fixture
def directory(written, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(written, tmp_path, dirs_exist_ok=True)


def edit(directory, change):
    document = json.loads((directory / PLAN_FILE).read_text())
    change(document)
    (directory / PLAN_FILE).write_text(json.dumps(document))


def grip(document):
    """The process of the first leg that grips."""
    return next(leg["process"] for leg in document["legs"] if leg["process"] and "force_n" in leg["process"])


def test_a_plan_read_back_says_what_the_plan_says(directory):
    plan, stored = planned(), read_plan(directory)
    assert stored.document.order == tuple(model.name for model in plan.order)
    assert stored.document.cell == cell_record(cell(), CELL)
    for node, before, start, record in zip(
        plan.graph.nodes, plan.graph.predecessors, plan.starts_s, stored.document.nodes, strict=True
    ):
        assert (record.resource, record.label, record.serial) == (node.resource, node.label, node.serial)
        assert (record.duration_s, record.start_s) == (node.duration_s, start)
        assert set(record.predecessors) == set(before)
        assert {(other, node.id) for other in record.coordination} == {
            arc for arc in plan.graph.coordination if arc[1] == node.id
        }
        if node.leg is None:
            assert record.leg is None
            continue
        leg = stored.document.legs[record.leg]
        motion = stored.trajectories[leg.trajectory]
        for name in ("t", "q", "qd", "qdd"):
            assert np.array_equal(getattr(motion, name), getattr(node.leg.trajectory, name))
        assert (leg.name, leg.station) == (node.leg.name, node.leg.station)
        assert leg.held == ("" if node.leg.held is None else node.leg.held.name)
        assert leg.finger_m == node.leg.finger_m
        if node.leg.process is None:
            assert leg.process is None
        else:
            found = leg.process.model_dump(exclude={"kind"})
            assert found == dataclasses.asdict(node.leg.process)


def test_the_schema_is_the_one_that_is_published(directory):
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert published == json_schema(), f"write it anew: {WRITE_SCHEMA}"
    validator = jsonschema.Draft202012Validator(published)
    validator.check_schema(published)
    document = json.loads((directory / PLAN_FILE).read_text())
    validator.validate(document)
    document["nodes"][3]["duration_s"] = -1.0
    (error,) = validator.iter_errors(document)
    assert list(error.absolute_path) == ["nodes", 3, "duration_s"]


def test_what_the_format_says_of_fields_is_all_of_them():
    text = FORMAT.read_text(encoding="utf-8")
    for record in RECORDS:
        for name in record.model_fields:
            assert f"`{name}`" in text, (record.__name__, name)


def test_equal_plans_are_equal_files(directory, tmp_path):
    again = tmp_path / "again"
    write_plan(again, planned(), cell(), CELL)
    for name in (PLAN_FILE, TRAJECTORY_FILE):
        assert (directory / name).read_bytes() == (again / name).read_bytes()


def test_numpy_reads_the_trajectories_without_pickle(directory):
    with np.load(directory / TRAJECTORY_FILE, allow_pickle=False) as arrays:
        assert arrays["first"][-1] == len(arrays["t"]) == len(arrays["q"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(schema_version=1), "schema_version"),
        (lambda d: d.update(extra=1), "extra: 1: unknown key"),
        (lambda d: d["nodes"][3].pop("predecessors"), r"nodes\[3\].predecessors: is missing"),
        (lambda d: d["nodes"][3].update(predecessors=[10**6]), r"nodes\[3\].predecessors: 1000000"),
        (lambda d: d["nodes"][3].update(predecessors=[-1]), r"nodes\[3\].predecessors\[0\]"),
        (lambda d: d["nodes"][3].update(leg=None), r"nodes\[3\].leg"),
        (lambda d: d["nodes"][3].update(leg=10**6), r"nodes\[3\].leg: 1000000"),
        (lambda d: d["nodes"][3].update(joint=7), r"nodes\[3\].joint: 7"),
        (lambda d: d["nodes"][3].update(coordination=[0, 1]), r"nodes\[3\].coordination"),
        (lambda d: d["legs"][2].update(trajectory=10**6), r"legs\[2\].trajectory: 1000000"),
        (lambda d: d["hands"][0].update(radius_m=float("nan")), "NaN is not a number"),
        (lambda d: d["sweeps"][1].update(leg=10**6), r"sweeps\[1\]: no leg 1000000"),
        (lambda d: d["sweeps"][1].update(arm="R9"), r"sweeps\[1\]: .*'R9'"),
        (lambda d: grip(d).update(kind="grab"), "process"),
        (lambda d: grip(d).pop("force_n"), r"process.grip.force_n: is missing"),
        (lambda d: d["hands"][0].update(radius_m="wide"), r"hands\[0\].radius_m"),
        (lambda d: d.update(trajectories_sha256="0" * 64), "belong to two plans"),
    ],
)
def test_a_malformed_document_is_refused_by_file_and_field(directory, change, message):
    edit(directory, change)
    with pytest.raises(PlanFileError, match=rf"(?s){PLAN_FILE}.*{message}"):
        read_plan(directory)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"a": ' + b"1" * 5000 + b"}"])
def test_what_is_not_a_document_is_refused(directory, content):
    (directory / PLAN_FILE).write_bytes(content)
    with pytest.raises(PlanFileError, match=PLAN_FILE):
        read_plan(directory)


def test_a_missing_file_is_named(directory):
    (directory / TRAJECTORY_FILE).unlink()
    with pytest.raises(PlanFileError, match=f"{TRAJECTORY_FILE}: is not a file"):
        read_plan(directory)


def replace_arrays(directory, **changes):
    """Write other bytes for some arrays, with the check sum that belongs to them."""
    path = directory / TRAJECTORY_FILE
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    for name, content in changes.items():
        entries[f"{name}.npy"] = content
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edit(directory, lambda document: document.update(trajectories_sha256=digest))


def npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def claimed(shape):
    """A header that promises more than there is."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return stream.getvalue() + b"\0" * 8


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t", b"no array", "t: is not an array"),
        ("t", claimed((10**15,)), "t: is float64 of shape"),
        ("q", npy(np.zeros((6, 6), order="F") + np.eye(6)), "q: has 6 rows"),
        ("q", npy(np.zeros((4, 5))), "q: is float64 of shape"),
        ("first", npy(np.array([1.0])), "first: is float64"),
        ("first", npy(np.array([0, 5, 5])), "first: expected ascending"),
    ],
)
def test_malformed_arrays_are_refused_by_file_and_name(directory, name, content, message):
    replace_arrays(directory, **{name: content})
    with pytest.raises(PlanFileError, match=f"{TRAJECTORY_FILE}: {message}"):
        read_plan(directory)


def test_arrays_of_objects_are_not_unpickled(directory):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    replace_arrays(directory, t=stream.getvalue() + pickle.dumps(Trap()))
    with pytest.raises(PlanFileError, match=f"{TRAJECTORY_FILE}: t"):
        read_plan(directory)


def test_knots_that_are_no_numbers_are_refused(directory):
    stored = read_plan(directory)
    rows = sum(len(motion.t) for motion in stored.trajectories)
    replace_arrays(directory, qd=npy(np.full((rows, 6), np.nan)))
    with pytest.raises(PlanFileError, match=r"trajectory 0: .*qd"):
        read_plan(directory)
