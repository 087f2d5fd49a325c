import asyncio

import pytest

from orchestrator.playback.schemas import BlockMessage, ServerMessage
from orchestrator.playback.send_queue import SendQueue
from tests.unit.playback.fakes import block_id

pytestmark = pytest.mark.anyio


async def all_of(send_queue: SendQueue) -> list[ServerMessage]:
    found = []
    try:
        while True:
            async with asyncio.timeout(0.05):
                found.append(await send_queue.take())
    except TimeoutError:
        return found


async def test_messages_come_out_in_order() -> None:
    send_queue = SendQueue()
    messages = [BlockMessage(block_id(n), state) for n in range(3) for state in ("queued", "making", "ready")]
    for message in messages:
        send_queue.put(message)
    assert await all_of(send_queue) == messages


async def test_a_waiting_reader_is_woken() -> None:
    send_queue = SendQueue()
    waiting = asyncio.create_task(send_queue.take())
    await asyncio.sleep(0)
    message = BlockMessage(block_id(1), "queued")
    send_queue.put(message)
    async with asyncio.timeout(5):
        assert await waiting == message


async def test_a_slow_reader_gets_only_the_newest_message_of_each_block() -> None:
    send_queue = SendQueue()
    for _ in range(1_000):
        for number in range(10):
            send_queue.put(BlockMessage(block_id(number), "queued"))
            send_queue.put(BlockMessage(block_id(number), "dropped"))
    send_queue.put(BlockMessage(block_id(3), "ready"))
    found = await all_of(send_queue)
    assert len(found) < 250
    newest = {message.block.int: message.state for message in found if isinstance(message, BlockMessage)}
    assert newest == {number: "ready" if number == 3 else "dropped" for number in range(10)}
