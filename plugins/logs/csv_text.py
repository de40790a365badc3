"""The text of a CSV export, row by row: any length, in bounded memory, with the encoding told line by line.

A line is UTF-8; where it is not, runs of bytes above 127 make it GB18030, and single ones Windows-1252 (°C, Überdruck).
A file that begins with a UTF-16 mark is UTF-16 throughout.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.api import InputError
from agent.settings import LogSettings

__all__ = ["CsvText", "Odd", "Progress", "delimiter_of"]

Odd = Callable[[str, int], None]
"""Told the reason and the line of what is left out."""
Progress = Callable[[int, int], None]
"""Told the bytes that were read and the rows."""

_RUN = re.compile(rb"[\x80-\xff]{2}")
_TOO_LONG = "\x00\n"
_NO_TEXT = "\x00\x00\n"
_LINES_OF_A_CELL = 50
"""A row over more lines than this begins with a quote that nobody closed, as far as one can tell."""
_ROWS_BETWEEN_TOLD = 20_000


class CsvText:
    """One file.

    :raises InputError: it cannot be read, is empty, or is larger than `[logs] max_import_bytes`.
    """

    def __init__(self, source: Path, settings: LogSettings) -> None:
        self.source = source
        self._limit = settings.max_line_chars
        self.encodings: Counter[str] = Counter()
        try:
            self.size = source.stat().st_size
            with source.open("rb") as file:
                self._utf16 = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
        except OSError as error:
            raise InputError(f"{source}: cannot be read: {error.strerror}") from None
        if self.size > settings.max_import_bytes:
            raise InputError(
                f"{source}: {self.size:,} bytes, more than the {settings.max_import_bytes:,} of [logs] max_import_bytes"
            )
        csv.field_size_limit(self._limit)
        if next(self._lines(None), "") == _TOO_LONG:
            raise InputError(
                f"{source}: its first line is longer than the {self._limit:,} characters of [logs] max_line_chars; "
                "it is no table of signals or events"
            )
        head = next((line for line in self._lines(None) if line.strip("\x00\r\n\t ")), "")
        if not head:
            raise InputError(f"{source}: it is empty")
        self.delimiter = delimiter_of(head)
        try:
            self.headings = [cell.strip() for cell in next(csv.reader([head], delimiter=self.delimiter))]
        except csv.Error as error:
            raise InputError(f"{source}: its first line is no line of headings: {error}") from None

    @property
    def encoding(self) -> str:
        """What was read so far: one name, or several with the lines of each."""
        names = [name for name, _ in self.encodings.most_common()]
        if len(names) > 1 and "ascii" in names:
            names.remove("ascii")
        if names == ["ascii"] or not names:
            return "utf-8"
        return names[0] if len(names) == 1 else ", ".join(f"{name} ({self.encodings[name]} lines)" for name in names)

    def rows(self, odd: Odd, progress: Progress | None = None) -> Iterator[tuple[int, list[str]]]:
        """Rows under the headings, with their line; what is no row is told to `odd`.

        :raises InputError: the file cannot be read any further.
        """
        self.encodings.clear()
        reader = csv.reader(self._lines(progress), delimiter=self.delimiter)
        headed = False
        while True:
            before = reader.line_num
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                odd(str(error), reader.line_num)
                continue
            if reader.line_num - before > _LINES_OF_A_CELL:
                odd(f"a quoted cell of more than {_LINES_OF_A_CELL} lines: a quote may be missing", before + 1)
            if not any(cell.strip() for cell in cells):
                continue
            if cells == ["\x00"]:
                odd("line too long", reader.line_num)
            elif cells == ["\x00\x00"]:
                odd("text neither UTF-8 nor GB18030", reader.line_num)
            elif headed:
                yield reader.line_num, cells
            else:
                headed = True

    def _lines(self, progress: Progress | None) -> Iterator[str]:
        """Lines without NUL; one that is too long, or no text, comes as NULs alone: it is counted and not kept."""
        try:
            yield from self._wide_lines() if self._utf16 else self._byte_lines(progress)
        except UnicodeError:
            raise InputError(f"{self.source}: begins as UTF-16 and is not; save it as UTF-8") from None
        except OSError as error:
            raise InputError(f"{self.source}: cannot be read any further: {error.strerror}") from None

    def _wide_lines(self) -> Iterator[str]:
        with self.source.open(encoding="utf-16", newline="") as file:
            while line := file.readline(self._limit):
                whole = line
                while not whole.endswith("\n") and len(whole) >= self._limit:
                    whole = file.readline(self._limit) or "\n"
                    line = _TOO_LONG
                self.encodings["utf-16"] += 1
                yield line if line == _TOO_LONG else line.replace("\x00", "")

    def _byte_lines(self, progress: Progress | None) -> Iterator[str]:
        done = number = 0
        with self.source.open("rb") as file:
            while line := file.readline(self._limit):
                whole, done = line, done + len(line)
                long = False
                while not whole.endswith(b"\n") and len(whole) >= self._limit:
                    whole, long = file.readline(self._limit) or b"\n", True
                    done += len(whole)
                number += 1
                if progress is not None and number % _ROWS_BETWEEN_TOLD == 0:
                    progress(done, number)
                yield _TOO_LONG if long else self._decoded(line)

    def _decoded(self, line: bytes) -> str:
        if line.isascii():
            self.encodings["ascii"] += 1
            return line.decode("ascii").replace("\x00", "")
        for encoding in ("utf-8", "gb18030" if _RUN.search(line) else "cp1252"):
            try:
                text = line.decode(encoding)
            except UnicodeDecodeError:
                continue
            self.encodings[encoding] += 1
            return text.replace("\x00", "").removeprefix("\ufeff")
        return _NO_TEXT


def delimiter_of(head: str) -> str:
    """What separates the cells of the line of headings."""
    return max((",", ";", "\t", "|"), key=head.count)
