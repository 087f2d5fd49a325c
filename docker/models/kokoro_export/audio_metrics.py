"""Measures how much two recordings of the same sentence differ."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.floating]

WINDOW = 1024  # samples of a spectrum
FLOOR = 1e-5  # of the largest magnitude: what is fainter nobody hears
RATE = 24_000  # Hz
BANDS = 40
LOWEST = 50  # Hz


def signal_to_noise(wanted: Samples, made: Samples) -> float:
    """Returns the signal-to-noise ratio in dB."""
    error = np.mean(np.square(made - wanted))
    return float(10 * np.log10(np.mean(np.square(wanted)) / max(error, 1e-20)))


def log_spectral_distance(wanted: Samples, made: Samples) -> float:
    """Returns the root mean square, over frequencies, of the difference in dB; the mean over time (Gray, Markel 1976).

    Unlike the signal-to-noise ratio it ignores a small shift of the phase, which nobody hears either.
    """
    one, other = _spectra(wanted), _spectra(made)
    floor = one.max() * FLOOR
    decibels = 20 * np.log10(np.maximum(one, floor) / np.maximum(other, floor))
    return float(np.sqrt(np.square(decibels).mean(1)).mean())


def band_distance(wanted: Samples, made: Samples) -> float:
    """Returns the same for bands as wide as those of hearing (mel), in dB.

    Rounding to 8 bits moves phases, and with them what is between two harmonics. In a band this hardly shows, while a
    different sound shows as much as in single frequencies.
    """
    weights = _bands()
    one, other = np.square(_spectra(wanted)) @ weights, np.square(_spectra(made)) @ weights
    floor = one.max() * FLOOR
    decibels = 10 * np.log10(np.maximum(one, floor) / np.maximum(other, floor))
    return float(np.sqrt(np.square(decibels).mean(1)).mean())


def loudness_difference(wanted: Samples, made: Samples) -> float:
    """Returns by how many dB `made` is louder; -200 at least, for silence."""
    ratio = np.mean(np.square(made)) / np.mean(np.square(wanted))
    return float(10 * np.log10(max(ratio, 1e-20)))


def _bands() -> npt.NDArray[np.floating]:
    """Returns overlapping triangles, equally wide in mel: [bins, bands]."""
    mel = 2_595 * np.log10(1 + np.fft.rfftfreq(WINDOW, 1 / RATE) / 700)
    edges = np.linspace(2_595 * np.log10(1 + LOWEST / 700), mel[-1], BANDS + 2)
    width = edges[1] - edges[0]
    return np.maximum(0, 1 - np.abs(mel[:, None] - edges[None, 1:-1]) / width)


def _spectra(samples: Samples) -> npt.NDArray[np.floating]:
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, WINDOW // 2), WINDOW)[:: WINDOW // 4]
    spectra: npt.NDArray[np.floating] = np.abs(np.fft.rfft(frames * np.hanning(WINDOW)))
    return spectra
