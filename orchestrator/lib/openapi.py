"""The API's description and its pages, all from this machine: they work without the internet."""

import asyncio
import importlib.util
from pathlib import Path
from typing import Final

from litestar import Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import FromPath
from litestar.types import Method

from orchestrator.lib.errors.problems import NotFound
from orchestrator.lib.version import VERSION

_TYPES: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "swagger-ui.css": "text/css",
}


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Lectern",
        version=VERSION,
        description="Reads documents aloud. Send your API key as `Authorization: Bearer KEY`.",
        openapi_router=Router(path="/docs", route_handlers=[], opt={"public": True}, include_in_schema=False),
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


def _operation_id(handler: HTTPRouteHandler, method: Method, _path: object) -> str:
    """The handler's name; a handler of GET and HEAD is two operations, which may not share one."""
    return (
        f"{handler.handler_name}_headers"
        if method == "HEAD" and len(handler.http_methods) > 1
        else handler.handler_name
    )


@get("/docs-assets/{name:str}", include_in_schema=False, opt={"public": True})
async def docs_asset(name: FromPath[str]) -> Response[bytes]:
    if name not in _TYPES:
        raise NotFound
    data = await asyncio.to_thread((_folder() / name).read_bytes)
    return Response(data, media_type=_TYPES[name], headers={"cache-control": "public, max-age=86400"})


def _folder() -> Path:
    """Found without importing the package, which would want Flask."""
    spec = importlib.util.find_spec("flask_swagger_ui")
    if spec is None or not spec.submodule_search_locations:
        raise NotFound("The package with the pages' files is not installed.")
    return Path(spec.submodule_search_locations[0]) / "dist"
