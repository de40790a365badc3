"""A model that came as a module is swapped between two replies; a real one too."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.env import Env
from agent.errors import ModelDied, ModelError
from agent.messages import Message
from agent.model.box_ladder import build_ladder
from agent.model.module_model import ModuleModel
from agent.model.protocol import ReplyLimits
from agent.modules.host import ModuleHost
from agent.photo import Photo
from tests.modules_kit import bundle, manifest
from tests.served import until

ECHO = """
import os, time
class PhotoUnknown(Exception):
    pass
class Echo:
    methods = ("reply", "reply_many")
    def __init__(self):
        self.photos = {{}}
    def report(self):
        return {{"sees": True, "nests": True}}
    def reply(self, context, request, photos, stream):
        for told, buffer in zip(photos, context.buffers):
            self.photos[told["digest"]] = len(buffer)
        last = request["messages"][-1]
        if last["text"] == "die":
            os.abort()
        if last["photo"] and last["photo"] not in self.photos:
            raise PhotoUnknown(last["photo"])
        seen = self.photos.get(last["photo"], "")
        if stream:
            context.send("{version}")
        return {{"text": f"{version} {{last['text']}} {{seen}}".strip(), "stopped": "done"}}
    def reply_many(self, context, requests, photos):
        return [{{"reply": self.reply(context, one, photos, False)}} for one in requests]
def make(state):
    {at_start}
    return Echo()
"""
ASKED = '{messages = [{role = "user", text = "hi", photo = ""}]}'
LIMITS = ReplyLimits(max_tokens=8)


def echo(folder: Path, version: str, at_start: str = "pass") -> Path:
    request = f"{{request = {ASKED}, photos = [], stream = false}}"
    golden = f'[[golden]]\nmethod = "reply"\narguments = {request}\ncontains = {{text = "hi"}}\n'
    told = manifest("tally", version, kind="model", more=golden)
    code = ECHO.format(version=version, at_start=at_start)
    return bundle(folder, told, {"tally.py": code}, dist=f"tally-{version}")


@pytest.fixture
def host(env: Env, tmp_path: Path) -> Iterator[ModuleHost]:
    modules = env.settings.modules.model_copy(update={"spare_ram_bytes": 0})
    made = ModuleHost(replace(env, settings=env.settings.model_copy(update={"modules": modules})))
    for one in (echo(tmp_path, "1.0"), echo(tmp_path, "1.1"), echo(tmp_path, "1.2", "time.sleep(0.3)")):
        made.store.install(one)
    made.swap("tally", "1.0")
    yield made
    made.close()


def said(model: ModuleModel, text: str = "hi", photo: Photo | None = None) -> str:
    return model.reply([Message("user", text, photo)], (), bound=None, limits=LIMITS).text


def test_another_version_replies_after_a_swap(host: ModuleHost) -> None:
    """The same object; a photo that the new process does not know crosses again."""
    model = ModuleModel("tally", host)
    photo = Photo(np.zeros((2, 2, 3), np.uint8), "d", "a.png")
    assert model.sees and host.chosen("model") == ("tally",)
    assert said(model, photo=photo) == "1.0 hi 12" == said(model, photo=photo)
    host.swap("tally", "1.1")
    assert said(model, photo=photo) == "1.1 hi 12"
    parts: list[str] = []
    model.reply([Message("user", "hi")], (), bound=None, limits=LIMITS, on_text=parts.append)
    assert parts == ["1.1"]


def test_its_death_is_a_models_death(host: ModuleHost) -> None:
    """So the ladder asks it once more, as any other model in its process."""
    model = ModuleModel("tally", host)
    with pytest.raises(ModelDied):
        said(model, "die")
    assert said(model) == "1.0 hi"


def test_where_memory_holds_one_the_next_rung_answers(host: ModuleHost) -> None:
    """While the old one is stopped and the new one starts, a reply is a ModelError at once."""
    model = ModuleModel("tally", host)
    module = host.open("tally")
    with ThreadPoolExecutor(1) as threads:
        swap = threads.submit(host.swap, "tally", "1.2", alone=True)
        until(lambda: module.state == "starting_alone")
        with pytest.raises(ModelError, match="no version of this module answers now"):
            said(model)
        assert swap.result().alone
    assert said(model) == "1.2 hi"


def test_one_that_was_not_chosen(env: Env) -> None:
    """It is no rung: the ladder is told so as of any model that does not load."""
    with pytest.raises(ModelError, match="no version was chosen"):
        ModuleModel("other", ModuleHost(env))


def test_it_is_the_best_rung_of_the_ladder(host: ModuleHost) -> None:
    """Between the plant's server and the models of the catalogue; where it does not start, the next one answers."""
    ladder = build_ladder(host.env)
    asked = [Message("user", "hi")]
    assert ladder.reply(asked, (), bound=None, limits=LIMITS).text == "1.0 hi" and ladder.name == "module tally"
    ladder.close()
    for version in ("1.0", "1.1", "1.2"):
        (host.store.folder / "tally" / version / "site" / "tally.py").write_text("rotten")
    fallen = build_ladder(host.env)
    assert not fallen.sees and fallen.name == "rules"
    assert "is not what was installed" in fallen.settle()[0].reason
    fallen.close()


def test_a_model_that_a_person_names_goes_before(host: ModuleHost) -> None:
    """Then no module is asked."""
    named = host.env.settings.model.model_copy(update={"name": "rules"})
    env = replace(host.env, settings=host.env.settings.model_copy(update={"model": named}))
    ladder = build_ladder(env)
    assert not ladder.sees and ladder.name == "rules"
    ladder.close()
