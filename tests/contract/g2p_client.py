"""Asks kokoro_g2p in Triton, as the kokoro model does."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput

from tests.contract.secret_plugin import SecretPlugin


@dataclass(frozen=True)
class Sentence:
    phonemes: str
    ids: list[int]
    words: list[list[int]]
    breaks: list[list[Any]]
    end: str | None
    pause: float | None
    next: int | None

    def of(self, text: str) -> list[tuple[str, str]]:
        """Each word as it was written, and its phonemes."""
        return [(text[start:end], self.phonemes[first:last]) for first, last, start, end in self.words]


class G2P:
    def __init__(self, address: str, model: str = "kokoro_g2p") -> None:
        self.model = model
        self._client = InferenceServerClient(address)
        self._client.register_plugin(SecretPlugin(address))

    def sentence(
        self,
        text: str,
        language: str = "en-US",
        start: int = 0,
        lexicon: Mapping[str, str] | None = None,
        normalization: Mapping[str, bool] | None = None,
        *,
        markup: bool | None = None,
    ) -> Sentence:
        inputs = [_number(start)]
        inputs += [_text("text", text), _text("language", language)]
        inputs += [_text("lexicon", json.dumps(lexicon or {})), _text("normalization", json.dumps(normalization or {}))]
        inputs += [] if markup is None else [_flag("markup", markup)]
        outputs = [InferRequestedOutput("sentence")]
        answer = self._client.infer(self.model, inputs, outputs=outputs).as_numpy("sentence")
        assert answer is not None
        return Sentence(**json.loads(answer[0]))

    def sentences(self, text: str, language: str = "en-US", **more: Any) -> Iterator[Sentence]:
        start: int | None = 0
        while start is not None:
            sentence = self.sentence(text, language, start, **more)
            assert sentence.next is None or sentence.next > start
            yield sentence
            start = sentence.next

    def phonemes(self, text: str, language: str = "en-US", **more: Any) -> str:
        return " ".join(sentence.phonemes for sentence in self.sentences(text, language, **more))

    @contextmanager
    def loaded(self) -> Iterator["G2P"]:
        """Has Triton load the model for as long as it is used."""
        self._client.load_model(self.model)
        yield self
        self._client.unload_model(self.model)

    def close(self) -> None:
        self._client.close()


def _text(name: str, value: str) -> InferInput:
    tensor = InferInput(name, [1], "BYTES")
    tensor.set_data_from_numpy(np.array([value.encode()], np.object_))
    return tensor


def _flag(name: str, value: bool) -> InferInput:  # noqa: FBT001
    tensor = InferInput(name, [1], "BOOL")
    tensor.set_data_from_numpy(np.array([value]))
    return tensor


def _number(start: int) -> InferInput:
    tensor = InferInput("start", [1], "INT32")
    tensor.set_data_from_numpy(np.array([start], np.int32))
    return tensor
