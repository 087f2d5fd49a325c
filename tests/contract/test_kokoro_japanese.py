"""Japanese has the sounds that Kokoro learnt."""

from collections.abc import Iterator
from itertools import pairwise, product

import pytest

from tests.contract.g2p_client import G2P
from tests.contract.models_environment import answer_of

KANA = "".join(map(chr, range(0x30A1, 0x30FB))) + "ー"
SMALL = "ァィゥェォャュョ"


def test_kana_sound_as_they_did_when_kokoro_learnt_them() -> None:
    """But for words with small kana such as アィ, of which cutlet leaves a vowel out: they are left out."""
    vowels = "アイウエオヰヱヲーンッ"
    words = [
        "".join(word)
        for kana, count in ((KANA, 1), (KANA, 2), ("アキスチンッシヴフテーャュョァィェナバダ", 3))
        for word in product(kana, repeat=count)
        if not any(kana in SMALL and front in ("", *SMALL, *vowels) for front, kana in pairwise(("", *word)))
    ]  # fmt: skip
    both = answer_of("misaki_kana.py", words)
    assert [(word, ours, theirs) for word, (theirs, ours) in zip(words, both, strict=True) if ours != theirs] == []
    assert len(words) > 8_000


@pytest.fixture(scope="module")
def g2p(triton_address: str) -> Iterator[G2P]:
    client = G2P(triton_address)
    yield client
    client.close()


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("学校の先生は病院へ行きました。", "ɡaʔkoː no seɴseː βa bʲoːiɴ e ikʲi maɕita."),
        ("今日は五月です。", "kʲoː βa ɡoɡaʦɨ desɨ."),
        ("牛乳を百円で買って。", "ɡʲɨːɲɨː o çakɯ eɴ de kaʔte."),
        ("散歩、文化、運動、今年", "sampo, bɯŋka, ɯndoː, kotoɕi"),
        ("新しい音を聞いて、言う。", "ataɾaɕiː oto o kʲiːte, jɯː."),
        ("ヴァイオリン、ティー、ファイル、チェック", "vaioɾʲiɴ, tʲiː, ɸaiɾɯ, ʨeʔkɯ"),
        ("デュエット、ウィスキー、クォーター", "dʲɨeʔto, βisɨkʲiː, kᵝoːtaː"),
        ("「はい」（笑）・それで…？", "“hai” (βaɾai) soɾede...?"),
        ("3月14日、123個", "saŋɡaʦɨ ʥɨː joʔka, çakɯ ɲiʥɨːsaɴ ko"),
        ("AIとHello", "eːai to haɾoː"),
        ("学校🎉です", "ɡaʔkoː desɨ"),
    ],
)
def test_japanese_sounds(g2p: G2P, text: str, phonemes: str) -> None:
    assert g2p.phonemes(text, "ja") == phonemes
