"""The pitch of a voice, by autocorrelation."""

from typing import Final

import numpy as np

from tests.ears.recording import Recording

LOWEST: Final = 60  # Hz
HIGHEST: Final = 400
FRAME: Final = 0.04  # seconds
VOICED: Final = 0.6  # of the energy that comes again after one period


def median_pitch(recording: Recording) -> float:
    """Returns the median pitch of voiced frames, in Hz."""
    samples = recording.samples.astype(np.float64)
    length = int(FRAME * recording.rate)
    frames = samples[: len(samples) // length * length].reshape(-1, length)
    spectra = np.abs(np.fft.rfft(frames * np.hanning(length), 2 * length)) ** 2
    correlation = np.fft.irfft(spectra)[:, :length]
    shortest, longest = int(recording.rate / HIGHEST), int(recording.rate / LOWEST)
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(length), 2 * length)) ** 2)[:length]
    ratios = correlation[:, shortest:longest] / (window[shortest:longest] / window[0]) / (correlation[:, :1] + 1)
    periods = shortest + ratios.argmax(1)
    return float(recording.rate / np.median(periods[ratios.max(1) > VOICED]))
