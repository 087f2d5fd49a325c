"""The REST client: `requests` and `responses` know the API, `aio` and `sync` send and receive."""
