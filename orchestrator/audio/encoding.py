"""Encodes the audio of one response: chunks of samples in, the bytes of one file out, as they become ready."""

from typing import Protocol

from orchestrator.audio.aac_writer import AacWriter
from orchestrator.audio.flac_writer import FlacWriter, whole_flac
from orchestrator.audio.formats import AudioFormat, encoded_rate
from orchestrator.audio.mp3_writer import Mp3Writer
from orchestrator.audio.opus_writer import OpusWriter
from orchestrator.audio.pcm import Samples, check_samples
from orchestrator.audio.pcm_writer import PcmWriter, WavWriter
from orchestrator.audio.resampling import Resampler, resampled_length


class Writer(Protocol):
    """Turns samples, all at one rate, into the bytes of one file. ``finish`` is called once, last."""

    def feed(self, samples: Samples) -> bytes: ...

    def finish(self) -> bytes: ...


class Encoder:
    """Encodes one file. It may move between threads, but only one may use it at a time.

    ``sample_rate`` is that of the voice, in Hz; chunks at another rate are converted to it. ``total_samples``, counted
    at ``sample_rate``, says how much will be fed, where that is known from the start: WAV, MP3 and FLAC then declare
    it. ``wanted_rate`` is the rate to encode at, where the format leaves a choice.
    How the samples are cut into chunks makes no difference to the bytes. No samples at all make a valid, empty file.
    An encoder that is dropped half way frees all its memory.
    """

    def __init__(
        self,
        audio_format: AudioFormat,
        sample_rate: int,
        *,
        total_samples: int | None = None,
        wanted_rate: int | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.encoded_rate = encoded_rate(audio_format, sample_rate, wanted_rate)
        self._total = total_samples
        self._fed = 0
        self._resampler = Resampler(sample_rate, self.encoded_rate)
        total = None if total_samples is None else resampled_length(total_samples, sample_rate, self.encoded_rate)
        self._writer = _writer(audio_format, self.encoded_rate, total)

    def feed(self, samples: Samples, sample_rate: int | None = None) -> bytes:
        """Returns the bytes that became ready, often none. ``sample_rate``: the chunk's, if it is not the voice's."""
        check_samples(samples)
        rate = sample_rate or self.sample_rate
        self._count(len(samples), rate)
        ready = b""
        if rate != self._resampler.from_rate:
            ready = self._writer.feed(self._resampler.finish())
            self._resampler = Resampler(rate, self.encoded_rate)
        return ready + self._writer.feed(self._resampler.feed(samples))

    def finish(self) -> bytes:
        """Returns the rest of the file. Nothing may be fed afterwards."""
        if self._total is not None and self._fed != self._total:
            raise ValueError(f"{self._total} samples were announced, but {self._fed} came.")
        return self._writer.feed(self._resampler.finish()) + self._writer.finish()

    def _count(self, samples: int, rate: int) -> None:
        self._fed += samples
        if self._total is None:
            return
        if rate != self.sample_rate:
            raise ValueError("Only a file of one sample rate can announce its length.")
        if self._fed > self._total:
            raise ValueError(f"{self._total} samples were announced, but at least {self._fed} came.")


def encode_whole(
    samples: Samples, audio_format: AudioFormat, sample_rate: int, wanted_rate: int | None = None
) -> bytes:
    """Returns a complete file, whose header declares its exact length wherever the format can."""
    check_samples(samples)
    if audio_format == "flac" and wanted_rate in (None, sample_rate):
        return whole_flac(samples, encoded_rate(audio_format, sample_rate))
    encoder = Encoder(audio_format, sample_rate, total_samples=len(samples), wanted_rate=wanted_rate)
    return encoder.feed(samples) + encoder.finish()


def _writer(audio_format: AudioFormat, sample_rate: int, total_samples: int | None) -> Writer:
    match audio_format:
        case "wav":
            return WavWriter(sample_rate, total_samples)
        case "flac":
            return FlacWriter(sample_rate, total_samples)
        case "mp3":
            return Mp3Writer(sample_rate, total_samples)
        case "opus":
            return OpusWriter()
        case "aac":
            return AacWriter(sample_rate)
        case "pcm":
            return PcmWriter()
