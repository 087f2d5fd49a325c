"""Structured logs: one JSON object a line, with the id of its request."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict, Processor

from orchestrator.lib.errors.problems import Problem
from orchestrator.lib.settings import LogSettings

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def configure(settings: LogSettings) -> None:
    """Sends our loggers and the libraries' through one formatter to standard output."""
    _skip_what_no_line_shows()
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderer(settings)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level)
    logging.getLogger("uvicorn.error").addFilter(_without_trace_if_foreseen)
    for chatty in ("httpx", "httpcore", "asyncio", "procrastinate"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _without_trace_if_foreseen(record: logging.LogRecord) -> bool:
    """Uvicorn logs whatever breaks a response off; a lost model needs one line, and no trace."""
    error = record.exc_info[1] if record.exc_info else None
    problems = list(_leaves(error)) if error is not None else []
    if problems and all(isinstance(one, Problem) for one in problems):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "response broken off: %s", (problems[0],)
        record.exc_info = record.exc_text = None
    return True


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _renderer(settings: LogSettings) -> list[Processor]:
    if settings.format == "console":
        return [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]


def _json(event: EventDict, default: Callable[[Any], Any]) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=default).decode()
    except (UnicodeEncodeError, TypeError):  # half a surrogate pair, or keys of a strange type: slower, but a line
        return json.dumps(event, default=default)


def _skip_what_no_line_shows() -> None:
    """As logging's own advice on optimization has it; a line needs neither its caller nor its thread."""
    logging._srcfile = None  # noqa: SLF001
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
