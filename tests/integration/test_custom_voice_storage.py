"""What custom voices leave in the database and the store, and what is deleted with them."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import httpx
import pytest

from orchestrator.embedded.home import Home
from orchestrator.lib import database
from orchestrator.lib.ids import new_id
from tests.integration.accounts import other_account
from tests.integration.custom_voices import speak, voice
from tests.integration.documents import until
from tests.integration.servers import web_server, worker_process
from tests.recordings import CONSENT
from tests.stack import Stack


def recordings(stack: Stack) -> Path:
    return Home(stack.home).store / "voices"


def test_a_recording_goes_with_its_voice(stack: Stack, api: httpx.Client) -> None:
    with voice(api) as made:
        file = recordings(stack) / f"{made['id']}.flac"
        assert file.read_bytes() == api.get(f"/api/v1/voices/{made['id']}/prompt").content
        api.delete(f"/api/v1/voices/{made['id']}")
        assert not file.exists()


def test_no_two_voices_take_the_last_place(stack: Stack, tmp_path: Path) -> None:
    with (
        web_server(stack, tmp_path / "web.log", LECTERN_VOICES_PER_ACCOUNT="2") as url,
        other_account(stack, url) as api,
    ):

        def make(number: int) -> int:
            mix = {"name": f"Mix {number}", "mix": {"af_heart": 2, "ef_dora": 1}}
            return api.post("/api/v1/voices/mixes", json=mix).status_code

        with ThreadPoolExecutor(8) as several:
            codes = list(several.map(make, range(8)))
        assert sorted(codes) == [201] * 2 + [409] * 6


def test_a_refused_voice_leaves_nothing(stack: Stack, api: httpx.Client) -> None:
    with voice(api, name="Only Once"):
        before = set(recordings(stack).iterdir())
        with pytest.raises(AssertionError, match="only-once"), voice(api, name="Only Once"):
            pass
        assert set(recordings(stack).iterdir()) == before


@pytest.mark.anyio
@pytest.mark.usefixtures("connected")
async def test_a_consent_stays_as_it_was_given(api: httpx.Client) -> None:
    with voice(api) as made:
        pass  # and deleted
    (row,) = await database.run("SELECT * FROM voice_consent WHERE voice = {}", made["id"])
    assert (row["statement"], row["speaker"], row["digest"]) == (CONSENT, "Ada Lovelace", made["prompt"]["digest"])
    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await database.run("UPDATE voice_consent SET statement = 'yes' WHERE voice = {}", made["id"])


def test_a_recording_without_a_voice_is_deleted(stack: Stack, api: httpx.Client, tmp_path: Path) -> None:
    with voice(api) as made:
        known, orphaned, fresh = (recordings(stack) / f"{name}.flac" for name in (made["id"], new_id(), new_id()))
        for file in (orphaned, fresh):
            file.write_bytes(b"fLaC")
        for file in (known, orphaned):
            os.utime(file, (time.time() - 7_200,) * 2)
        with worker_process(stack, tmp_path / "worker.log", LECTERN_CACHE_RECONCILE="1"):
            until(orphaned.exists, lambda there: not there)
        assert known.exists()
        assert fresh.exists()
        fresh.unlink()


def test_a_voice_whose_recording_is_lost_says_so_and_can_be_deleted(stack: Stack, tmp_path: Path) -> None:
    with (
        web_server(stack, tmp_path / "web.log", LECTERN_PROMPT_MEMORY="0") as url,
        other_account(stack, url) as api,
        voice(api) as made,
    ):
        (recordings(stack) / f"{made['id']}.flac").unlink()
        answer = speak(api, made["id"], "Words that nobody has said yet.")
        assert answer.status_code == 404
        assert "gone" in answer.json()["error"]["message"]
        assert api.delete(f"/api/v1/voices/{made['id']}").status_code == 204
