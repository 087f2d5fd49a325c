"""Ranges of writing systems, for use inside the brackets of a regular expression."""

HAN = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3041-\u309f\u30a1-\u30ff\u31f0-\u31ff\uff66-\uff9d"
HANGUL = "\u1100-\u11ff\u3131-\u318e\uac00-\ud7ff"
CJK_PUNCTUATION = "\u3001-\u3003\u3008-\u3020\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
CJK = HAN + KANA + CJK_PUNCTUATION  # written without spaces; Korean has them
ABJAD = "\u0590-\u08ff"  # Hebrew, Arabic and their neighbours: short vowels are spoken but not written
SOUTH_EAST_ASIAN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer: no spaces between words
INDIC = "\u0900-\u0dff"
DEVANAGARI_AND_BENGALI = "\u0900-\u09ff"  # these end a sentence with a danda
