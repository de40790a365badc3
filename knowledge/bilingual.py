"""Which English words a Chinese word may stand for, and the reverse: a dictionary as an index beside the store.

The dictionary is a text in the form of CC-CEDICT (`繁體 简体 [pin1 yin1] /meaning/other meaning/`), packed with gzip.
It is read once, into a SQLite file that may be deleted at any time; a question looks its words up there. Meanings are
kept as the index of passages has its words (`knowledge.tokens`), those of up to three words that say something. What is
a name, a variant or a remark on grammar is left out.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sqlite3
import zlib
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.tokens import HAN, stem, tokens

__all__ = ["MAX_PHRASE_WORDS", "MAX_WORD_CHARS", "Dictionary"]

MAX_WORD_CHARS = 6
"""Of a Chinese word."""
MAX_PHRASE_WORDS = 3
"""Of an English meaning, those that say something."""
MAX_MEANINGS = 8
"""Of one Chinese word, the first ones."""
MAX_ENTRIES = 400_000
_MAX_BYTES = 64_000_000
"""Of the unpacked text."""
_VERSION = 1
_ENTRY = re.compile(rf"\S+ ([{HAN}]{{1,{MAX_WORD_CHARS}}}) \[[^\]]*\] /(.+)/")
_REMARK = re.compile(
    r"CL:|surname\b|(?:\w+ )?variant\b|see(?: also)? |also written|abbr\.|used in\b|\(?dialect|archaic"
)
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_SPELT = (
    "mold/mould color/colour center/centre meter/metre liter/litre fiber/fibre caliber/calibre gray/grey plow/plough"
    " aluminum/aluminium sulfur/sulphur tire/tyre draft/draught gage/gauge program/programme vapor/vapour odor/odour"
    " analyze/analyse catalog/catalogue"
)
_SPELT_ALSO = {stem(american): stem(british) for american, british in (pair.split("/") for pair in _SPELT.split())}
"""American words, as CC-CEDICT has them, and the same in British books; both by their stems."""
_SAYS_NOTHING = frozenset(
    tokens("a an the to of in on at by for and or with as from be sb sth one oneself etc esp lit fig")
)


class Dictionary:
    """An index that was made from a dictionary; see `Dictionary.made`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def made(cls, source: Path, path: Path) -> Dictionary:
        """The index of a source, made anew where there is none or it was made from another source.

        :param path: where the index lies.
        :raises KnowledgeError: the source is no dictionary, or the index cannot be written.
        """
        try:
            stamp = f"{_VERSION} {source.stat().st_size} {_crc(source)}"
            if _stamp_of(path) != stamp:
                _make(source, path, stamp)
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise KnowledgeError(f"{source}: not a dictionary that can be read: {error}") from None
        except sqlite3.Error as error:
            raise KnowledgeError(f"{path}: the index of the dictionary cannot be used: {error}") from None
        return cls(path)

    def translations(self, words: Collection[str]) -> dict[str, list[str]]:
        """For each word that it has: Chinese words for an English one, English ones (between blanks) for a Chinese one.

        :param words: Chinese words, and English ones as `knowledge.tokens` has them, several between blanks.
        :returns: nothing where the index has gone or is damaged: it is made again by the next start.
        """
        try:
            with closing(_open(self._path)) as connection:
                sql = "SELECT key, value FROM words WHERE key IN (SELECT value FROM json_each(?)) ORDER BY place"
                rows = connection.execute(sql, (json.dumps(sorted(words)),)).fetchall()
        except sqlite3.Error:
            return {}
        found: dict[str, list[str]] = {}
        for key, value in rows:
            found.setdefault(key, []).append(value)
        return found


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _stamp_of(path: Path) -> str:
    try:
        with closing(_open(path)) as connection:
            return str(connection.execute("SELECT stamp FROM made").fetchone()[0])
    except (sqlite3.Error, TypeError):
        return ""


def _crc(source: Path) -> int:
    return zlib.crc32(source.read_bytes())


def _make(source: Path, path: Path, stamp: str) -> None:
    """Write the index beside its place and rename it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(beside)) as connection, connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("CREATE TABLE made (stamp TEXT NOT NULL)")
            connection.execute(
                "CREATE TABLE words (key TEXT NOT NULL, value TEXT NOT NULL, place INTEGER NOT NULL,"
                " PRIMARY KEY (key, value)) WITHOUT ROWID"
            )
            connection.executemany("INSERT OR IGNORE INTO words VALUES (?, ?, ?)", sorted(_pairs(source)))
            if not connection.execute("SELECT 1 FROM words").fetchone():
                raise KnowledgeError(f"{source}: not a dictionary: no line is `繁體 简体 [pin1 yin1] /meaning/`")
            connection.execute("INSERT INTO made VALUES (?)", (stamp,))
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _pairs(source: Path) -> Iterator[tuple[str, str, int]]:
    """Both ways of each word and its meanings, and the place of the meaning among those of the word."""
    with gzip.open(source) as packed:
        text = packed.read(_MAX_BYTES).decode()
    for number, line in enumerate(text.split("\n")):
        match = _ENTRY.match(line)
        if match is None:
            continue
        if number > MAX_ENTRIES:
            return
        for place, meaning in enumerate(_meanings(match[2])):
            yield match[1], meaning, place
            yield meaning, match[1], place


def _meanings(glosses: str) -> list[str]:
    """English meanings as index words between blanks."""
    found: dict[str, None] = {}
    for gloss in glosses.replace(";", "/").split("/"):
        if _REMARK.match(gloss.strip()):
            continue
        words = [word for word in tokens(_ASIDE.sub(" ", gloss)) if word not in _SAYS_NOTHING]
        if 0 < len(words) <= MAX_PHRASE_WORDS and all(word.isascii() for word in words):
            found[" ".join(words)] = None
            found[" ".join(_SPELT_ALSO.get(word, word) for word in words)] = None
    return list(found)[:MAX_MEANINGS]
