"""Speaks a segment with Kokoro: text to phonemes, phonemes to samples, and samples to one stream with word marks."""
