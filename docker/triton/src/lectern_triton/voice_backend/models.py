"""What the error of another model means to the one that asked it."""

from lectern_triton.voice_backend.protocol import BadRequest, Unavailable

# A model that is loading, being unloaded or missing says so in these words, with its name.
_ABSENT = ("is not ready", "is not found", "unknown model", "not available")


def failure_of(model: str, message: str) -> Exception:
    """Return what to raise: within a server an error has no code, so that its message begins with it."""
    kind, _, reason = message.partition(": ")
    if kind == "INVALID_ARG":
        return BadRequest(reason)
    if kind == "UNAVAILABLE":
        return Unavailable(reason)
    if any(words in message for words in _ABSENT):
        return Unavailable(f"the model {model} is not loaded at the moment: {message}")
    return RuntimeError(f"the model {model} failed: {message}")
