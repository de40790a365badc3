"""`make bench-boxes`: what each profile of `agent.boxes` takes when its box works, and whether it stays inside.

For each size the server is started within a bound on its memory: what the service's unit allows (MemoryHigh, 80 %) of
the memory that the kernel of such a box has, some 93 % of what it is sold with. It finds its profile by itself. Then it
is asked about a panel, about a photo of 12 million pixels, about a manual, and writes the reports that are due, while
proportional memory (PSS) of all its processes is looked at ten times a second.

Weights are copied for it and dropped from the page cache first, so that nobody else pays for a page of them. The sizes
from 8 GB on are measured with a Qwen3-VL-2B of true size and random weights, which is asked about the photo itself too.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import psutil

from agent.audit import Trail
from agent.boxes import PROFILES, Profile
from agent.env import Env
from agent.journal import Journal
from agent.reports.schedules import Order, Schedules
from tests.bench.box_memory import MemoryGroup, PeakWatch, memory_group
from tests.bench.box_server import SEES
from tests.bench.plant import EXAMPLE, PANEL, plant_env, weights_folder
from tests.bench.random_qwen3vl import cache_folder, random_2b
from tests.bench.server_process import Server, post, running
from tests.bench.table import Row, at_most, print_rows, told

SIZES = {"2gb": 2, "4gb": 4, "8gb": 8, "16gb": 16}
"""GiB."""
KERNEL_SHARE, UNIT_SHARE = 0.93, 0.8
MB = 1e6
SMALL, MIDDLE = "qwen2.5-0.5b", "qwen2.5-1.5b"
MODELS = {"2gb": (SMALL,), "4gb": (SMALL, MIDDLE), "8gb": (SMALL, MIDDLE, SEES), "16gb": (SMALL, MIDDLE, SEES)}
ALWAYS = ("ocr-tiny", "ocr-small", "embed", "dictionary")
PHOTO_QUESTION = "循环变频故障这个报警灯代表什么?最近三天有没有类似记录?该怎么处理?"
MANUAL_QUESTION = "What does parameter 3201 of the drive do?"
PHONE = (4_000, 3_000)
BARE = {"tools": [{"type": "function", "function": {"name": "none"}}], "tool_choice": "none"}
"""The model itself replies, where the client has the loop."""
REPORT_SECONDS = 300.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profiles", nargs="*", default=list(SIZES), metavar="PROFILE", help=", ".join(SIZES))
    named = parser.parse_args().profiles
    rows: list[Row] = []
    bounded = True
    for profile in PROFILES:
        if profile.name in named:
            measured, in_group = measure(profile)
            rows += measured
            bounded = bounded and in_group
    print_rows(rows, bounded=bounded)


def measure(profile: Profile) -> tuple[list[Row], bool]:
    """One size; also whether its memory was bounded."""
    limit = round(SIZES[profile.name] * 1024**3 * KERNEL_SHARE * UNIT_SHARE)
    name = profile.name
    if psutil.virtual_memory().available < limit:
        return [Row(f"{name}: this machine has too little memory free to be one", None, "", None)], False
    with tempfile.TemporaryDirectory(dir=cache_folder()) as folder, memory_group(limit) as group:
        home = Path(folder) / "home"
        with copied_weights(Path(folder) / "weights", name) as weights:
            plan_reports(plant_env(home, model="auto", weights=weights))
            begun = time.monotonic()
            more = variables(weights, profile, group)
            command = ["-m", "tests.bench.box_server", *([str(group.entrance)] if group else [])]
            with running(home, "auto", command=command, more=more) as server, PeakWatch(server.process) as watch:
                rows = [told(f"{name}: ready after (s)", time.monotonic() - begun), *work_rows(server, name)]
            chosen = (home / "cache" / "box").read_text() if group else name
            killed = group.killed() if group else 0
    parts = sorted(watch.processes.values(), reverse=True)
    return [
        at_most(f"{name}: peak PSS of all processes (MB)", watch.pss_bytes / MB, limit / MB),
        told("  the model's process (MB)", parts[0] / MB),
        told("  the server's (MB)", sum(parts[1:]) / MB),
        at_most("  another profile found than this", float(chosen != name), 0),
        at_most("  processes killed for memory", killed, 0),
        *rows,
    ], group is not None


def variables(weights: Path, profile: Profile, group: MemoryGroup | None) -> dict[str, str]:
    """Of the server."""
    return {
        "WATCHKEEPER_WEIGHTS__FOLDER": str(weights),
        "WATCHKEEPER_SERVER__PORT": "0",
        "WATCHKEEPER_MAINTENANCE__MACHINES": str(EXAMPLE / "machines.toml"),
        "WATCHKEEPER_LADDER__GOLDEN": "false",  # random weights answer no test question
        **({} if group else {"WATCHKEEPER_BOX__PROFILE": profile.name}),
    }


@contextmanager
def copied_weights(folder: Path, name: str) -> Iterator[Path]:
    """What a box of this size may have, in files that nobody else reads."""
    for entry in (*ALWAYS, *MODELS[name]):
        source = weights_folder() / entry
        if entry == SEES:
            copy_random(folder / entry)
        elif source.is_dir():
            shutil.copytree(source, folder / entry)
    for path in folder.rglob("*"):
        if path.is_file():
            forget_pages(path)
    yield folder


def copy_random(folder: Path) -> None:
    """Under the names of the real model's files."""
    files = random_2b(next((weights_folder() / SMALL).glob("*.gguf")))
    folder.mkdir(parents=True)
    shutil.copy(files.model, folder / "Qwen3VL-2B-Instruct-Q4_K_M.gguf")
    shutil.copy(files.projector_q8, folder / "mmproj-Qwen3VL-2B-Instruct-Q8_0.gguf")


