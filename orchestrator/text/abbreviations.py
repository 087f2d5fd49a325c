"""English words whose full stop ends no sentence, beyond those the sentencizer knows; lower case, without the stop."""

from typing import Final

# Always followed by what they belong to.
CLOSED: Final = frozenset(
    "approx capt cf col dr e.g eds esp fig figs gen gov hon i.e lt messrs mme mr mrs ms mt prof rep rev sen sgt "  # noqa: SIM905
    "st viz vs".split()
)
# Followed by a number, or else the end of a sentence: "No. 5", but also "No."
BEFORE_NUMBER: Final = frozenset(
    "apr art aug bk c ca ch chap dec ed eq eqs feb jan jul jun mar no nos nov oct op p par pp pt sec sect sep sept "  # noqa: SIM905
    "tab v ver vol vols".split()
)
# A word that tells the end of a sentence ("Plan B. Then ...") from an initial ("J. Smith").
SENTENCE_OPENERS: Final = frozenset(
    "A After All An And As At Because But By Each For From He Her His How However I If In It Its My No Not Now On "  # noqa: SIM905
    "One Or Our She So Some That The Their Then There These They This Those Though To Today We What When Where "
    "Which While Who Why With Yes You Your".split()
)
