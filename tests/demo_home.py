"""`make demo-home`: a compound order, spoken in Chinese, moves simulated devices on a real Mosquitto.

The order is made into sound by the box's own voice, heard by the box's own ears, carried out over MQTT and read back;
then the same home answers a question, has one device that lies and one that is silent, and says so. Without a voice or
ears on this box the order is typed, which is said. State lies in `.demo/home`, weights come from the usual home.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from agent.env import load_env
from agent.errors import WatchkeeperError
from agent.home import find_home
from agent.settings import DeviceSettings
from agent.voice.opening import open_ears, open_mouth
from agent.voice.sound import write_wav
from plugins.devices.maps.toml import load_map
from tests.servers.mosquitto import running_mosquitto
from tests.simulated_home import SimulatedHome

ROOT = Path(__file__).parent.parent
MAP = ROOT / "deploy/example/home/devices.toml"
ORDER = "把客厅空调调到26度并打开新风"
SETTINGS = """[devices]
map = "{map}"
[drivers.connections.home]
kind = "mqtt"
address = "{address}"
"""


def main() -> None:
    folder = ROOT / ".demo" / "home"
    folder.mkdir(parents=True, exist_ok=True)
    with running_mosquitto() as broker:
        settings = folder / "watchkeeper.toml"
        settings.write_text(SETTINGS.format(map=MAP, address=broker.address), encoding="utf-8")
        weights = os.environ.get("WATCHKEEPER_WEIGHTS__FOLDER") or str(find_home(os.environ).weights)
        environ = {
            **os.environ, "WATCHKEEPER_HOME": str(folder), "WATCHKEEPER_CONFIG": str(settings),
            "WATCHKEEPER_WEIGHTS__FOLDER": weights,
        }  # fmt: skip
        devices = [device for device in load_map(MAP, DeviceSettings()).devices.devices if device.points]
        home = SimulatedHome(broker.port, devices, say=lambda line: print(f"    [home] {line}", flush=True))
        try:
            _play(home, folder, environ)
        finally:
            home.close()


def _play(home: SimulatedHome, folder: Path, environ: dict[str, str]) -> None:
    _step(f"Spoken: {ORDER}")
    recording = _spoken(folder / "order.wav", environ)
    if recording:
        _run(environ, "voice", "--wav", str(recording), "--reply", str(folder / "reply.wav"))
    else:
        _run(environ, "command", ORDER)
    _step("What the devices show now")
    _run(environ, "devices", "state", "living_ac", "fresh_air")
    _step("A question moves nothing")
    _run(environ, "command", "厨房灯开着吗?")
    _step("The kitchen light now shows the opposite of what it is told, the desk lamp tells nothing")
    home.flawed("kitchen_lamp", "wrong")
    home.flawed("desk_lamp", "silent")
    _run(environ, "command", "turn on the kitchen light and the desk lamp")


def _spoken(path: Path, environ: dict[str, str]) -> Path | None:
    """The order as a recording; None where this box cannot speak or hear."""
    env = load_env(environ)
    try:
        open_ears(env).close()
        with closing(open_mouth(env)) as mouth:
            write_wav(path, mouth.say(ORDER, "zh"))
    except WatchkeeperError as error:
        print(f"typed instead: {error}")
        return None
    return path


def _run(environ: dict[str, str], *arguments: str) -> None:
    print(f"$ watchkeeper {' '.join(arguments)}", flush=True)
    program = Path(sys.executable).with_name("watchkeeper")
    subprocess.run([program, *arguments], env=environ, cwd=ROOT, check=False)


def _step(text: str) -> None:
    print(f"\n\033[1m== {text}\033[0m", flush=True)


if __name__ == "__main__":
    main()
