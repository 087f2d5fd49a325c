"""The metrics, and the page from which Prometheus reads them."""

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

HTTP_REQUESTS = Counter("lectern_http_requests", "Requests answered.", ["method", "path", "status"])
HTTP_SECONDS = Histogram(
    "lectern_http_request_seconds",
    "Time from the first byte in to the last byte out.",
    ["method", "path"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
SOCKETS = Counter(
    "lectern_sockets",
    "WebSockets closed, by close code; client: a code that only this client uses.",
    ["path", "code"],
)
SEGMENTS = Counter(
    "lectern_segments",
    "Segments asked for, by where their audio came from: store, merged (joined a synthesis in flight in this"
    " process), awaited (made meanwhile by another process), made.",
    ["model", "source"],
)
USAGE_SECONDS = Counter(
    "lectern_usage_seconds",
    "Seconds heard by accounts, by where they came from: made for them, joined (made for another request), cached.",
    ["model", "source"],
)
AUDIO_SECONDS = Counter("lectern_audio_seconds", "Seconds of audio made.", ["model"])
FIRST_AUDIO = Histogram(
    "lectern_first_audio_seconds",
    "Time from asking a model for a segment to its first samples.",
    ["model"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
SEGMENTS_WAITING = Gauge("lectern_segments_waiting", "Segments that wait for a slot at a model.", ["model", "lane"])
QUEUE_SECONDS = Histogram(
    "lectern_model_queue_seconds",
    "Time that segments waited for a slot at a model.",
    ["model", "lane"],
    buckets=(0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600),
)
SLOTS_IN_USE = Gauge("lectern_slots_in_use", "Slots of a model in which a segment is being made.", ["model", "lane"])
REFUSED = Counter(
    "lectern_requests_refused", "Requests refused because they would have waited too long.", ["model", "lane"]
)
RETRIED = Counter(
    "lectern_segments_retried", "Segments requested again because the model was lost before it spoke.", ["model"]
)
SYNTHESES_CANCELLED = Counter("lectern_syntheses_cancelled", "Syntheses stopped because nobody listened.", ["model"])
STORE_FAILURES = Counter("lectern_store_failures", "Segments and encodings that could not be stored.")
CACHE_BYTES = Gauge("lectern_cache_bytes", "Bytes of cached audio in the store, with all files that belong to it.")
SEGMENTS_EVICTED = Counter("lectern_segments_evicted", "Segments deleted because the cache exceeded its budget.")
BYTES_EVICTED = Counter("lectern_bytes_evicted", "Bytes deleted because the cache exceeded its budget.")
PLAYBACKS = Gauge("lectern_playbacks", "Open playbacks.", ["transport"])
JOBS = Counter(
    "lectern_jobs",
    "Jobs by what became of a run: succeeded, failed, cancelled, retried, taken over (from a worker that died).",
    ["kind", "outcome"],
)
DEAD_LETTERS = Gauge("lectern_dead_letters", "Jobs that failed for good and wait for an operator.")


@get("/metrics", include_in_schema=False, opt={"public": True}, sync_to_thread=False)
def metrics_page() -> Response[bytes]:
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})
