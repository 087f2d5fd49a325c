"""spaCy's trained tagger of English, which kokoro_g2p tells the readings of words by: its download and installation."""
