"""The description of the interface: complete, and kept by the interface whatever is sent (schemathesis)."""

import contextlib
import warnings
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as openapi_checks

from controller.panel.users import Role, User
from tests.controller.panel.rig import ORIGIN, Rig

PROBLEM = "application/problem+json"
EXAMPLES, MANY, SEED = 1, 16, 7


def described(rig: Rig) -> dict[str, Any]:
    document: dict[str, Any] = rig.app.openapi()
    return document


def test_every_operation_says_what_it_does_and_answers(rig: Rig) -> None:
    document = described(rig)
    operations = [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    assert len(operations) > 45
    for method, path, operation in operations:
        assert operation["description"], (method, path)
        answers = operation["responses"]
        assert any(code.startswith("2") for code in answers), (method, path)
        if path.startswith("/api/v1/") and path not in ("/api/v1/sessions", "/api/v1/setup"):
            assert {"401", "403"} <= set(answers), (method, path)
            assert operation["security"], (method, path)
        if method in ("post", "put", "delete"):
            assert {"403", "408", "413"} <= set(answers), (method, path)
        if "requestBody" in operation or operation.get("parameters"):
            assert "422" in answers or path == "/metrics", (method, path)
        for code, answer in answers.items():
            if code.startswith(("4", "5")):
                assert list(answer["content"]) == [PROBLEM], (method, path, code)


def test_references_lead_somewhere(rig: Rig) -> None:
    document = described(rig)

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                found: Any = document
                for part in value["$ref"].removeprefix("#/").split("/"):
                    found = found[part]
            for entry in value.values():
                walk(entry)
        elif isinstance(value, list):
            for entry in value:
                walk(entry)

    walk(document)
    assert "HTTPValidationError" not in document["components"]["schemas"]


class Fuzz:
    """Sends generated requests to every operation and holds every answer against the description."""

    checks = (
        not_a_server_error,
        openapi_checks.status_code_conformance,
        openapi_checks.content_type_conformance,
        openapi_checks.response_headers_conformance,
        openapi_checks.response_schema_conformance,
    )

    def __init__(self, rig: Rig, *, user: str) -> None:
        self.rig = rig
        self.user = user
        self.codes: Counter[int] = Counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.schema = schemathesis.openapi.from_asgi(
                "/api/v1/openapi.json", rig.app, headers={"host": ORIGIN.removeprefix("http://")}
            )

    def send(self, examples: int) -> None:
        for result in self.schema.get_all_operations():
            operation = result.ok()
            if operation.path.endswith("/dry-runs"):
                continue  # they would start processes
            for mode in GenerationMode:
                self._operation(operation.as_strategy(generation_mode=mode), examples)

    def _operation(self, cases: Any, examples: int) -> None:
        @seed(SEED)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def one(case: Any) -> None:
            proofs = ("authorization", "cookie")  # those are not the generator's to choose
            case.headers = {n: v for n, v in (case.headers or {}).items() if n.lower() not in proofs}
            case.cookies = {}
            headers = {"host": ORIGIN.removeprefix("http://"), "origin": ORIGIN}
            if self.user:
                secret = self.rig.panel.sessions.open(User(name=self.user, role=Role.ENGINEER, created_ns=0))
                headers["cookie"] = f"jointcell={secret}"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = case.call(headers=headers)
                case.validate_response(answer, checks=list(self.checks))
            self.codes[answer.status_code] += 1

        with contextlib.suppress(
            Unsatisfiable
        ):  # nothing that is wrong can be said to an operation without input
            one()


@pytest.mark.parametrize("user", ["anna", ""])
def test_the_interface_keeps_its_description(rig: Rig, user: str) -> None:
    fuzz = Fuzz(rig, user=user)
    fuzz.send(EXAMPLES)
    assert sum(fuzz.codes.values()) > 60
    assert max(fuzz.codes) < 505
    if user:
        assert sum(count for code, count in fuzz.codes.items() if code < 300) > 10
        assert fuzz.codes[401] < sum(fuzz.codes.values()) / 4, "it has logged in"
    else:
        assert set(fuzz.codes) <= {200, 400, 401, 403, 405, 409, 413, 422, 429}
        assert rig.cell.asked == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_thousands_of_generated_requests(make: Any) -> None:
    """At least 2000 requests, logged in and not; no failure, no error of the server."""
    rig: Rig = make()
    codes: Counter[int] = Counter()
    for user in ("anna", ""):
        fuzz = Fuzz(rig, user=user)
        fuzz.send(MANY)
        codes += fuzz.codes
    print(f"{sum(codes.values())} requests: {dict(sorted(codes.items()))}")
    assert sum(codes.values()) >= 2000
    assert not any(code >= 500 and code != 504 for code in codes)
