"""Errors as documents: RFC 9457 problem details, for people and programs alike."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
_SHOWN = 10


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457), with what is allowed where that has a meaning."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    state: str | None = None
    allowed: list[str] | None = None
    errors: list[dict[str, str]] | None = None


class ProblemError(Exception):
    """Ends a request with a problem document.

    Args:
        status: HTTP status.
        detail: What happened and what is allowed, in words.
        headers: Headers of the answer.
        facts: Members of the document beyond RFC 9457.
    """

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **facts: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.facts = facts


def problem_response(
    status: int, detail: str, headers: Mapping[str, str] | None = None, **facts: Any
) -> JSONResponse:
    """The document as an answer."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **facts,
    }
    return JSONResponse(document, status, dict(headers or {}), MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Entries of OpenAPI for the problems that an operation may answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(statuses)
    }


def install(app: FastAPI) -> None:
    """Answer every error of an application with a problem document."""

    @app.exception_handler(ProblemError)
    async def on_problem(_: Request, error: ProblemError) -> JSONResponse:
        return problem_response(error.status, error.detail, error.headers, **error.facts)

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> JSONResponse:
        return problem_response(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        found = [
            {"where": ".".join(map(str, entry["loc"])), "message": str(entry["msg"])}
            for entry in error.errors()[:_SHOWN]
        ]
        detail = "; ".join(f"{entry['where']}: {entry['message']}" for entry in found)
        return problem_response(422, detail, errors=found)
