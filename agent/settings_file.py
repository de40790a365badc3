"""Reading the settings: defaults, then one TOML file, then variables over it.

The file is `WATCHKEEPER_CONFIG`, else `watchkeeper.toml` in the home folder; a variable is
`WATCHKEEPER_<SECTION>__<KEY>`. An unknown key is an error that names the nearest known one.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from agent.errors import SettingsError
from agent.settings import Settings

__all__ = ["load_settings"]

ENV_PREFIX = "WATCHKEEPER_"
NOT_SETTINGS = frozenset({"WATCHKEEPER_HOME", "WATCHKEEPER_CONFIG"})
"""Variables that say where settings are, so they cannot be settings."""


def load_settings(path: Path | None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    :param path: the TOML file; a missing one means defaults.
    :param environ: where the `WATCHKEEPER_…` variables are.
    :raises SettingsError: malformed TOML, an unknown key, or a value of the wrong kind; names the key and its place.
    """
    values = _read_toml(path) if path is not None and path.exists() else {}
    _overlay_environment(values, environ)
    _refuse_unknown(values, Settings, place=str(path or "settings"), prefix="")
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path or 'settings'}: {where}: {first['msg']} (got {first['input']!r})") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None


def _overlay_environment(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    for name, text in sorted(environ.items()):
        if not name.startswith(ENV_PREFIX) or name in NOT_SETTINGS:
            continue
        *sections, key = name[len(ENV_PREFIX) :].lower().split("__")
        place = values
        for section in sections:
            inner = place.setdefault(section, {})
            if not isinstance(inner, dict):
                raise SettingsError(f"{name}: {section} is not a section")
            place = inner
        place[key] = _value_of(text)


def _value_of(text: str) -> Any:
    """Lists and tables are written as JSON; everything else is left for pydantic to convert."""
    if text[:1] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _refuse_unknown(values: Mapping[str, Any], model: type[BaseModel], *, place: str, prefix: str) -> None:
    for key, value in values.items():
        field = model.model_fields.get(key)
        if field is None:
            near = difflib.get_close_matches(key, model.model_fields, n=1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else f"; known here: {', '.join(model.model_fields)}"
            raise SettingsError(f"{place}: unknown setting {prefix}{key}{hint}")
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            if not isinstance(value, Mapping):
                raise SettingsError(f"{place}: {prefix}{key} is a section, write [{prefix}{key}]")
            _refuse_unknown(value, inner, place=place, prefix=f"{prefix}{key}.")
