"""The functions a rewritten block calls, as source text that the interpreter runs before it."""

from __future__ import annotations

import ast
from functools import cache
from importlib.resources import files
from typing import Final

from engine.sandbox.compute_names import Names
from engine.sandbox.functions import TEXT_HELPERS
from engine.sandbox.stand_ins import STAND_INS

_KNOWN_METHODS_WORDS: Final = (
    "append capitalize casefold center clear copy count decode difference discard encode endswith extend find format "
    "get group groupdict groups index insert intersection isalnum isalpha isdecimal isdigit islower isnumeric isspace "
    "istitle isupper items join keys ljust lower lstrip partition pop popitem remove removeprefix removesuffix "
    "replace reverse rfind rindex rjust rpartition rsplit rstrip setdefault sort split splitlines startswith strip "
    "swapcase title total_seconds union update upper values zfill isoformat strftime match search sub findall add"
)
KNOWN_METHODS: Final = frozenset(_KNOWN_METHODS_WORDS.split())
_TYPE_NAMES_WORDS: Final = "str list dict set tuple int float bytes frozenset"
TYPE_NAMES: Final = frozenset(_TYPE_NAMES_WORDS.split())

_CHECK: Final = """
def _skill_checked(value):
    plain = (str, int, float, bool, type(None))
    waiting = [value]
    seen = 0
    while waiting:
        each = waiting.pop()
        kind = type(each)
        if kind in plain:
            continue
        seen += 1
        if seen > 250000:
            return "it holds more than 250,000 values"
        if isinstance(each, dict):
            waiting.extend(each.keys())
            waiting.extend(each.values())
        elif isinstance(each, (list, tuple)):
            waiting.extend(each)
        elif kind.__name__ not in ("date", "datetime", "time", "timedelta", "timezone", "set", "frozenset", "deque"):
            return "it holds a value of type " + kind.__name__
    return ""
"""
_PARTS: Final = {
    "get": """
def _skill_get(holder, name):
    if isinstance(holder, dict):
        if name in holder:
            return holder[name]
        raise AttributeError("there is no key " + name)
    return getattr(holder, name)
""",
    "get address": """
def _skill_get(holder, name):
    if isinstance(holder, dict):
        if name in holder:
            return holder[name]
        raise AttributeError("there is no key " + name)
    if name in ("hostname", "port", "username", "password"):
        return _skill_urllib_parse.host_part(holder, name)
    return getattr(holder, name)
""",
    "next": """
def _skill_next(values, *default):
    if isinstance(values, list):
        return next(iter(values), *default)
    return next(values, *default)
""",
    "delete": """
def _skill_delete(holder, key):
    if isinstance(key, slice):
        holder[key] = []
    elif isinstance(holder, dict) and key not in holder:
        raise KeyError(str(key))
    else:
        holder.pop(key)
""",
    "dir": """
def _skill_scope(scope):
    named = {}
    for name in scope:
        if not name.startswith("_skill_") and not (name in _skill_absent and scope[name] is None):
            named[name] = scope[name]
    return named
def _skill_dir(scope):
    return sorted(_skill_scope(scope))
""",
    "dumps": """
def _skill_dumps(value, default=None, **options):
    import json
    def writable(each):
        if isinstance(each, dict):
            return {key: writable(inner) for key, inner in each.items()}
        if isinstance(each, (list, tuple)):
            return [writable(inner) for inner in each]
        if each is None or isinstance(each, (str, int, float, bool)):
            return each
        return writable(default(each))
    return json.dumps(writable(value), **options)
""",
    "fromtimestamp": """
def _skill_fromtimestamp(seconds, tz=None):
    from datetime import datetime, timezone
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + _skill_timedelta(seconds=seconds)
    if tz is None:
        return moment.astimezone().replace(tzinfo=None)
    return _skill_zoned_astimezone(moment, tz)
""",
    "utcfromtimestamp": """
def _skill_utcfromtimestamp(seconds):
    from datetime import datetime
    return datetime(1970, 1, 1) + _skill_timedelta(seconds=seconds)
""",
    "timedelta": """
def _skill_timedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0):
    from datetime import timedelta
    whole = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
    small = round(whole * 1000000 + milliseconds * 1000 + microseconds)
    return timedelta(days=small // 86400000000, seconds=small // 1000000 % 86400, microseconds=small % 1000000)
""",
    "utcnow": """
def _skill_utcnow():
    from datetime import datetime, timezone
    return datetime.now(timezone.utc).replace(tzinfo=None)
""",
    "combine": """
def _skill_combine(day, clock, tzinfo=None):
    from datetime import datetime
    zone = clock.tzinfo if tzinfo is None else tzinfo
    return datetime(
        day.year, day.month, day.day, clock.hour, clock.minute, clock.second, clock.microsecond, tzinfo=zone
    )
""",
    "astimezone": """
def _skill_zoned_astimezone(value, tz):
    return value.astimezone(tz)
""",
}
_METHOD: Final = """
def _skill_method_{name}(owner):
    if isinstance(owner, dict) and "{name}" in owner:
        return owner["{name}"]
    if owner in ({types}):
        return lambda value, *args: value.{name}(*args)
    return lambda *args: owner.{name}(*args)
"""
_MODULE: Final = """
class _SkillModule:
    pass
"""


