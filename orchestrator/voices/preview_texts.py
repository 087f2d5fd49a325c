"""What a voice says when somebody wants to know how it sounds."""

from typing import Final

_TEXTS: Final = {
    "en": "This is how I sound. I can read you a whole book, if you like.",
    "de": "So klinge ich. Ich lese Ihnen gern ein ganzes Buch vor.",
    "es": "Así sueno yo. Si quiere, puedo leerle un libro entero.",
    "fr": "Voilà comment je parle. Je peux vous lire un livre entier, si vous voulez.",
    "hi": "मेरी आवाज़ ऐसी है। आप चाहें तो मैं पूरी किताब पढ़ सकती हूँ।",
    "it": "Ecco come parlo. Se vuole, posso leggerle un libro intero.",
    "ja": "これが私の声です。よろしければ、本を一冊お読みします。",
    "pt": "É assim que eu falo. Se quiser, posso ler um livro inteiro.",
    "zh": "这就是我的声音。如果你愿意，我可以为你读完一整本书。",  # noqa: RUF001
}
_ANY: Final = "1, 2, 3, 4, 5."  # every voice counts in its own language


def preview_text(language: str) -> str:
    return _TEXTS.get(language.split("-", maxsplit=1)[0].lower(), _ANY)
