"""The API's description with the words in it that make requests reach the models.

Random words never name a voice or a document: a fuzzer that has nothing else tests how requests are refused, and
nothing behind that. So some values of some fields are named, beside all others. What is said of answers stays as it is.
"""

import json
from typing import Any, Final

from tests.recordings import CONSENT, TRANSCRIPT

MODELS: Final = ("espeak", "hum", "higgs", "tts-1")
VOICES: Final = ("en-us", "de", "zh", "hum", "alloy")
LANGUAGES: Final = ("en", "en-GB", "de", "cmn", "ar", "x-none")
# Nasty or not: a text that is not nasty enough is no mistake, which must be refused.
TEXT: Final = {"anyOf": [{"type": "string", "format": "nasty"}, {"type": "string"}]}
# As many of each that will do as of those that will not: else chance never makes a voice.
TRANSCRIPTS: Final = (TRANSCRIPT, TRANSCRIPT.upper(), f"{TRANSCRIPT} So it did.", "Too short.", "!?")
CONSENTS: Final = (CONSENT, f"{CONSENT} Ada.", "yes")
WEIGHT: Final = {"type": "number", "minimum": 0.5, "maximum": 10}
MIX: Final = {
    "type": "object",
    "properties": {"af_heart": WEIGHT, "ef_dora": WEIGHT},
    "required": ["af_heart"],
    "additionalProperties": False,
}


def narrowed(
    description: dict[str, Any], document: str, blocks: list[str], kept: list[str], own: list[str]
) -> dict[str, Any]:
    """``document`` is one whose ``blocks`` are ready, ``kept`` the names of cached audio, ``own`` the ids of voices."""
    api: dict[str, Any] = json.loads(json.dumps(description))
    schemas = api["components"]["schemas"]
    for name in ("SpeechRequest", "CaptionRequest"):
        fields = schemas[name]["properties"]
        fields["input"] = TEXT
        fields["model"] = _among(MODELS, {"type": "null"})
        fields["voice"] = _among((*VOICES, *own), fields["voice"])
        fields["language"] = _among(LANGUAGES, {"type": "null"})
    schemas["NewDocument"]["properties"]["text"] = TEXT
    for name in ("NewPrompt", "NewAudioVoice"):
        fields = schemas[name]["properties"]
        for field, values in {"transcript": TRANSCRIPTS, "consent": CONSENTS, "model": ("higgs", "hum")}.items():
            fields[field] = {"type": "string", "enum": list(values)}
        fields["name"] = fields["speaker"] = {"type": "string", "format": "nasty"}
        fields["language"] = {"type": "string", "enum": list(LANGUAGES)}
        fields["description"] = {"type": "string", "enum": ["", "Warm", "A bell\x07"]}
    mix = schemas["NewMix"]["properties"]
    mix["mix"] = {"anyOf": [MIX, mix["mix"]]}
    mix["name"] = {"type": "string", "format": "nasty"}
    mix["description"] = {"type": "string", "enum": ["", "Warm", "A bell\x07"]}
    mix["model"] = _among(("kokoro",), {"type": "null"})
    mix["language"] = _among(LANGUAGES, {"type": "null"})
    named = {
        "document_id": [document],
        "block_id": blocks,
        "name": kept,
        "model": MODELS,
        "voice": (*VOICES, *own),
        "voice_id": own,
        "language": LANGUAGES,
    }
    del api["paths"]["/api/v1/documents/{document_id}/playback"][
        "get"
    ]  # a stream of events that ends when its reader goes
    for item in api["paths"].values():
        for method, operation in item.items():
            for parameter in operation.get("parameters", []):
                if method != "delete" and parameter["name"] in named:
                    parameter["schema"] = _among(named[parameter["name"]], parameter["schema"])
    return api


def _among(values: Any, others: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "string", "enum": list(values)}, others]}
