"""How a whole file of cached audio is sent: by this process, by the nginx in front of it, or by the store itself."""

from typing import Any, Final, Literal

from litestar import Request, Response
from litestar.status_codes import HTTP_200_OK, HTTP_304_NOT_MODIFIED, HTTP_307_TEMPORARY_REDIRECT

from orchestrator.lib.byte_ranges import file_response, has_already
from orchestrator.lib.object_store import Store
from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.cache.names import AudioName, path_of
from orchestrator.speech.settings import CacheSettings, DeliverySettings

_ACCEL_SECONDS: Final = 30.0  # more than enough for nginx to open the file; once it is open, it may be deleted


class Delivery:
    def __init__(self, store: Store, audio_cache: AudioCache, settings: DeliverySettings, cache: CacheSettings) -> None:
        self._store = store
        self._cache = audio_cache
        self._settings = settings
        # A file must outlive the addresses that were given out: its use is renewed while enough of its grace is left.
        needed = settings.link_seconds if settings.way == "redirect" else min(_ACCEL_SECONDS, cache.grace_seconds / 2)
        self._again_after = cache.grace_seconds - needed

    async def send(
        self, request: Request[Any, Any, Any], name: AudioName, headers: dict[str, str]
    ) -> Response[bytes] | None:
        """``headers`` have no validators. Returns None if the segment is not cached."""
        if self._settings.way != "direct" and await self._cache.in_store(name, again_after=self._again_after):
            return await self._elsewhere(request, name, headers)
        data = await self._cache.encoded(name)
        if data is None:
            return None
        return file_response(request, data, media_type=name.sound.content_type, etag=name.etag, headers=headers)

    async def _elsewhere(
        self, request: Request[Any, Any, Any], name: AudioName, headers: dict[str, str]
    ) -> Response[bytes]:
        path = path_of(name.key, name.suffix)
        if self._settings.way == "redirect":
            return await self._redirect(path, "HEAD" if request.method == "HEAD" else "GET", headers)
        headers = {**headers, "etag": name.etag}
        if has_already(request, name.etag):
            return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers)
        headers["x-accel-redirect"] = f"{self._settings.prefix.rstrip('/')}/{path}"
        return Response(b"", status_code=HTTP_200_OK, media_type=name.sound.content_type, headers=headers)

    async def _redirect(self, path: str, method: Literal["GET", "HEAD"], headers: dict[str, str]) -> Response[bytes]:
        address = await self._store.sign(method, path, self._settings.link_seconds)
        # A client that follows a cached redirect must still have time for it.
        seconds = self._settings.link_seconds // 2
        keep = headers.get("cache-control", "")
        headers = {
            **headers,
            "location": address,
            "cache-control": keep if "no-cache" in keep else f"private, max-age={seconds}",
        }
        return Response(b"", status_code=HTTP_307_TEMPORARY_REDIRECT, headers=headers)
