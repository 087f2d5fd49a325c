"""Converts kana to the phonemes that Kokoro 1.0 was trained with: the table of misaki/cutlet.py."""

# ruff: noqa: RUF001 - phonetic signs and kana look like others

from typing import Final

_MORAS: Final = """
    ア a   イ i    ウ ɯ   エ e   オ o
    カ ka  キ kʲi  ク kɯ  ケ ke  コ ko    ガ ɡa  ギ ɡʲi  グ ɡɯ  ゲ ɡe  ゴ ɡo
    サ sa  シ ɕi   ス sɨ  セ se  ソ so    ザ ʣa  ジ ʥi   ズ zɨ  ゼ ʣe  ゾ ʣo
    タ ta  チ ʨi   ツ ʦɨ  テ te  ト to    ダ da  ヂ ʥi   ヅ zɨ  デ de  ド do
    ナ na  ニ ɲi   ヌ nɯ  ネ ne  ノ no
    ハ ha  ヒ çi   フ ɸɯ  ヘ he  ホ ho    バ ba  ビ bʲi  ブ bɯ  ベ be  ボ bo
    マ ma  ミ mʲi  ム mɯ  メ me  モ mo    パ pa  ピ pʲi  プ pɯ  ペ pe  ポ po
    ヤ ja          ユ jɯ          ヨ jo
    ラ ɾa  リ ɾʲi  ル ɾɯ  レ ɾe  ロ ɾo
    ワ βa  ヰ i            ヱ e   ヲ o
    ヷ va  ヸ vʲi  ヴ vɯ  ヹ ve  ヺ vo
    ァ a   ィ i    ゥ ɯ   ェ e   ォ o     ャ ja  ュ jɯ  ョ jo  ヮ βa  ヵ ka  ヶ ke

    イェ je
    ウィ βi   ウェ βe  ウォ βo
    クァ kᵝa  クィ kᵝi  クェ kᵝe  クォ kᵝo    グァ ɡᵝa  グィ ɡᵝi  グェ ɡᵝe  グォ ɡᵝo
    シェ ɕe   ジェ ʥe   チェ ʨe   キェ kʲe    ニェ ɲe   ヒェ çe
    ツァ ʦa   ツィ ʦʲi  ツェ ʦe   ツォ ʦo
    ティ tʲi  ディ dʲi  トゥ tɯ   ドゥ dɯ
    テュ tʲɨ  デュ dʲɨ  フュ ɸʲɨ  フョ ɸʲo    ヴュ bʲɨ  ヴョ bʲo
    ファ ɸa   フィ ɸʲi  フェ ɸe   フォ ɸo     ヴァ va   ヴィ vʲi  ヴェ ve   ヴォ vo
"""
_PALATAL: Final = "キkʲ ギɡʲ シɕ ジʥ チʨ ヂʥ ニɲ ヒç ビbʲ ピpʲ ミmʲ リɾʲ".split()  # noqa: SIM905 - as the table above
_PHONEMES: Final = dict(zip(_MORAS.split()[::2], _MORAS.split()[1::2], strict=True)) | {
    row[0] + small: row[1:] + vowel for row in _PALATAL for small, vowel in ("ャa", "ュɨ", "ョo")
}
_SMALL: Final = frozenset("ァィゥェォャュョ")
_NASALS: Final = {"m": "mpb", "ŋ": "kɡ", "ɲ": "ɲʨʥ", "n": "ntdɾz"}
"""The phoneme of ン, by the consonants that follow; ɴ before all others."""


def kana_to_phonemes(kana: str) -> list[str]:
    """Returns the phonemes of each katakana in its word; where two kana are one sound, the second has all of it.

    Other characters, such as the mark of devoiced vowels, which Kokoro was not trained with, have no phonemes.
    """
    sounds: list[str] = []
    joined = False  # the kana before is said with this one
    for at, sign in enumerate(kana):
        following = kana[at + 1 : at + 2]
        if joined:
            pair = kana[at - 1] + sign
            sounds.append(_PHONEMES.get(pair) or _PHONEMES[kana[at - 1]][:-1] + _PHONEMES[sign])
            joined = False
            continue
        joined = _is_joined(sign, following)
        sounds.append("" if joined else _alone(sign, following))
    return sounds


def _is_joined(sign: str, following: str) -> bool:
    """A small kana takes the vowel of the one in front of it, unless nothing else is left of that (アィ, ェォ)."""
    if following not in _SMALL or sign not in _PHONEMES:
        return False
    return sign + following in _PHONEMES or len(_PHONEMES[sign]) > 1 or _PHONEMES[sign] == _PHONEMES[following]


def _alone(sign: str, following: str) -> str:
    if sign == "ー":
        return "ː"
    if sign == "ッ":
        return "ʔ"
    if sign == "ン":
        consonant = _PHONEMES.get(following, "")[:1]
        return next((nasal for nasal, before in _NASALS.items() if consonant and consonant in before), "ɴ")
    return _PHONEMES.get(sign, "")
