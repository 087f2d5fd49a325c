"""What a request must not cost, because the framework did it unasked."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from litestar.routes import HTTPRoute, WebSocketRoute

from orchestrator import settings
from orchestrator.app import create_app, web_app

NOWHERE = settings.load({"DATABASE_URL": "-", "STORE_URL": "-", "TRITON_URL": "-"})


class CountingExecutor(ThreadPoolExecutor):
    submitted = 0

    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        self.submitted += 1
        return super().submit(*arguments, **options)


def scope(path: str, query: bytes) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"lectern")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "state": {},
    }


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [("/healthz", b"", 200), ("/healthz", b"x=1", 400), ("/v1/models", b"", 401), ("/nowhere", b"", 404)],
)
def test_an_answer_that_waits_for_nothing_takes_no_thread(path: str, query: bytes, status: int) -> None:
    async def ask() -> tuple[int, int]:
        executor = CountingExecutor(1)
        asyncio.get_running_loop().set_default_executor(executor)
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await web_app(NOWHERE)(scope(path, query), receive, send)  # type: ignore[arg-type]
        return sent[0]["status"], executor.submitted

    assert asyncio.run(ask()) == (status, 0)


def test_dependencies_start_no_tasks() -> None:
    models = [
        model
        for route in create_app(NOWHERE).routes
        for model in (
            [model for _, model in route.route_handler_map.values()]
            if isinstance(route, HTTPRoute)
            else [route.handler_parameter_model]
            if isinstance(route, WebSocketRoute)
            else []
        )
        if model is not None
    ]
    batches = [batch for model in models for batch in model.dependency_batches]
    assert len(batches) > 50
    assert {len(batch) for batch in batches} == {1}
