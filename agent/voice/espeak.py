"""espeak-ng by its C interface: phonemes of English words, and a plain voice where no better one is here.

The library comes with the package `espeakng-loader`, or with the system. It keeps one voice for the whole process and
is not safe for use from several threads; it lives in the mouth's process, which runs one call at a time.
Its interface: https://github.com/espeak-ng/espeak-ng/blob/1.52.0/src/include/espeak-ng/speak_lib.h
"""

from __future__ import annotations

import ctypes
import ctypes.util

from agent.errors import InputError
from agent.voice.sound import Sound, sound_of_pcm

__all__ = ["Espeak"]

_SYNCHRONOUS = 2
_UTF8 = 1
_DO_NOT_EXIT = 0x8000
_IPA, _TIED = 0x02, 0x80
_RATE_PARAMETER = 1
_WORDS_A_MINUTE = 165
_VOICES = {"zh": b"cmn", "en": b"en-us"}
_TAKE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """The library, loaded."""

    def __init__(self) -> None:
        """
        :raises InputError: it is not here.
        """
        self._library, data = _found()
        initialize = self._library.espeak_Initialize
        initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self.rate: int = initialize(_SYNCHRONOUS, 0, data, _DO_NOT_EXIT)
        """Samples a second of its voice."""
        if self.rate <= 0:
            raise InputError("espeak-ng: does not find its data; install the package espeakng-loader")
        self._library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
        self._library.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        self._taken: list[bytes] = []
        self._callback = _TAKE(self._take)  # the library keeps only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def phonemes(self, words: str) -> str:
        """English words in the International Phonetic Alphabet; sounds of one phoneme are tied by `^`."""
        self._voice("en")
        rest = ctypes.c_char_p(words.encode())
        found = []
        while rest.value:
            found.append(self._library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA | _TIED | ord("^") << 8))
        return " ".join(piece.decode() for piece in found if piece)

    def say(self, text: str, language: str, speed: float) -> Sound:
        """Speak.

        :param speed: 1 is as ever.
        """
        self._voice(language)
        self._library.espeak_SetParameter(_RATE_PARAMETER, round(_WORDS_A_MINUTE * speed), 0)
        self._taken.clear()
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 1, 0, _UTF8, None, None)
        return sound_of_pcm(b"".join(self._taken), rate=self.rate, width=2, channels=1)

    def _voice(self, language: str) -> None:
        if self._library.espeak_SetVoiceByName(_VOICES.get(language, _VOICES["en"])) != 0:
            raise InputError(f"espeak-ng: has no voice for {language}; install the package espeakng-loader")

    def _take(self, samples: object, count: int, events: object) -> int:
        """What the library calls with each piece of sound."""
        if samples and count > 0:
            self._taken.append(ctypes.string_at(ctypes.cast(samples, ctypes.c_void_p), count * 2))  # type: ignore[arg-type]
        return 0


def _found() -> tuple[ctypes.CDLL, bytes | None]:
    """The library and the folder of its data; None: where it was built to look."""
    try:
        import espeakng_loader

        return ctypes.CDLL(espeakng_loader.get_library_path()), espeakng_loader.get_data_path().encode()
    except (ImportError, OSError, RuntimeError):
        pass
    try:
        return ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1"), None
    except OSError:
        raise InputError("espeak-ng: is not installed; pip install 'watchkeeper[voice]'") from None
