"""Writes out URLs and e-mail addresses as they are read aloud."""

import re
from typing import Final, NamedTuple

from g2p.aligned_text import AlignedText
from g2p.languages import Language


class _Names(NamedTuple):
    dot: str
    at: str
    slash: str
    dash: str
    underscore: str


_NAMES: Final[dict[Language, _Names]] = {
    "en-US": _Names("dot", "at", "slash", "dash", "underscore"),
    "en-GB": _Names("dot", "at", "slash", "dash", "underscore"),
    "es": _Names("punto", "arroba", "barra", "guion", "guion bajo"),
    "fr": _Names("point", "arobase", "barre", "tiret", "tiret bas"),
    "hi": _Names("डॉट", "ऐट", "स्लैश", "डैश", "अंडरस्कोर"),
    "it": _Names("punto", "chiocciola", "barra", "trattino", "trattino basso"),
    "ja": _Names("ドット", "アットマーク", "スラッシュ", "ハイフン", "アンダーバー"),
    "pt-BR": _Names("ponto", "arroba", "barra", "traço", "sublinhado"),
    "zh": _Names("点", "艾特", "斜杠", "横杠", "下划线"),
}

# Every repetition is bounded, and no two next to each other can take the same character.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_DOMAINS = "com|org|net|edu|gov|io|ai|dev|app|info|eu|uk|de|fr|es|it|br|in|jp|cn|ch|nl|se|us|ca|au"
_URL = re.compile(
    rf"(?:https?://(?:[\w-]{{1,63}}\.){{0,8}}[\w-]{{1,63}}|(?<![\w@.])(?:www\.)(?:[\w-]{{1,63}}\.){{1,8}}[A-Za-z]{{2,24}}"
    rf"|(?<![\w@.])(?:[A-Za-z0-9-]{{1,63}}\.){{1,4}}(?:{_DOMAINS})(?![\w.]))(?::\d{{1,5}})?(?:/[\w./?%&=#~+:,@-]{{0,400}})?",
    re.ASCII,
)
_SIGN = re.compile(r"[^\w]|_|\d+")
_TAIL = ".,;:!?"


def emails(text: AlignedText, language: Language) -> AlignedText:
    return text.replace(_EMAIL, lambda found: _read(found[0], language))


def urls(text: AlignedText, language: Language) -> AlignedText:
    def speak(found: re.Match[str]) -> str | None:
        address = found[0].rstrip(_TAIL)  # a sentence may end with an address
        bare = re.sub(r"^https?://", "", address).removeprefix("www.").rstrip("/")
        return _read(bare, language) + found[0][len(address) :]

    return text.replace(_URL, speak)


def _read(address: str, language: Language) -> str:
    names = _NAMES[language]
    said = {".": names.dot, "@": names.at, "/": names.slash, "-": names.dash, "_": names.underscore}
    spaced = _SIGN.sub(lambda found: f" {said.get(found[0], found[0] if found[0].isdigit() else '')} ", address)
    # A letter alone is in capitals: "a at b" would begin with an article.
    return " ".join(word.upper() if len(word) == 1 else word for word in spaced.split())