def forget_pages(path: Path) -> None:
    """Drop a file from the page cache, so that whoever reads it next pays for it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def plan_reports(env: Env) -> None:
    """Two machines' reports, due since an hour by the plant's clock."""
    now = env.now()
    with closing(Trail(env.home.watch_db, busy_seconds=5)) as trail, closing(Journal(trail)) as journal:
        order = Order(("循环泵P1", "循环泵P2"), 7 * 24.0, ("zh", "en"), ("html", "pdf"), ())
        Schedules(journal).add("bench", "0 * * * *", "Asia/Shanghai", order, now=now - timedelta(hours=2))


def work_rows(server: Server, name: str) -> list[Row]:
    """Questions and the report; how long each took."""
    with closing(server.connect()) as wire:
        rung = health(wire)["rung"]
        panel = base64.b64encode(PANEL.read_bytes()).decode()
        asked = {
            f"about a panel, by {rung}": {"question": PHOTO_QUESTION, "photo": panel},
            "about a photo of 12 million pixels": {"question": PHOTO_QUESTION, "photo": phone_photo()},
            "about a manual": {"question": MANUAL_QUESTION},
        }
        rows = [told(f"  {what} (s)", timed(wire, "/api/predict", body)) for what, body in asked.items()]
        if rung == SEES:
            image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{panel}"}}
            content = [image, {"type": "text", "text": "What is on it?"}]
            body = {"messages": [{"role": "user", "content": content}], "max_tokens": 24, **BARE}
            rows.append(
                told("  about the photo itself, seen by the model (s)", timed(wire, "/v1/chat/completions", body))
            )
        begun = time.monotonic()
        while len(reports(wire)) < 2:
            if time.monotonic() > begun + REPORT_SECONDS:
                raise SystemExit("bench-boxes: the reports were not written in time")
            time.sleep(0.2)
        return [*rows, told("  reports written beside, both languages, HTML and PDF", len(reports(wire)))]


def timed(wire: http.client.HTTPConnection, path: str, body: dict[str, object]) -> float:
    """Seconds."""
    begun = time.monotonic()
    post(wire, path, body)
    return time.monotonic() - begun


def health(wire: http.client.HTTPConnection) -> dict[str, str]:
    """How the server says that it is."""
    wire.request("GET", "/api/health")
    return dict(json.loads(wire.getresponse().read()))


def reports(wire: http.client.HTTPConnection) -> list[object]:
    """Those that are written."""
    wire.request("GET", "/api/reports")
    return list(json.loads(wire.getresponse().read())["reports"])


def phone_photo() -> str:
    """The panel as a phone takes it: large, with noise that does not compress away."""
    pixels = cv2.resize(cv2.imread(str(PANEL)), PHONE, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(1).integers(-6, 7, pixels.shape, dtype=np.int16)
    noisy = np.clip(pixels.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    return base64.b64encode(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()).decode()


if __name__ == "__main__":
    main()
