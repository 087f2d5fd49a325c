"""Mixes of voices by name, in the one notation that the server and its clients share."""

from lectern_contract.mixes import NoMix, is_mix, parse, spelled

__all__ = ["NoMix", "is_mix", "parse", "spelled"]
