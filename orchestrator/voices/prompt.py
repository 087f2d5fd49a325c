"""What a model is to speak like: a recording, and the words that are said in it."""

import hashlib

import msgspec

from lectern.triton import Reference
from orchestrator.audio.pcm import Samples, samples_to_bytes


class Prompt(msgspec.Struct, frozen=True, eq=False):
    """Goes with each request to a model. What it is says its digest and its transcript, wherever it is kept."""

    digest: str
    samples: Samples
    rate: int  # Hz
    transcript: str

    @property
    def reference(self) -> Reference:
        return Reference(self.samples, self.rate, self.transcript)


def digest_of(samples: Samples) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(samples_to_bytes(samples)).hexdigest()
