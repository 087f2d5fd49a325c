"""Writes out amounts of money, with the currency sign in front of the number or behind it."""

import re
from typing import Final, NamedTuple

from g2p.aligned_text import AlignedText
from g2p.languages import ENGLISH, Language
from g2p.normalization.numbers import NUMBER

_ANY: Final = "[$€£¥₹]"
_OF: Final = {"US": "U.S. ", "A": "Australian ", "AU": "Australian ", "C": "Canadian ", "CA": "Canadian ",
              "NZ": "New Zealand ", "HK": "Hong Kong ", "R": ""}  # fmt: skip
_SIGN: Final = rf"(?:\b(?:{'|'.join(_OF)})\$|{_ANY})"
_SCALES: Final = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "tn": "trillion",
                  "trn": "trillion"}  # fmt: skip
_SCALE: Final = (
    rf"(?:\s?(?:thousand|million|billion|trillion|{'|'.join(sorted(_SCALES, key=len, reverse=True))}))?(?![\w'’])"  # noqa: RUF001
)
_COMMA: Final = r"\d{1,9},\d\d"  # as cents are written in most of Europe
_PRICES = re.compile(
    rf"({_SIGN})\s?({NUMBER})({_SCALE})\s?[\u2013-]\s?({_SIGN})?\s?({NUMBER})({_SCALE})(?![\u2013-]|[.,]\d)",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"({_SIGN})\s?({NUMBER}|{_COMMA})(?![.,]?\d)({_SCALE})(?:-(\w+))?", re.IGNORECASE)
_BEHIND = re.compile(rf"(?<![\w.,$€£¥₹])({NUMBER}|{_COMMA})({_SCALE})\s?({_ANY})(?!\d)", re.IGNORECASE)

_NAMES: Final = {
    "$": ("dollar", "dollars", "cent", "cents"), "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"), "¥": ("yen", "yen", "", ""), "₹": ("rupee", "rupees", "paisa", "paise"),
    "R$": ("real", "reais", "centavo", "centavos"),
}  # fmt: skip


class _Money(NamedTuple):
    one: str
    """One of it, with the article."""
    many: str
    cents: str = ""


_FOREIGN: Final[dict[Language, dict[str, _Money]]] = {
    "es": {"$": _Money("un dólar", "dólares", "centavos"), "€": _Money("un euro", "euros", "céntimos"),
           "£": _Money("una libra", "libras", "peniques"), "¥": _Money("un yen", "yenes"),
           "₹": _Money("una rupia", "rupias"), "R$": _Money("un real", "reales", "centavos")},
    "fr": {"$": _Money("un dollar", "dollars", "cents"), "€": _Money("un euro", "euros", "centimes"),
           "£": _Money("une livre", "livres", "pence"), "¥": _Money("un yen", "yens"),
           "₹": _Money("une roupie", "roupies"), "R$": _Money("un real", "réaux", "centavos")},
    "it": {"$": _Money("un dollaro", "dollari", "centesimi"), "€": _Money("un euro", "euro", "centesimi"),
           "£": _Money("una sterlina", "sterline", "penny"), "¥": _Money("uno yen", "yen"),
           "₹": _Money("una rupia", "rupie"), "R$": _Money("un real", "real", "centesimi")},
    "pt-BR": {"$": _Money("um dólar", "dólares", "centavos"), "€": _Money("um euro", "euros", "centavos"),
              "£": _Money("uma libra", "libras", "pence"), "¥": _Money("um iene", "ienes"),
              "₹": _Money("uma rupia", "rupias"), "R$": _Money("um real", "reais", "centavos")},
    "hi": {sign: _Money(f"1 {name}", name) for sign, name in
           {"$": "डॉलर", "€": "यूरो", "£": "पाउंड", "¥": "येन", "₹": "रुपये", "R$": "रियाल"}.items()},
    "ja": {sign: _Money(f"1{name}", name) for sign, name in
           {"$": "ドル", "€": "ユーロ", "£": "ポンド", "¥": "円", "₹": "ルピー", "R$": "レアル"}.items()},
    "zh": {sign: _Money(f"1{name}", name) for sign, name in
           {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "₹": "卢比", "R$": "雷亚尔"}.items()},
}  # fmt: skip
# What stands between the whole and the cents, and behind words for millions.
_AND: Final[dict[Language, str]] = {"es": " con ", "fr": " ", "it": " e ", "pt-BR": " e "}
_OF_MILLIONS: Final[dict[Language, str]] = {"es": "de ", "fr": "de ", "it": "di ", "pt-BR": "de "}
_FOREIGN_SCALES: Final[dict[Language, str]] = {
    "es": "mil millones|mil|mill(?:ón|ones)|bill(?:ón|ones)", "fr": "mille|millions?|milliards?|billions?",
    "it": "mila|mili(?:one|oni)|miliard[oi]", "pt-BR": "mil|milh(?:ão|ões)|bilh(?:ão|ões)|trilh(?:ão|ões)",
    "hi": "हज़ार|लाख|करोड़|अरब", "ja": "[千万億兆]{1,3}", "zh": "[千万亿百]{1,3}",
}  # fmt: skip
_THOUSANDS: Final = ("mil", "mille", "mila")
_FOREIGN_SIGN: Final = r"(?:\b(?:R|US)\$|[$€£¥₹])"
_FOREIGN_AMOUNT: Final = r"\d[\d.,]{0,17}\d|\d"
_WITHOUT_BLANKS: Final = ("ja", "zh")


