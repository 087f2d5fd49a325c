"""Audio in and out of containers: samples, codecs and nothing else, so that it can be tested without a server."""