def prelude(needs: frozenset[str], names: Names) -> str:
    """The functions in `needs`, the stand-in modules, and the text helpers that `names` reads."""
    modules = sorted(need.removeprefix("module ") for need in needs if need.startswith("module "))
    methods = sorted(need.removeprefix("method ") for need in needs if need.startswith("method "))
    helpers = sorted((names.reads & {*TEXT_HELPERS, "tojson"}) - names.bound)
    parts = [_CHECK]
    if modules or helpers:
        parts.append(_MODULE)
    parts += [_module(module) for module in modules]
    parts += [_METHOD.format(name=name, types=_types()) for name in methods]
    parts += [_PARTS[_part(need, modules)] for need in sorted(needs) if need in _PARTS]
    if {"fromtimestamp", "utcfromtimestamp"} & needs and "timedelta" not in needs:
        parts.append(_PARTS["timedelta"])
    if "fromtimestamp" in needs and "zoneinfo" not in modules:
        parts.append(_PARTS["astimezone"])
    if helpers:
        parts.append(_texts(helpers))
    if "now" in names.reads - names.bound:
        parts.append("def now():\n    return _skill_now\n")
    return "".join(parts)


def module_name(module: str) -> str:
    """The name under which the interpreter has the stand-in of `module`."""
    return "_skill_" + module.replace(".", "_")


def _part(need: str, modules: list[str]) -> str:
    return "get address" if need == "get" and "urllib.parse" in modules else need


def _types() -> str:
    return ", ".join(sorted(TYPE_NAMES))


@cache
def _module(module: str) -> str:
    source = files("engine.sandbox.stand_ins").joinpath(f"{STAND_INS[module]}.py").read_text(encoding="utf-8")
    name = module_name(module)
    lines = [_enclosed(name, source), f"{name} = _make{name}()\n"]
    if module == "urllib.parse":
        lines.append("_skill_urllib = _SkillModule()\n_skill_urllib.parse = _skill_urllib_parse\n")
    if module == "zoneinfo":
        public = [each for each in _public(source) if each.startswith("zoned_")]
        lines += [f"_skill_{each} = {name}.{each}\n" for each in public]
    return "".join(lines)


def _texts(helpers: list[str]) -> str:
    source = files("engine.sandbox").joinpath("text_helpers.py").read_text(encoding="utf-8")
    lines = [_enclosed("_skill_texts", source), "_skill_texts = _make_skill_texts()\n"]
    lines += [f"{helper} = _skill_texts.{helper}\n" for helper in helpers]
    return "".join(lines)


def _enclosed(name: str, source: str) -> str:
    """`source` as the body of a function that gives its public names as one object; annotations are left out."""
    tree = ast.parse(source)
    body = [statement for statement in tree.body if not _is_ours_only(statement)]
    inner = ast.unparse(_Bare().visit(ast.Module(body=body, type_ignores=[])))
    lines = "\n".join(f"    {line}" if line else "" for line in inner.split("\n"))
    exports = "\n".join(f"    _module.{each} = {each}" for each in _public(source))
    return f"def _make{name}():\n{lines}\n    _module = _SkillModule()\n{exports}\n    return _module\n"


def _is_ours_only(statement: ast.stmt) -> bool:
    """Whether a statement is for us and not for the interpreter: a docstring, an import for type hints."""
    return isinstance(statement, ast.Expr) or (
        isinstance(statement, ast.ImportFrom) and statement.module == "collections.abc"
    )


@cache
def _public(source: str) -> tuple[str, ...]:
    found: list[str] = []
    for statement in ast.parse(source).body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if not name.startswith("_"):
                found.append(name)
            case ast.Assign(targets=[ast.Name(id=name)]) if not name.startswith("_"):
                found.append(name)
    return tuple(found)


class _Bare(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        node.body = [each for each in node.body if not _is_docstring(each)] or [ast.Pass()]
        for argument in (*node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg):
            if argument is not None:
                argument.annotation = None
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [each for each in node.body if not _is_docstring(each)] or [ast.Pass()]
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        value = node.value or ast.Constant(value=None)
        return ast.copy_location(ast.Assign(targets=[node.target], value=value, lineno=node.lineno), node)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
