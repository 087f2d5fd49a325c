"""Whatever is sent to an address in the API's description, the answer is one that the description allows.

`make fuzz` sends more, from other seeds: LECTERN_FUZZ_EXAMPLES for each operation, LECTERN_FUZZ_SEED to repeat a run.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fuzz.narrowing import narrowed
from tests.integration import documents
from tests.integration.custom_voices import voice
from tests.stack import ROOT, Stack

EXAMPLES = os.environ.get("LECTERN_FUZZ_EXAMPLES", "15")
SEED = os.environ.get("LECTERN_FUZZ_SEED", "20261124")
LONGEST_SECONDS = 120 + 20 * int(EXAMPLES)
STACK_SECONDS = 300  # in which the stack starts, if no test has started it
SAYS_AT_LEAST = "Test cases:"

TEXT = "The first block is read aloud.\n\n```\ncode is not\n```\n\nThe last block has “quotes”, 3.5 km and 路."


pytestmark = [pytest.mark.long, pytest.mark.timeout(LONGEST_SECONDS + STACK_SECONDS)]


def test_no_answer_is_one_that_the_description_does_not_allow(stack: Stack, api: httpx.Client, tmp_path: Path) -> None:
    with voice(api) as made:
        fuzz(stack, description(api, made["id"]), tmp_path)
    for one in api.get("/api/v1/voices").json()["items"]:
        if one["id"] is not None:
            api.delete(f"/api/v1/voices/{one['id']}").raise_for_status()
    assert documents.until(stack.is_ready, bool)


def fuzz(stack: Stack, description: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(description))
    run = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli",
            "--config-file", str(Path(__file__).with_name("schemathesis.toml")), "--no-color",
            "run", "openapi.json", "--url", stack.url, "--header", f"Authorization: Bearer {stack.api_key}",
            "--max-examples", EXAMPLES, "--seed", SEED,
        ],
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.fuzz.extensions", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert SAYS_AT_LEAST in run.stdout, run.stdout


def description(api: httpx.Client, custom_voice: str) -> dict[str, Any]:
    document = documents.make(api, TEXT)
    path = f"/api/v1/documents/{document['id']}/blocks"
    blocks = [block["id"] for block in documents.blocks(api, document["id"])]
    heard = [api.head(f"{path}/{block}/audio", params={"response_format": "wav"}) for block in blocks]
    kept = [answer.headers["content-location"].rpartition("/")[2] for answer in heard if answer.is_success]
    assert kept
    api_description = api.get("/docs/openapi.json").raise_for_status().json()
    return narrowed(api_description, document["id"], blocks, kept, [custom_voice])
