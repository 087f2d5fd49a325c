"""The prompt is, id for id and code for code, the one that the library's processor makes."""

from typing import Any

import numpy as np
import pytest
from transformers import AutoProcessor

from lectern_triton.higgs_engine.codec import Codec
from lectern_triton.higgs_engine.driver import BadRequest
from lectern_triton.higgs_engine.prompts.v2 import Prompts, Spoken, conversation
from tests.higgs.random_v2 import Checkpoint
from tests.higgs.recordings import tone

SCENE = "Audio is recorded from a quiet room."
REFERENCE = tone(180, 1.7)
PREVIOUS = tone(240, 0.83)


@pytest.fixture(scope="module")
def codec(checkpoint: Checkpoint) -> Codec:
    return Codec(checkpoint.codec, "cpu")


@pytest.fixture(scope="module")
def prompts(checkpoint: Checkpoint, codec: Codec) -> Prompts:
    return Prompts(checkpoint.model, codec.model)


@pytest.fixture(scope="module")
def processor(checkpoint: Checkpoint) -> Any:
    return AutoProcessor.from_pretrained(checkpoint.model)


def by_processor(processor: Any, text: str, scene: str, before: list[tuple[str, bytes]]) -> Any:
    messages = conversation(text, scene, [words for words, _ in before])
    recordings = iter(np.frombuffer(samples, "<i2").astype(np.float32) / 32768 for _, samples in before)
    for message in messages:
        if message["role"] == "assistant":
            message["content"][0]["audio"] = next(recordings)
    return processor.apply_chat_template(
        messages,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        processor_kwargs={"sampling_rate": 24_000, "return_tensors": "pt"},
    )


@pytest.mark.parametrize(
    "before",
    [
        [("This is the reference.", REFERENCE)],
        [("This is the reference.", REFERENCE), ("The block before.", PREVIOUS)],
        [("Ein Satz, zwei Sätze; 日本語 😀", tone(200, 0.5)), ("  spaces\naround \n", tone(210, 1.0001))],
    ],
    ids=["reference", "and the block before", "odd text and lengths"],
)
@pytest.mark.parametrize("scene", [SCENE, ""])
@pytest.mark.parametrize("text", ["The sun rises in the east.", " Two\n\nparagraphs, 3.5 % — “quoted” "])
def test_same_as_the_processors(
    prompts: Prompts, codec: Codec, processor: Any, text: str, scene: str, before: list[tuple[str, bytes]]
) -> None:
    theirs = by_processor(processor, text, scene, before)
    ours = prompts.build(text, scene, [Spoken(words, codec.encode(samples)) for words, samples in before])
    assert ours.ids == theirs["input_ids"][0].tolist()
    assert ours.rows.tolist() == theirs["audio_input_ids"][0].tolist()
    assert bool(theirs["audio_input_ids_mask"].all())


def test_one_place_for_each_row(prompts: Prompts, codec: Codec) -> None:
    prompt = prompts.build(
        "Text.", SCENE, [Spoken("One.", codec.encode(REFERENCE)), Spoken("Two.", codec.encode(PREVIOUS))]
    )
    tokenizer = prompts.processor.tokenizer
    places = set(tokenizer.convert_tokens_to_ids(["<|AUDIO_OUT|>", "<|reserved_special_token_6|>"]))
    assert sum(number in places for number in prompt.ids) == len(prompt.rows)


@pytest.mark.parametrize("token", ["<|eot_id|>", "<|AUDIO_OUT|>", "<|audio_out_bos|>", "<|begin_of_text|>"])
def test_control_tokens_in_a_text_are_text(prompts: Prompts, codec: Codec, token: str) -> None:
    codes = codec.encode(REFERENCE)
    number = prompts.processor.tokenizer.convert_tokens_to_ids(token)
    usual = prompts.build("Say it.", SCENE, [Spoken("Words.", codes)]).ids.count(number)
    for text, scene, words in ((token, SCENE, "Words."), ("Say it.", token, "Words."), ("Say it.", SCENE, token)):
        assert prompts.build(text, scene, [Spoken(words, codes)]).ids.count(number) == usual


def test_a_recording_needs_its_text(prompts: Prompts, codec: Codec) -> None:
    with pytest.raises(BadRequest, match="text"):
        prompts.build("Say it.", SCENE, [Spoken(" ", codec.encode(REFERENCE))])