def _foreign_patterns(language: Language) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Returns the patterns of a currency sign behind the number, and in front of it."""
    end = "" if language in _WITHOUT_BLANKS else r"(?!\w)"
    scale = rf"(?:\s?({_FOREIGN_SCALES[language]}){end})?"
    return (
        re.compile(rf"(?<![0-9.,$€£¥₹])({_FOREIGN_AMOUNT}){scale}\s?({_FOREIGN_SIGN})(?!\d)"),
        re.compile(rf"({_FOREIGN_SIGN})\s?({_FOREIGN_AMOUNT}){scale}"),
    )


_FOREIGN_PATTERNS: Final = {language: _foreign_patterns(language) for language in _FOREIGN}


def money(text: AlignedText, language: Language) -> AlignedText:
    if language in ENGLISH:
        text = text.replace(_PRICES, _prices)
        text = text.replace(_BEHIND, lambda found: _said(found[3], found[1], found[2]))
        return text.replace(_BEFORE, lambda found: None if found[4] else _said(found[1], found[2], found[3]))
    behind, before = _FOREIGN_PATTERNS[language]
    text = text.replace(behind, lambda found: _foreign(found[3], found[1], found[2], language))
    return text.replace(before, lambda found: _foreign(found[1], found[2], found[3], language))


def _prices(found: re.Match[str]) -> str:
    """Two prices with a dash between; the first may leave its sign or its scale to the second, or the other way."""
    sign, one, scale, second, other, last = found.groups()
    first = f"{one} {_scale(scale)}".strip() if second is None else _said(sign, one, scale)
    return f"{first} to {_said(second or sign, other, last)}"


def _scale(written: str) -> str:
    word = written.strip().lower()
    return _SCALES.get(word, word)


def _said(sign: str, amount: str, scale: str) -> str:
    sign = sign.upper()
    of, sign = (_OF[sign[:-1]], sign if sign == "R$" else "$") if len(sign) > 1 else ("", sign)
    one, many, cent, cents = _NAMES[sign]
    if re.fullmatch(_COMMA, amount):
        amount = amount.replace(",", ".")
    if scale:
        return f"{amount} {_scale(scale)} {of}{many}"
    whole, _, part = amount.partition(".")
    name = of + (one if whole.replace(",", "") == "1" else many)
    if len(part) != 2 or not cent:  # noqa: PLR2004 - not a number of cents
        return f"{amount} {of}{many}" if part else f"{amount} {name}"
    small = int(part)
    said = f"{small} {cent if small == 1 else cents}"
    if whole == "0":
        return said
    return f"{whole} {name}" + (f" and {said}" if small else "")


def _foreign(sign: str, amount: str, scale: str | None, language: Language) -> str:
    money = _FOREIGN[language][sign.removeprefix("US")]
    if language in _WITHOUT_BLANKS:
        return f"{amount}{scale or ''}{money.many}"
    if scale:
        of = "" if scale in _THOUSANDS else _OF_MILLIONS.get(language, "")
        return f"{amount} {scale} {of}{money.many}"
    parts = re.fullmatch(r"(\d[\d.,]*)[.,](\d\d)", amount)
    if not parts or not money.cents:
        return money.one if amount == "1" else f"{amount} {money.many}"
    whole, small = re.sub(r"\D", "", parts[1]), int(parts[2])
    if not int(whole):
        return f"{small} {money.cents}"
    return (money.one if whole == "1" else f"{whole} {money.many}") + (f"{_AND[language]}{small}" if small else "")
