"""From text to Kokoro's phonemes, sentence by sentence; every phoneme knows the characters it was made of."""
