"""Has tritonclient's own clients send the secret of a Triton on this machine."""

from typing import Any

from tritonclient._plugin import InferenceServerClientPlugin

from lectern.triton.channel import call_metadata


class SecretPlugin(InferenceServerClientPlugin):  # type: ignore[misc]  # it has no types
    def __init__(self, address: str) -> None:
        self._headers = dict(call_metadata(address, None))

    def __call__(self, request: Any) -> None:
        request.headers = {**(request.headers or {}), **self._headers}
