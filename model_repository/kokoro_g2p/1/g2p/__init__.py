"""From text to Kokoro's phonemes, sentence by sentence; every phoneme knows the characters that it was made from."""


class BadRequest(ValueError):  # noqa: N818 - named as the caller sees it
    """The caller must change the request; the message says what to change."""
