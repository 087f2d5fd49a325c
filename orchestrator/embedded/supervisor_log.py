"""The log of the supervisor itself: a file of JSON lines; recoveries of models also go to the console."""

import json
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from orchestrator.embedded.home import private_opener
from orchestrator.embedded.logs import rotate

SHOWN = ("recovering", "recovered", "not recovered")


@contextmanager
def supervisor_log(log: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Writes structured logs to this file, one JSON object a line, while the block runs."""

    def show(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if event["event"] in SHOWN:
            reason = f": {event['reason']}" if "reason" in event else ""
            say(f"model {event['model']} {event['event']}{reason}")
        return event

    rotate(log)
    with open(log, "a", encoding="utf-8", opener=private_opener) as file:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                show,
                structlog.processors.JSONRenderer(serializer=json.dumps),
            ],
            logger_factory=structlog.WriteLoggerFactory(file),
        )
        try:
            yield
        finally:
            structlog.reset_defaults()
