"""Questions that are asked for everybody who comes in: written as querysets, built into SQL once (V-9).

Django builds the SQL of a queryset anew each time, which costs more than the answer. A `Prepared` question
builds it once in a process, with a gap where each value belongs, and asks the database with it ever after.
What comes back is what the queryset would give.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from inspect import signature
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db import connection
from django.db.models import BigIntegerField, BooleanField, Expression, F, Func, QuerySet, Value
from django.db.models.query import ModelIterable, ValuesListIterable, get_related_populators

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Row = TypeVar("Row")


class Gap(Expression):
    """Where a value belongs that is known only when the question is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [self]


class Among(Func):
    """Whether a column's value is in a list, which travels as one value, however long it is.

    `among` is the list, or its gap. An empty one is in order: nothing is among it.
    """

    output_field = BooleanField()
    conditional = True
    arity = 2

    def __init__(self, column: str | Expression, among: Any) -> None:
        values = among if isinstance(among, Expression) else Plain(among)
        super().__init__(F(column) if isinstance(column, str) else column, values)

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        joiner, template = " IN (SELECT value FROM json_each(", "%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, arg_joiner=joiner, **extra)

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        template = "%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" = ANY(", **extra)


class Unsought(Func):
    """A numeric column whose value is looked at in each row that was found by other columns. By the column
    itself SQLite would take an index of all that an account ever had for the narrowest one."""

    output_field = BigIntegerField()
    arity = 1
    template = "(%(expressions)s + 0)"

    def __init__(self, column: str) -> None:
        super().__init__(F(column))


class Plain(Value):
    """A value that goes to the database as it does in a gap."""

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [adapted(self.value, connection)]


def adapted(value: Any, connection: BaseDatabaseWrapper) -> Any:
    """A value as the driver takes it: moments, and collections as one."""
    if isinstance(value, str | int):
        return value
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, Collection):
        return json.dumps(list(value)) if connection.vendor == "sqlite" else list(value)
    return value


class Prepared(Generic[Row]):
    """`question(**values)`: the rows, as a list, of the queryset that `build` makes of expressions for these
    values.

    `build` has a parameter for each value; it may be put wherever Django takes an expression, and a list
    into `Among`. No value may be None, and which query it is may not depend on one. The queryset is one of
    models (`only`, `select_related`, `annotate` included), of `values_list` or of `values_list(flat=True)`.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self._build = build
        self.names = tuple(signature(build).parameters)
        self._built: _Built | None = None  # by the first thread that asks, for all of them

    def queryset(self, **values: Any) -> QuerySet[Any, Row]:
        """The same question by way of Django, as tests compare it."""
        return self._build(**{name: Plain(value) for name, value in values.items()})

    def __call__(self, **values: Any) -> list[Row]:
        built = self._built
        if built is None:
            built = self._built = _Built(self._build(**{name: Gap(name) for name in self.names}))
        parameters = [
            adapted(values[each.name], connection) if isinstance(each, Gap) else each
            for each in built.parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(built.sql, parameters)
            rows = cursor.fetchall()
        return list(built.read(rows))


class _Built:
    """The SQL of a queryset, and how its rows are read. Keeps no answer, so threads may share it."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        # this `connection` is each thread's own, whenever it is looked at
        compiler = queryset.query.get_compiler(connection=connection)
        self.sql, self.parameters = compiler.as_sql()
        self._compiler = compiler
        columns = [each[0] for each in compiler.select[: compiler.col_count]]
        self._converters = compiler.get_converters(columns)
        self._database = connection.alias
        if not issubclass(queryset._iterable_class, ModelIterable):
            is_tuple = issubclass(queryset._iterable_class, ValuesListIterable)
            self.read = self._tuples if is_tuple else self._flat
            return
        found = compiler.klass_info
        self.read = self._models
        self._model = found["model"]
        fields = found["select_fields"]
        self._first, self._end = fields[0], fields[-1] + 1
        self._names = [each[0].target.attname for each in compiler.select[self._first : self._end]]
        # the stubs are those of a newer Django
        self._related = get_related_populators(found, compiler.select, self._database)  # type: ignore[call-arg]
        self._annotations = list(compiler.annotation_col_map.items())

    def _converted(self, rows: list[Any]) -> Iterable[Any]:
        return self._compiler.apply_converters(rows, self._converters) if self._converters else rows

    def _tuples(self, rows: list[Any]) -> Iterable[Any]:
        return map(tuple, self._converted(rows))

    def _flat(self, rows: list[Any]) -> Iterable[Any]:
        return (row[0] for row in self._converted(rows))

    def _models(self, rows: list[Any]) -> Iterable[Any]:
        for row in self._converted(rows):
            made = self._model.from_db(self._database, self._names, row[self._first : self._end])
            for related in self._related:
                related.populate(row, made)
            for name, column in self._annotations:
                setattr(made, name, row[column])
            yield made
