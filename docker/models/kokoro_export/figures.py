"""How far two recordings of the same sentence are apart."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.floating]

WINDOW = 1024  # samples of a spectrum
FLOOR = 1e-5  # of the largest magnitude: what is fainter nobody hears


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


def _spectra(samples: Samples) -> npt.NDArray[np.floating]:
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, WINDOW // 2), WINDOW)[:: WINDOW // 4]
    spectra: npt.NDArray[np.floating] = np.abs(np.fft.rfft(frames * np.hanning(WINDOW)))
    return spectra
