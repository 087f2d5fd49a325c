"""What the supervisor itself logs: all of it into its file, and what happens to models also to the console."""

import json
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from orchestrator.embedded.child_process import rotate

TOLD = ("recovering", "recovered", "not recovered")


@contextmanager
def supervisor_log(log: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Write structured logs to this file, one JSON object a line, for as long as the block runs."""

    def tell(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if event["event"] in TOLD:
            reason = f": {event['reason']}" if "reason" in event else ""
            say(f"model {event['model']} {event['event']}{reason}")
        return event

    rotate(log)
    with log.open("a", encoding="utf-8") as file:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                tell,
                structlog.processors.JSONRenderer(serializer=json.dumps),
            ],
            logger_factory=structlog.WriteLoggerFactory(file),
        )
        try:
            yield
        finally:
            structlog.reset_defaults()
