"""The REST API's client: what to ask (`requests`), how to read the answer (`answers`), and two ways to send it."""
