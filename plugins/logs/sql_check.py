"""Whether a statement only asks: parsed with sqlglot, and refused unless every part of it is known to be harmless.

One SELECT (or several joined by UNION); tables `events` and `readings` and what the statement names itself, none of
them with a schema; columns that these have; functions of a short list; no recursion, no parameters, no locks. What is
run is written anew from what was checked, without comments. The database enforces the rest: rows, seconds, and that
nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.api import ToolFailed

__all__ = ["FUNCTIONS", "check_sql"]

FUNCTIONS = frozenset(
    (
        *("count", "sum", "total", "avg", "min", "max", "round", "abs", "coalesce", "nullif", "ifnull"),
        *("lower", "upper", "length", "substr", "substring", "trim", "instr"),
        *("date", "time", "datetime", "strftime", "julianday", "unixepoch", "extract", "date_trunc", "date_part"),
        *("row_number", "rank", "dense_rank", "lag", "lead", "first_value", "last_value"),
    )
)
"""By name, as SQLite or PostgreSQL write them."""
_NODES = frozenset(
    (
        *(
            "Select",
            "Union",
            "Except",
            "Intersect",
            "Subquery",
            "With",
            "CTE",
            "TableAlias",
            "Alias",
            "Aliases",
            "From",
        ),
        *("Join", "Where", "Group", "Having", "Order", "Ordered", "Limit", "Offset", "Distinct", "Table", "Column"),
        *("Identifier", "Star", "Literal", "Null", "Boolean", "Paren", "Tuple", "And", "Or", "Not", "Exists", "In"),
        *("EQ", "NEQ", "GT", "GTE", "LT", "LTE", "Is", "Between", "Like", "ILike", "Glob", "Add", "Sub", "Mul", "Div"),
        *(
            "Mod",
            "IntDiv",
            "Neg",
            "Case",
            "If",
            "Cast",
            "DataType",
            "Window",
            "WindowSpec",
            "Filter",
            "Interval",
            "Var",
        ),
        *("Count", "Sum", "Avg", "Min", "Max", "Round", "Abs", "Coalesce", "Nullif", "Lower", "Upper", "Length"),
        *("Substring", "Trim", "StrPosition", "Date", "TimeToStr", "TsOrDsToTimestamp", "Extract", "TimestampTrunc"),
        *("DateTrunc", "RowNumber", "Rank", "DenseRank", "Lag", "Lead", "FirstValue", "LastValue", "CurrentDate"),
        *(
            "Time",
            "Datetime",
            "Timestamp",
            "TsOrDsToDate",
            "JulianDay",
            "UnixSeconds",
            "DPipe",
            "SafeDPipe",
            "DataTypeParam",
        ),
    )
)
"""Parts of a statement, by their class in sqlglot; anything else is refused."""
_TYPES = frozenset(
    (
        *("TEXT", "VARCHAR", "INT", "BIGINT", "SMALLINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN"),
        *("DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL"),
    )
)
"""What may be cast to."""
_MAX_TABLES = 4
_MAX_NODES = 400


def check_sql(sql: str, *, dialect: str, tables: Mapping[str, Sequence[str]], max_chars: int) -> str:
    """The statement as it may be run.

    :param dialect: `sqlite` or `postgres`.
    :param tables: name → columns.
    :raises ToolFailed: it is no single SELECT, or holds something that is not known to be harmless; says which.
    """
    try:
        import sqlglot
        from sqlglot.errors import SqlglotError
    except ImportError:
        raise ToolFailed("sql needs a further package: pip install 'watchkeeper[sql]'") from None
    if len(sql) > max_chars:
        raise ToolFailed(f"sql: {len(sql)} characters, more than the {max_chars} of [logs] max_sql_chars")
    try:
        found = [one for one in sqlglot.parse(sql, read=dialect) if one is not None]
        if len(found) != 1:
            raise ToolFailed(f"sql: {len(found)} statements; write exactly one SELECT")
        _check(found[0], tables)
        return found[0].sql(dialect=dialect, comments=False)
    except (SqlglotError, RecursionError) as error:
        raise ToolFailed(f"sql: cannot be read: {' '.join(str(error).split())[:150]}; write one SELECT") from None


def _check(tree: Any, tables: Mapping[str, Sequence[str]]) -> None:
    kind = type(tree).__name__
    if kind not in ("Select", "Union", "Except", "Intersect"):
        raise ToolFailed(f"sql: {kind.upper()} is not allowed; write one SELECT")
    nodes = list(tree.walk())
    if len(nodes) > _MAX_NODES:
        raise ToolFailed(f"sql: too long, {len(nodes)} parts; at most {_MAX_NODES}")
    for node in nodes:
        _check_node(node)
    own = {node.alias.lower() for node in nodes if type(node).__name__ == "CTE"}
    named = [node for node in nodes if type(node).__name__ == "Table"]
    if own & set(tables):
        raise ToolFailed(f"sql: {', '.join(sorted(own & set(tables)))} is the name of a table; call the part otherwise")
    unknown = [node.name for node in named if node.name.lower() not in {*tables, *own}]
    if unknown:
        raise ToolFailed(f"sql: no table {unknown[0]}; there are {', '.join(tables)}")
    if len(named) > _MAX_TABLES:
        raise ToolFailed(f"sql: {len(named)} tables are joined; at most {_MAX_TABLES}")
    _check_columns(nodes, named, tables, own)


def _check_node(node: Any) -> None:
    kind = type(node).__name__
    if kind == "Anonymous":
        if node.name.lower() not in FUNCTIONS:
            raise ToolFailed(
                f"sql: the function {node.name[:40]} is not allowed; there are {', '.join(sorted(FUNCTIONS))}"
            )
    elif kind not in _NODES:
        raise ToolFailed(f"sql: {kind} is not allowed")
    if kind == "DataType" and getattr(node.this, "name", "") not in _TYPES:
        raise ToolFailed(f"sql: CAST to {str(node)[:40]} is not allowed")
    if kind == "With" and node.args.get("recursive"):
        raise ToolFailed("sql: RECURSIVE is not allowed")
    if kind == "Table" and (
        node.args.get("db") or node.args.get("catalog") or type(node.this).__name__ != "Identifier"
    ):
        raise ToolFailed("sql: a table stands by its name alone")
    if kind == "Select" and (node.args.get("into") or node.args.get("locks")):
        raise ToolFailed("sql: INTO and FOR UPDATE are not allowed")


def _check_columns(
    nodes: Sequence[Any], named: Sequence[Any], tables: Mapping[str, Sequence[str]], own: set[str]
) -> None:
    """Columns are those of the tables, or names that the statement gives itself."""
    known = {column.lower() for columns in tables.values() for column in columns}
    given = {node.alias.lower() for node in nodes if type(node).__name__ == "Alias"}
    for node in nodes:
        if type(node).__name__ == "TableAlias":
            given |= {column.name.lower() for column in node.args.get("columns") or []}
    places = {*tables, *own, *(node.alias.lower() for node in [*named, *nodes] if node.alias)}
    for node in nodes:
        if type(node).__name__ != "Column" or type(node.this).__name__ == "Star":
            continue
        if node.name.lower() not in known | given or (node.table and node.table.lower() not in places):
            listed = "; ".join(f"{table}({', '.join(columns)})" for table, columns in tables.items())
            raise ToolFailed(f"sql: no column {node.sql()[:60]}; there are {listed[:600]}")
