"""What Lectern counts and times, and the page Prometheus reads it from."""

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

HTTP_REQUESTS = Counter("lectern_http_requests", "Requests answered.", ["method", "path", "status"])
HTTP_SECONDS = Histogram(
    "lectern_http_request_seconds",
    "Time from the first byte in to the last byte out.",
    ["method", "path"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
SEGMENTS = Counter(
    "lectern_segments",
    "Segments asked for, by where their audio came from: store, merged (joined a synthesis in flight in this"
    " process), awaited (made meanwhile by another process), made.",
    ["model", "source"],
)
AUDIO_SECONDS = Counter("lectern_audio_seconds", "Seconds of audio made.", ["model"])
FIRST_AUDIO = Histogram(
    "lectern_first_audio_seconds",
    "Time from asking a model for a segment to its first samples.",
    ["model"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
SYNTHESES_CANCELLED = Counter("lectern_syntheses_cancelled", "Syntheses stopped as nobody listened.", ["model"])
STORE_FAILURES = Counter("lectern_store_failures", "Segments that were spoken but could not be kept.")
PROOF_AGE = Gauge("lectern_model_proof_age_seconds", "Age of the last proof that a model speaks.", ["model"])


@get("/metrics", include_in_schema=False, opt={"public": True}, sync_to_thread=False)
def metrics_page() -> Response[bytes]:
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})
