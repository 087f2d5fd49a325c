"""A line is one JSON object, whatever is logged."""

import json
import subprocess
import sys
from uuid import UUID

SCRIPT = """
import structlog
from uuid import UUID
from orchestrator.lib import logs
from orchestrator.lib.settings import LogSettings

logs.configure(LogSettings())
log = structlog.stdlib.get_logger("lectern.test")
with structlog.contextvars.bound_contextvars(request_id="abc"):
    log.info("plain", path="/a\\nb", block=UUID(int=7), thing=object)
log.info("half", text="\\ud83d")
log.info("keys", counts={1: 2})
try:
    raise ValueError("bad")
except ValueError:
    log.exception("failed")

import logging
from orchestrator.lib.errors.problems import ModelFailed

for error in (ExceptionGroup("both", [ModelFailed("it is lost")]), ExceptionGroup("both", [KeyError("a bug")])):
    try:
        raise error
    except ExceptionGroup:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
"""


def test_a_line_is_one_json_object() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    plain, half, keys, failed, foreseen, bug = map(json.loads, ran.stdout.splitlines())
    assert (plain["event"], plain["request_id"], plain["path"]) == ("plain", "abc", "/a\nb")
    assert (plain["block"], plain["level"], plain["logger"]) == (str(UUID(int=7)), "info", "lectern.test")
    assert half["text"] == "\ud83d"
    assert keys["counts"] == {"1": 2}
    assert "ValueError: bad" in failed["exception"]
    assert (foreseen["event"], foreseen["level"]) == ("response broken off: it is lost", "warning")
    assert "exception" not in foreseen
    assert (bug["event"], bug["level"]) == ("Exception in ASGI application", "error")
    assert "a bug" in bug["exception"]
