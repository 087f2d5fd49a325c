class Refused(ValueError):  # noqa: N818 - named as the caller sees it
    """The caller must change the request; the message says what to change."""
