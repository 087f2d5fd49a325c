"""Licences of the checkpoints: shown before anything is downloaded, and accepted by name or not at all."""

import hashlib
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

VARIABLE: Final = "LECTERN_ACCEPT_LICENCE"


class NotAccepted(Exception):  # noqa: N818 - it names a state of affairs
    """Nobody has accepted the licence."""


@dataclass(frozen=True, slots=True)
class Licence:
    name: str
    """The name to accept it by."""
    title: str
    address: str
    allows: str
    forbids: str
    """What it forbids or asks for, a point a line."""

    def shown(self) -> str:
        """Returns the summary that an operator reads before accepting the licence."""
        lines = [self.title, self.address, "", *_wrapped(self.allows), "", "It forbids, or asks for:"]
        for point in self.forbids.splitlines():
            lines += _wrapped(point, "- ", "  ")
        lines += ["", *_wrapped("This sums it up in our words; what counts is the text at that address.")]
        return "\n".join(lines)


HIGGS_AUDIO_2: Final = Licence(
    name="boson-higgs-audio-2-community",
    title="Boson Higgs Audio 2 Community License Agreement (on top of the Meta Llama 3 Community License)",
    address="https://huggingface.co/bosonai/higgs-tts-2-3b-base/blob/main/LICENSE",
    allows="Free of charge, for companies too. It is no open source licence.",
    forbids=(
        "Products and services, yours and your affiliates', with more than 100,000 annual active users in the year "
        "before need an expanded licence from Boson AI, which it may refuse.\n"
        "What is made with it must not be used to improve another large language model.\n"
        "What the Llama 3 Acceptable Use Policy forbids, such as speaking as somebody without their consent.\n"
        'A product built with it must say so, in the words of the licence ("Built with Higgs Materials licensed from '
        'Boson AI USA, Inc. ... and Meta Llama 3 licensed under the Meta Llama 3 Community License").\n'
        "Who passes the weights on passes the licences on with them. The name of a model derived from them begins with "
        "Higgs Audio 2."
    ),
)

HIGGS_TTS_3: Final = Licence(
    name="boson-higgs-tts-3-research-and-non-commercial",
    title="Boson Higgs TTS 3 Research and Non-Commercial License Agreement",
    address="https://huggingface.co/bosonai/higgs-tts-3-4b/blob/main/LICENSE",
    allows="For research and for what earns nothing. Creators may publish and earn with audio that they made with it "
    "themselves, if they name it as the licence asks (Creator Use Grant).",
    forbids=(
        "Offering the model to others, as an API, a hosted service or part of an application: that needs a commercial "
        "licence from Boson AI. A Lectern that others use is such a service.\n"
        "Any other commercial use.\n"
        "Passing on the weights, or a model that was made from them."
    ),
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    licence: Licence
    when: datetime
    how: Literal["environment", "typed"]

    def record(self, text: Path | None) -> dict[str, Any]:
        """Returns the record for ``licence.json``. `text`: the licence that came with the weights, if there was one."""
        return {
            "licence": self.licence.name,
            "title": self.licence.title,
            "address": self.licence.address,
            "accepted": self.when.isoformat(timespec="seconds"),
            "how": {"environment": f"named in {VARIABLE}", "typed": "typed on a terminal"}[self.how],
            "text_sha256": hashlib.sha256(text.read_bytes()).hexdigest() if text is not None else None,
        }


def accept(
    licences: Sequence[Licence], environment: Mapping[str, str], ask: Callable[[str], str] | None
) -> list[Acceptance]:
    """Returns an acceptance of each licence: named in the environment, or typed where there is somebody to `ask`.

    Raises NotAccepted.
    """
    wanted = ",".join(licence.name for licence in licences)
    given = environment.get(VARIABLE, "")
    if given:
        names = [name.strip() for name in given.split(",")]
        missing = [licence.name for licence in licences if licence.name not in names]
        if missing:
            raise NotAccepted(f"{VARIABLE}={given!r} does not name {' and '.join(missing)}")
        return [Acceptance(licence, datetime.now(UTC), "environment") for licence in licences]
    if ask is None:
        raise NotAccepted(f"If you accept {'it' if len(licences) == 1 else 'them'}, say so:  {VARIABLE}={wanted}")
    for licence in licences:
        if ask(f"If you accept it, type its name ({licence.name}): ").strip() != licence.name:
            raise NotAccepted(f"{licence.name} was not accepted.")
    return [Acceptance(licence, datetime.now(UTC), "typed") for licence in licences]


def _wrapped(text: str, first: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=first, subsequent_indent=later)
