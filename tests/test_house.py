"""The house rules that a reader relies on."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

from agent import api, errors, hookspecs
from agent.settings import Section, Settings

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "knowledge": {"knowledge"},
    "agent": {"agent", "knowledge"},
    "plugins": {"plugins", "agent", "knowledge"},
}
MODULES = sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Our packages that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names & set(MAY_IMPORT)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_dependencies_point_one_way(path: Path) -> None:
    """knowledge ← agent ← plugins; and a plugin imports no other plugin."""
    package = path.relative_to(ROOT).parts[0]
    assert imported(path) <= MAY_IMPORT[package]
    if package == "plugins" and len(path.relative_to(ROOT).parts) > 2:
        own = path.relative_to(ROOT).parts[1]
        text = path.read_text(encoding="utf-8")
        others = {folder.name for folder in (ROOT / "plugins").iterdir() if folder.is_dir()} - {own}
        assert not [other for other in others if f"plugins.{other}" in text]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_of_ours_inside_a_function(path: Path) -> None:
    """Project imports stand at the top; only native backends are loaded late."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.ImportFrom):
                    assert (inner.module or "").split(".")[0] not in MAY_IMPORT


def test_one_layer_imports_llama_cpp() -> None:
    """llama_cpp is touched by agent/model/llama*.py and nothing else."""
    touching = [p for p in MODULES if "llama_cpp" in p.read_text(encoding="utf-8").replace("llama-cpp", "")]
    imports = [p.name for p in touching if "import llama_cpp" in p.read_text(encoding="utf-8")]
    assert all(name.startswith("llama") for name in imports)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_all_names_what_is_there(path: Path) -> None:
    """`__all__` is sorted and every name in it exists; every module says its purpose."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(name)
    assert module.__doc__
    names = getattr(module, "__all__", [])
    assert all(hasattr(module, public) for public in names)


def test_the_public_surface() -> None:
    """What a plugin author may rely on is a short list, and it exists."""
    assert len(api.__all__) == len(set(api.__all__))
    assert all(hasattr(api, name) for name in api.__all__)


def test_every_hook_is_documented() -> None:
    """A hook is a contract: typed, with a docstring, and named in ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    hooks = [f for _, f in inspect.getmembers(hookspecs, inspect.isfunction) if hasattr(f, "watchkeeper_spec")]
    assert len(hooks) >= 10
    for hook in hooks:
        assert hook.__doc__
        assert f"{hook.__name__}(" in text


def test_the_error_tree_is_drawn() -> None:
    """Every error stands in the drawing at the top of its file."""
    assert errors.__doc__
    for name in errors.__all__:
        assert name in errors.__doc__


def test_every_setting_says_its_unit_or_its_meaning() -> None:
    """A limit has its unit in the name; whatever else there is can be read in the file."""
    sections = [f.annotation for f in Settings.model_fields.values()]
    numbers = [
        name
        for section in sections
        if isinstance(section, type) and issubclass(section, Section)
        for name, field in section.model_fields.items()
        if field.annotation in (int, float) and name.startswith("max_")
    ]
    units = ("bytes", "px", "pixels", "side_px", "seconds", "chars", "tokens", "rows", "pages", "passages", "texts")
    counts = ("steps", "calls", "parts", "quotes", "names", "redirects", "offered", "groups", "points", "signals")
    counts += ("moments", "clauses", "devices", "parameters", "files", "pictures")
    assert [name for name in numbers if not name.endswith(units + counts)] == []


def test_nothing_speaks_of_where_it_was_made() -> None:
    """No path of a build machine and no registry's host."""
    hosts = ("pypi" + ".org", "python" + "hosted.org", "deb." + "debian.org", "npm" + "js.org")
    for path in [*MODULES, *ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "constraints.txt"]:
        text = path.read_text(encoding="utf-8")
        assert not [host for host in hosts if host in text], path
