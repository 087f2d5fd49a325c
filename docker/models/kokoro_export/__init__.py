"""Kokoro-82M as one model that speaks many texts at once, each exactly as it would alone.

Upstream's `KModel` takes one text at a time. Here texts of a batch are padded on the text side only; decoder and
generator, which take 97 % of the arithmetic, run on one packed time axis, whose cost is the sum of the texts' frames.
"""
