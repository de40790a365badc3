"""A model that a person brought: verified before it is loaded, in a process of its own; whatever fails, we draw."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from agent.env import Env
from agent.errors import CallFailed, InputError, WeightsBad, WeightsMissing, WorkerError
from plugins.painter import diffusion
from plugins.painter.diffusion import DiffusionPainter, model_problem
from plugins.painter.drawing.compose import Chosen
from plugins.painter.painter import Painter
from plugins.painter.wishes import wish_of

WISH = wish_of(["cat"], [Chosen("boots")], ["beach"])
NO_MODEL = b"GGUF" + bytes(2_000)


def with_model(env: Env, data: bytes | None, *, digest: str | None = None, **values: object) -> Env:
    """A box whose settings name a model."""
    folder = env.weights.folder / "painter"
    folder.mkdir(parents=True)
    if data is not None:
        (folder / "sd.gguf").write_bytes(data)
    sha256 = hashlib.sha256(data or b"").hexdigest() if digest is None else digest
    painter = env.settings.painter.model_copy(
        update={"enabled": True, "model_file": "sd.gguf", "model_sha256": sha256, "side_px": 128, **values}
    )
    return replace(env, settings=env.settings.model_copy(update={"painter": painter}))


@pytest.mark.parametrize("name", ["../sd.gguf", "/etc/passwd", ".hidden", "a/b"])
def test_a_model_is_named_and_nothing_else_is_opened(env: Env, name: str) -> None:
    """A path that leads elsewhere is refused, and so is a file without its digest."""
    with pytest.raises(InputError, match="model_file"):
        DiffusionPainter(with_model(env, NO_MODEL, model_file=name)).paint(WISH)


@pytest.mark.parametrize("digest", ["", "abc", "z" * 64])
def test_without_a_digest_no_model_is_used(env: Env, digest: str) -> None:
    """Nobody could tell what it is."""
    box = with_model(env, NO_MODEL, digest=digest)
    with pytest.raises(InputError, match="model_sha256"):
        DiffusionPainter(box).paint(WISH)
    assert "model_sha256" in model_problem(box)


def test_a_missing_model_is_told(env: Env) -> None:
    """By the store, and by `doctor`."""
    box = with_model(env, None)
    with pytest.raises(WeightsMissing):
        DiffusionPainter(box).paint(WISH)
    assert "no such file" in model_problem(box)


def test_a_model_with_another_digest_is_set_aside_unread(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started for it, and the picture is drawn."""
    monkeypatch.setattr(diffusion, "Supervisor", lambda *_: pytest.fail("it was loaded"))
    box = with_model(env, NO_MODEL, digest="ab" * 32)
    with closing(DiffusionPainter(box)) as model, pytest.raises(WeightsBad):
        model.paint(WISH)
    assert list((box.weights.folder / "painter").glob("sd.gguf*.bad"))
    with closing(Painter(box)) as painter:
        assert painter.paint(WISH).by == "drawn"


def test_what_is_no_model_fails_in_its_process_and_is_drawn(env: Env, capfd: pytest.CaptureFixture[str]) -> None:
    """The real code loads the verified file in a child; where it or its package does not work, we draw, and rest."""
    box = with_model(env, NO_MODEL)
    with closing(DiffusionPainter(box)) as model, pytest.raises(WorkerError) as told:
        model.paint(WISH)
    assert isinstance(told.value, CallFailed)
    missing = find_spec("stable_diffusion_cpp") is None
    assert ("watchkeeper[diffusion]" if missing else "painter.model_file") in str(told.value)
    with closing(Painter(box)) as painter:
        picture = painter.paint(WISH)
        assert picture.by == "drawn" and not picture.kept
        again = painter.paint(WISH)
        assert again.by == "drawn" and again.kept
    assert capfd.readouterr().err.count("the picture is drawn instead") == 1


def test_a_model_that_paints_is_believed_where_it_gives_a_picture(
    env: Env, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of the size that was asked for; its pictures are kept under its digest. Anything else is drawn."""
    box = with_model(env, NO_MODEL, model_side_px=64, model_seconds=60.0)
    monkeypatch.setattr(diffusion, "_TARGET", "tests.fake_diffusion:load")
    with closing(Painter(box)) as painter:
        first, second = painter.paint(WISH), painter.paint(WISH)
        assert (first.by, first.kept, second.kept) == ("model", False, True) and first.png == second.png
        odd = painter.paint(wish_of(["dog"], [Chosen("boots")], ["beach"]))
        assert odd.by == "drawn"


def test_a_model_that_takes_too_long_is_ended(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is killed after `painter.model_seconds`, and the child has its picture."""
    box = with_model(env, NO_MODEL, model_side_px=64, model_seconds=3.0)
    monkeypatch.setattr(diffusion, "_TARGET", "tests.fake_diffusion:load")
    with closing(Painter(box)) as painter:
        assert painter.paint(wish_of(["owl"], [Chosen("boots")], ["beach"])).by == "drawn"
