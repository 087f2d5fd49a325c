"""What the tests have it say."""

NEVER = "~"  # in a text: random talkers speak until they are stopped (see ending.py)
