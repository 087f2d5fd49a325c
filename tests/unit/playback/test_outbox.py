import asyncio

import pytest

from orchestrator.playback.outbox import Outbox
from orchestrator.playback.schemas import BlockMessage, ServerMessage
from tests.unit.playback.fakes import block_id

pytestmark = pytest.mark.anyio


async def all_of(outbox: Outbox) -> list[ServerMessage]:
    found = []
    try:
        while True:
            async with asyncio.timeout(0.05):
                found.append(await outbox.take())
    except TimeoutError:
        return found


async def test_messages_come_out_in_order() -> None:
    outbox = Outbox()
    messages = [BlockMessage(block_id(n), state) for n in range(3) for state in ("queued", "making", "ready")]
    for message in messages:
        outbox.put(message)
    assert await all_of(outbox) == messages


async def test_a_waiting_reader_is_woken() -> None:
    outbox = Outbox()
    waiting = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    message = BlockMessage(block_id(1), "queued")
    outbox.put(message)
    async with asyncio.timeout(5):
        assert await waiting == message


async def test_a_slow_reader_gets_only_the_newest_message_of_each_block() -> None:
    outbox = Outbox()
    for _ in range(1_000):
        for number in range(10):
            outbox.put(BlockMessage(block_id(number), "queued"))
            outbox.put(BlockMessage(block_id(number), "dropped"))
    outbox.put(BlockMessage(block_id(3), "ready"))
    found = await all_of(outbox)
    assert len(found) < 250
    newest = {message.block.int: message.state for message in found if isinstance(message, BlockMessage)}
    assert newest == {number: "ready" if number == 3 else "dropped" for number in range(10)}
