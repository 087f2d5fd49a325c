"""Caches of encoded reference recordings, which all requests with the same voice share."""
