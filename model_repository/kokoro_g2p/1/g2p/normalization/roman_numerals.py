"""Writes out Roman numerals up to 39 in English: "Henry the eighth", "Chapter four"."""

import re
from typing import Final

from num2words import num2words

from g2p.aligned_text import AlignedText

_NUMERAL = re.compile(r"(?<=[A-Za-z]\s)(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})(?![\w-]|\.\w|['’](?!s))")  # noqa: RUF001
_VALUES: Final = {"I": 1, "V": 5, "X": 10}
_COUNTED: Final = re.compile(
    r"\b(?:World War|Chapter|Part|Act|Scene|Volume|Book|Section|Phase|Type|Class|Level|Stage|Article|Appendix|Figure"
    r"|Table|Title|Round|Grade|Episode|Season|Lesson|Unit|Canto|Mark|Super Bowl|Apollo|Saturn|Rocky|Fantasy"
    r"|Civilization|Tier|Category|Schedule|Sonata|Symphony)\s$"
)
_RULERS: Final = re.compile(
    r"\b(?:Albert|Alexander|Alfonso|Benedict|Boniface|Catherine|Charles|Christian|Clement|Cleopatra|Darius|Edward|Elizabeth"
    r"|Emmanuel|Ferdinand|Francis|Frederick|George|Gregory|Gustav|Haakon|Harald|Henry|Innocent|Ivan|James|John|Joseph"
    r"|Julius|Justinian|Leo|Leopold|Louis|Malcolm|Margaret|Mary|Mehmed|Murad|Napoleon|Nicholas|Otto|Paul|Peter|Philip"
    r"|Pius|Ptolemy|Ramses|Richard|Robert|Rudolf|Selim|Sixtus|Theodosius|Urban|Victor|Wilhelm|William|(?:Pope|King|Queen"
    r"|Emperor|Tsar|Prince|Pharaoh|Sultan) [A-Z]\w+)\s$"
)
_BEHIND_RULER = re.compile(r"\s*(?:$|[,.;:)]|['’]s\b)|\s(?:was|of|is|had|ruled|died|reigned|became)\b")  # noqa: RUF001
_WORLD_WAR = re.compile(r"\bWW(I{1,2}|[12])\b")
_SINGLE: Final = ("I", "V", "X")


def roman_numerals(text: AlignedText) -> AlignedText:
    text = text.replace(_WORLD_WAR, lambda found: f"World War {'one' if found[1] in ('1', 'I') else 'two'}")
    return text.replace(_NUMERAL, _spoken)


def _spoken(found: re.Match[str]) -> str | None:
    before = found.string[: found.start()]
    value = _value(found[0])
    if _RULERS.search(before) and (found[0] not in _SINGLE or _is_alone(found)):
        return f"the {num2words(value, to='ordinal')}".replace("-", " ")
    return str(num2words(value)) if _COUNTED.search(before) else None


def _is_alone(found: re.Match[str]) -> bool:
    """Tells "Elizabeth I was …" from "Elizabeth I have never met"."""
    return _BEHIND_RULER.match(found.string, found.end()) is not None


def _value(numeral: str) -> int:
    numbers = [_VALUES[sign] for sign in numeral]
    return sum(-one if one < other else one for one, other in zip(numbers, [*numbers[1:], 0], strict=True))
