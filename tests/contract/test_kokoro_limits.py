"""A bad request to the acoustic model, which waits beside good ones of other callers: it alone is refused."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc.aio import InferenceServerClient, InferInput

from tests import kokoro
from tests.contract.secret_plugin import SecretPlugin
from tests.own_triton import OwnTriton, own_triton

MODEL = "kokoro_acoustic"
WIDTH = 32
TOGETHER = 3

Values = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnTriton]:
    """Its acoustic model waits for three requests, and merges them in the order in which they come."""
    folder = tmp_path_factory.mktemp("triton")
    config = kokoro.lay_out(folder / "models") / MODEL / "config.pbtxt"
    waits = f"dynamic_batching {{ preferred_batch_size: [ {TOGETHER} ] max_queue_delay_microseconds: 2000000 }}"
    text = config.read_text().replace("dynamic_batching { }", waits)
    text = text.replace("max_batch_size: 8", f"max_batch_size: {TOGETHER}")
    assert waits in text
    config.write_text(text)
    with own_triton(folder, folder / "models", {MODEL: 60}) as own:
        own.client.load(MODEL)
        yield own


def values(seed: int) -> Values:
    chance = np.random.default_rng(seed)
    ids = np.zeros((1, WIDTH), np.int64)
    length = int(chance.integers(10, WIDTH))
    ids[0, 1 : length - 1] = chance.integers(43, 150, length - 2)
    return {
        "input_ids": ids, "input_lengths": np.array([[length]]),
        "style": chance.normal(0, 0.3, (1, 256)).astype(np.float32),
        "speed": np.ones((1, 1), np.float32), "noise_offset": np.array([[seed * 1_000]]),
    }  # fmt: skip


async def merged(server: OwnTriton, *requests: Values) -> tuple[list[list[Any]], list[str]]:
    """Sends all at once, in this order; returns waveform, length and durations of each, and the refusals."""

    async def asked() -> AsyncIterator[dict[str, Any]]:
        for number, request in enumerate(requests):
            inputs = []
            for name, value in request.items():
                inputs.append(InferInput(name, value.shape, "FP32" if value.dtype == np.float32 else "INT64"))
                inputs[-1].set_data_from_numpy(value)
            yield {"model_name": MODEL, "inputs": inputs, "request_id": str(number)}

    made: dict[str, list[Any]] = {}
    refused = []
    address = server.configuration.address
    async with InferenceServerClient(address) as client, asyncio.timeout(60):
        client.register_plugin(SecretPlugin(address))
        async for answer, error in client.stream_infer(asked()):
            if error is not None:
                refused.append(str(error))
            else:
                names = ("waveform", "sample_lengths", "durations")
                made[answer.get_response().id] = [answer.as_numpy(name) for name in names]
    return [made[number] for number in sorted(made)], refused


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("input_ids", 999, "input_ids holds 999: 0 to 177 can be taken"),
        ("input_ids", -1, "input_ids holds -1"),
        ("input_lengths", WIDTH + 1, "input_lengths holds 33: 2 to 32, the width of input_ids can be taken"),
        ("input_lengths", 0, "input_lengths holds 0"),
        ("speed", 0, "speed holds 0"),
        ("speed", -1, "speed holds -1"),
        ("speed", 1e-6, "speed holds"),
        ("speed", np.nan, "speed holds nan"),
        ("style", np.nan, "style holds nan"),
        ("noise_offset", 65_536, "noise_offset holds 65536"),
        ("noise_offset", -1, "noise_offset holds -1"),
    ],
)
def test_a_bad_request_is_refused_and_those_beside_it_are_made_as_without_it(
    server: OwnTriton, name: str, value: float, message: str
) -> None:
    one, other, bad = values(1), values(2), values(3)
    bad[name][0, 0] = value
    with_it, refused = asyncio.run(merged(server, one, bad, other))
    assert len(refused) == 1
    assert re.search(message, refused[0])
    without, _ = asyncio.run(merged(server, one, other))
    assert len(with_it) == len(without) == TOGETHER - 1
    for made, wanted in zip(with_it, without, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(made, wanted, strict=True))
