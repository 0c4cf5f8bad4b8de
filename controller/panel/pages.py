"""The page: one shell for every address in it, its style and its modules, read once and served from memory."""

import hashlib
import mimetypes
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from controller.panel.problems import ProblemError

router = APIRouter(include_in_schema=False)
SHELL_PATHS = (
    "/",
    "/login",
    "/setup",
    "/history",
    "/orders",
    "/maintenance",
    "/system",
    "/3d",
    "/arms/{arm}",
    "/joints/{serial:path}",
)
mimetypes.add_type("text/javascript", ".js")
_FILES = {
    entry.name: (entry.read_bytes(), mimetypes.guess_type(entry.name)[0] or "application/octet-stream")
    for entry in files("controller.panel").joinpath("static").iterdir()
    if entry.is_file()
}


def page_bytes() -> int:
    """What a browser loads for the page, all modules together."""
    return sum(len(content) for content, _ in _FILES.values())


def _file(name: str, request: Request) -> Response:
    if name not in _FILES:
        raise ProblemError(404, "there is no such page")
    content, kind = _FILES[name]
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)


@router.get("/static/{name}")
async def static(name: str, request: Request) -> Response:
    """A style sheet, a module or an icon."""
    return _file(name, request)


async def shell(request: Request) -> Response:
    """The page; its modules find out from the address what to show."""
    return _file("index.html", request)


for _path in SHELL_PATHS:
    router.add_api_route(_path, shell, methods=["GET"])
