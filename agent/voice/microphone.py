"""The microphone and loudspeaker of this box: wait for the wake word, listen, answer, and be still when spoken over.

sounddevice (extra `microphone`) does the talking to the sound card. Sound that comes faster than it is used is dropped,
oldest first: what was said a minute ago is no order any more.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from agent.console import complain
from agent.errors import InputError, WatchkeeperError
from agent.orders import Heard
from agent.settings import VoiceSettings
from agent.voice.brain import Brain
from agent.voice.endpoint import Endpoint
from agent.voice.sound import HEARD_RATE, Samples, Sound
from agent.voice.voice import Voice
from agent.voice.wyoming_client import WyomingWake

__all__ = ["Room", "exchange_once", "listen"]

_BLOCK = 1_280
_MOST_BLOCKS = 250
_BLOCK_SECONDS = 1.0


class Room:
    """Sound in and out."""

    def __init__(self, stop: threading.Event) -> None:
        """
        :raises InputError: there is no sounddevice, or no microphone.
        """
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise InputError(f"microphone: {error}; pip install 'watchkeeper[microphone]', and PortAudio") from None
        self._device: Any = sounddevice
        self._stop = stop
        self._blocks: queue.Queue[Samples] = queue.Queue(_MOST_BLOCKS)
        try:
            self._input = sounddevice.InputStream(
                samplerate=HEARD_RATE, channels=1, dtype="float32", blocksize=_BLOCK, callback=self._take
            )
            self._input.start()
        except sounddevice.PortAudioError as error:
            raise InputError(f"microphone: cannot be opened: {error}; plug one in, or leave out --microphone") from None

    def blocks(self) -> Iterator[Samples]:
        """What is heard, until the box is stopped."""
        while not self._stop.is_set():
            try:
                yield self._blocks.get(timeout=_BLOCK_SECONDS)
            except queue.Empty:
                continue

    def play(self, sound: Sound) -> None:
        """Start to play, after what plays already."""
        self._device.play(sound.samples, sound.rate)
        self._device.wait()

    def hush(self) -> None:
        """Stop what plays."""
        self._device.stop()

    def close(self) -> None:
        """Let go of the sound card."""
        self._input.close()

    def _take(self, data: np.ndarray[Any, np.dtype[np.float32]], frames: int, when: object, status: object) -> None:
        if self._blocks.full():
            self._blocks.get_nowait()
        self._blocks.put_nowait(data[:, 0].copy())


def listen(voice: Voice, brain: Brain, settings: VoiceSettings, area: str, stop: threading.Event) -> None:
    """Answer what is said near the box, until it is stopped."""
    try:
        room = Room(stop)
        wake = WyomingWake(settings.wake, settings) if settings.wake else None
    except InputError as error:
        complain(str(error))
        return
    left: Endpoint | None = None
    try:
        while not stop.is_set():
            try:
                if left is None and wake is not None and not wake.wait(room.blocks()):
                    continue
                left = exchange_once(voice, brain, settings, area, room, left)
            except WatchkeeperError as error:
                complain(str(error))
                left = None
                stop.wait(settings.retry_seconds)
    finally:
        room.close()


def exchange_once(
    voice: Voice, brain: Brain, settings: VoiceSettings, area: str, room: Room, begun: Endpoint | None
) -> Endpoint | None:
    """Listen to one utterance and answer it.

    :param begun: what is being said already.
    :returns: what somebody began to say over the answer; None where it was heard out.
    :raises WatchkeeperError: nobody listens, or no turn can be made.
    """
    endpoint = begun or Endpoint(settings, voice.speech)
    for block in room.blocks():
        if endpoint.feed(block) in ("ended", "nothing"):
            break
    if endpoint.state != "ended":
        return None
    stop = threading.Event()
    said: queue.Queue[Sound | None] = queue.Queue()
    over = threading.Event()
    player = threading.Thread(target=_play, args=(said, room.play, stop, over), daemon=True)
    player.start()
    watcher = _Watcher(voice, settings, room, stop, over)
    watcher.start()
    try:
        voice.converse(endpoint.sound(), brain.ask, heard=Heard(area=area), play=watcher.passes(said), stop=stop)
    finally:
        said.put(None)
        player.join()
        over.set()
        watcher.join()
    return watcher.spoken_over


class _Watcher(threading.Thread):
    """Listens while the box speaks."""

    def __init__(
        self, voice: Voice, settings: VoiceSettings, room: Room, stop: threading.Event, over: threading.Event
    ) -> None:
        super().__init__(name="barge-in", daemon=True)
        self.spoken_over: Endpoint | None = None
        self._speech, self._settings, self._room = voice.speech, settings, room
        self._said, self._over = stop, over
        self._speaking = threading.Event()

    def passes(self, said: queue.Queue[Sound | None]) -> Callable[[Sound], None]:
        """Hands sound on, and from then on listens for who speaks over it."""

        def play(sound: Sound) -> None:
            self._speaking.set()
            said.put(sound)

        return play

    def run(self) -> None:
        """Until the answer is over, or somebody speaks."""
        endpoint = Endpoint(self._settings, self._speech)
        for block in self._room.blocks():
            if self._over.is_set():
                return
            if not self._speaking.is_set() or not self._settings.barge_in:
                continue
            endpoint.feed(block)
            if endpoint.surely_speaking_seconds >= self._settings.barge_in_seconds:
                self.spoken_over = endpoint
                self._said.set()
                self._room.hush()
                return


def _play(
    said: queue.Queue[Sound | None], play: Callable[[Sound], None], stop: threading.Event, over: threading.Event
) -> None:
    while (sound := said.get()) is not None:
        if not stop.is_set():
            play(sound)
    over.set()
