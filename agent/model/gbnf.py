"""The grammar of a reply in llama.cpp's own notation (GBNF), for servers that are built without llguidance.

Closed lists are translated: rules of strings, groups and choices, which is what the steps of a turn are made of. What
holds a JSON schema, a pattern or a special token is left as it is, untranslated: the server is then told nothing, and
what it says is checked on arrival as ever.
"""

from __future__ import annotations

import json
import re

__all__ = ["to_gbnf"]

_RULE = re.compile(r"([a-z][a-z0-9]*):[ \t]*(.+)")
_TOKEN = re.compile(r'[ \t]*(?:("(?:[^"\\\n]|\\.)*")|([a-z][a-z0-9]*)|([()|?*+]))[ \t]*')
_START, _ROOT = "start", "root"
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def to_gbnf(lark: str) -> str | None:
    """The same grammar, or None where it holds more than closed lists.

    :param lark: one rule a line, as `agent.bound` writes them.
    """
    rules = []
    for line in lark.strip().split("\n"):
        found = _RULE.fullmatch(line.strip(" \t"))
        body = found and _body(found[2])
        if not found or not body:
            return None
        rules.append(f"{_named(found[1])} ::= {body}")
    return "\n".join(rules)


def _body(text: str) -> str | None:
    parts, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            return None
        literal, name, sign = found.groups()
        parts.append(_literal(literal) if literal else _named(name) if name else sign)
        at = found.end()
    return " ".join(parts)


def _named(rule: str) -> str:
    return _ROOT if rule == _START else rule


def _literal(quoted: str) -> str:
    """A string of Lark, whose escapes are those of JSON."""
    text: str = json.loads(quoted)
    return '"' + "".join(_ESCAPED.get(c) or (c if c.isprintable() else _numbered(c)) for c in text) + '"'


def _numbered(char: str) -> str:
    return f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else f"\\u{ord(char):04x}"
