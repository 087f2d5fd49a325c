"""The API's OpenAPI description and its pages. Every file comes from this machine: they work without the internet."""

import asyncio
import base64
import hashlib
import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any, Final

from litestar import Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    Reference,
    Schema,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath
from litestar.types import Method

from orchestrator.lib.errors.problems import NotFound

_PROJECT: Final = Path(__file__).parents[2] / "pyproject.toml"

VERSION: Final[str] = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]

_ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "swagger-ui.css": "text/css",
}

_INLINE_SCRIPT: Final = re.compile(rb"<script(?![^>]* src=)[^>]*>(.*?)</script>", re.DOTALL)

_TEXT: Final = Schema(type=OpenAPIType.STRING)
_PROBLEM: Final = Schema(
    type=OpenAPIType.OBJECT,
    description="RFC 9457 problem details.",
    required=["type", "title", "status", "detail", "instance", "request_id"],
    properties={
        **dict.fromkeys(("type", "title", "detail", "instance", "request_id"), _TEXT),
        "status": Schema(type=OpenAPIType.INTEGER),
        "errors": Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(type=OpenAPIType.OBJECT, properties={"field": _TEXT, "message": _TEXT}),
        ),
    },
)
_OPENAI_ERROR: Final = Schema(
    type=OpenAPIType.OBJECT,
    description="OpenAI's error shape.",
    required=["error"],
    properties={
        "error": Schema(
            type=OpenAPIType.OBJECT,
            required=["message", "type", "param", "code"],
            properties={
                **dict.fromkeys(("message", "type", "code"), _TEXT),
                "param": Schema(type=[OpenAPIType.STRING, OpenAPIType.NULL]),
            },
        )
    },
)


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Lectern",
        version=VERSION,
        description="Reads documents aloud. Send your API key as `Authorization: Bearer KEY`.",
        openapi_router=Router(
            path="/docs",
            route_handlers=[],
            opt={"public": True},
            include_in_schema=False,
            after_request=_with_policy,
        ),
        operation_id_creator=_operation_id,
        render_plugins=[
            SwaggerRenderPlugin(
                js_url="/docs-assets/swagger-ui-bundle.js",
                css_url="/docs-assets/swagger-ui.css",
                standalone_preset_js_url="/docs-assets/swagger-ui-standalone-preset.js",
                favicon='<link rel="icon" href="data:,">',  # the default is fetched from a public server
                path="/",
            ),
            JsonRenderPlugin(),
        ],
        components=Components(security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"key": []}],
    )


async def _with_policy(response: Response[Any]) -> Response[Any]:
    """Allows the page its own scripts, and what Swagger UI does: inline styles, icons as data, audio as blobs."""
    page = response.content if isinstance(response.content, bytes) else b""
    scripts = [base64.b64encode(hashlib.sha256(one).digest()).decode() for one in _INLINE_SCRIPT.findall(page)]
    hashes = "".join(f" 'sha256-{digest}'" for digest in scripts)
    response.headers["content-security-policy"] = (
        f"default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        " connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return response


def _operation_id(handler: HTTPRouteHandler, method: Method, _path: object) -> str:
    """Returns the handler's name; a handler of GET and HEAD is two operations, which need two names."""
    return (
        f"{handler.handler_name}_headers"
        if method == "HEAD" and len(handler.http_methods) > 1
        else handler.handler_name
    )


def describe_errors(api: OpenAPI) -> None:
    """Adds how each operation fails, in place of Litestar's own errors, which are never sent.

    Every object also says that it has no other fields, as `lib.schema` requires.
    """
    components = api.components
    components.schemas = {**(components.schemas or {}), "Problem": _PROBLEM, "OpenAiError": _OPENAI_ERROR}
    for schema in components.schemas.values():
        if isinstance(schema, Schema) and schema.type == OpenAPIType.OBJECT:
            schema.additional_properties = False
    for path, item in (api.paths or {}).items():
        media_type, name = (
            ("application/json", "OpenAiError") if path.startswith("/v1/") else ("application/problem+json", "Problem")
        )
        content = {media_type: OpenAPIMediaType(schema=Reference(ref=f"#/components/schemas/{name}"))}
        for operation in (item.get, item.post, item.put, item.patch, item.delete, item.head):
            if operation is not None and operation.responses is not None:
                operation.responses.pop("400", None)
                operation.responses["4XX"] = OpenAPIResponse(description="The request is refused", content=content)
                operation.responses["5XX"] = OpenAPIResponse(description="It cannot be done now", content=content)


@get("/docs-assets/{name:str}", include_in_schema=False, opt={"public": True})
async def docs_asset(name: FromPath[str]) -> Response[bytes]:
    if name not in _ASSETS:
        raise NotFound
    data = await asyncio.to_thread((_folder() / name).read_bytes)
    return Response(data, media_type=_ASSETS[name], headers={"cache-control": "public, max-age=86400"})


def _folder() -> Path:
    """Returns the package's folder without an import, which would need Flask."""
    spec = importlib.util.find_spec("flask_swagger_ui")
    if spec is None or not spec.submodule_search_locations:
        raise NotFound("The package with the pages' files is not installed.")
    return Path(spec.submodule_search_locations[0]) / "dist"
