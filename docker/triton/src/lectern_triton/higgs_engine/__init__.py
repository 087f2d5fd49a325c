"""The engine's own process: it speaks Higgs Audio, in an environment of its own, for the Triton backend beside it."""
