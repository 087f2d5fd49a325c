"""How far two recordings of the same sentence are apart."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.floating]

WINDOW = 1024  # samples of a spectrum
FLOOR = 1e-5  # of the largest magnitude: what is fainter nobody hears
RATE = 24_000  # Hz
BANDS = 40
LOWEST = 50  # Hz


def signal_to_noise(wanted: Samples, made: Samples) -> float:
    """Return the SNR in dB."""
    error = np.mean(np.square(made - wanted))
    return float(10 * np.log10(np.mean(np.square(wanted)) / max(error, 1e-20)))


def log_spectral_distance(wanted: Samples, made: Samples) -> float:
    """Return the root mean square, over frequencies, of the difference in dB; the mean over time (Gray, Markel 1976).

    Unlike the SNR it does not mind a small shift of the phase, which nobody hears either.
    """
    one, other = _spectra(wanted), _spectra(made)
    floor = one.max() * FLOOR
    decibels = 20 * np.log10(np.maximum(one, floor) / np.maximum(other, floor))
    return float(np.sqrt(np.square(decibels).mean(1)).mean())


def band_distance(wanted: Samples, made: Samples) -> float:
    """Return the same of what both have in bands as wide as those of hearing (mel), in dB.

    The rounding of 8 bits moves phases, and with them what is between two harmonics; a band has enough of them that
    this hardly shows, while another sound shows as much.
    """
    weights = _bands()
    one, other = np.square(_spectra(wanted)) @ weights, np.square(_spectra(made)) @ weights
    floor = one.max() * FLOOR
    decibels = 10 * np.log10(np.maximum(one, floor) / np.maximum(other, floor))
    return float(np.sqrt(np.square(decibels).mean(1)).mean())


def louder(wanted: Samples, made: Samples) -> float:
    """Return by how many dB the made one is louder; -200 at least, for silence."""
    ratio = np.mean(np.square(made)) / np.mean(np.square(wanted))
    return float(10 * np.log10(max(ratio, 1e-20)))


def _bands() -> npt.NDArray[np.floating]:
    """Return overlapping triangles, equally wide in mel: [bins, bands]."""
    mel = 2_595 * np.log10(1 + np.fft.rfftfreq(WINDOW, 1 / RATE) / 700)
    edges = np.linspace(2_595 * np.log10(1 + LOWEST / 700), mel[-1], BANDS + 2)
    width = edges[1] - edges[0]
    return np.maximum(0, 1 - np.abs(mel[:, None] - edges[None, 1:-1]) / width)


def _spectra(samples: Samples) -> npt.NDArray[np.floating]:
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, WINDOW // 2), WINDOW)[:: WINDOW // 4]
    spectra: npt.NDArray[np.floating] = np.abs(np.fft.rfft(frames * np.hanning(WINDOW)))
    return spectra
