"""Texts that have broken speech servers before, and strategies that make more of them."""

from typing import Final

from hypothesis import strategies as st

# Each is a class of trouble: invisible, joined, reversed, unending, numeric, or like markup.
NASTY: Final = (
    "a\u200bb\u200d\u2060c\ufeff",
    "👩‍👩‍👧‍👦🏳️‍🌈👋🏽",
    "e" + "\u0301" * 60,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L",
    "\u202eright to left\u202c \u2066isolate\u2069",
    "שלום עולם، مرحبا بالعالم",
    "漢字かな交じり文、そして。ＦＵＬＬ　ｗｉｄｔｈ",
    "ไม่มีช่องว่างระหว่างคำ",
    "\U000e0041\U000e0042\ue000\uffff\ufdd0",
    "line\u2028separator\u2029and\x85next",
    "word" * 400,
    "…—–“”«»‹›¡¿‽",
    "1" * 120,
    "-0.000000001e999 €1,234,567.89 31.12.9999 25:61 ½ ² Ⅷ ⑳",
    "https://example.com/" + "a/" * 80 + "?q=%00%ff",
    "<speak><break time='9999s'/></speak> & &#0; <!--",
    "[pause:99999999s] [pause:-1s] [pause:nan] [voice:] [x](/ /) [Kokoro](/kˈOkəɹO/",
    "# heading\n\n```\ncode --> here\n```\n\n> quote\n\n| a | b |\n|---|---|\n| --> | `x` |\n",
    "a\r\n\r\nb\tc\x0cd",
    "NULL nil None undefined NaN true ${x} {{7*7}} %s %n '; DROP TABLE block; --",
    "ﷺ ﷽ ǆ ﬃ İ ẞ ŉ",
    "𝓜𝓪𝓽𝓱 𝕒𝕝𝕡𝕙𝕒 🅰🅱 Ⓐ",
)
_ANY_CHARACTER: Final = st.characters(codec="utf-8", exclude_categories=["Cc"])
_WORDS: Final = st.lists(st.sampled_from(["Hello", "snow", "3.5", "Dr.", "(aside)", "“Why?”", "路", "ж"]), max_size=12)


def texts() -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(NASTY),
        st.text(_ANY_CHARACTER, max_size=80),
        st.lists(st.one_of(st.sampled_from(NASTY), st.text(_ANY_CHARACTER, max_size=12)), max_size=4).map(" ".join),
        _WORDS.map(" ".join),
        st.text(max_size=20),  # also control characters, which are refused
    )
