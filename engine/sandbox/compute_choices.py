"""Which calls and attributes of a compute block are rewritten, and as which functions of the prelude."""

from __future__ import annotations

import ast
from typing import Final

from engine.sandbox.compute_names import BUILTINS, Names
from engine.sandbox.compute_prelude import KNOWN_METHODS, TYPE_NAMES, module_name
from engine.sandbox.stand_ins import STAND_INS

_CLASS_FUNCTIONS: Final = frozenset({"fromkeys", "maketrans", "fromhex", "from_bytes"})
_LACKING: Final = frozenset({"fromtimestamp", "utcfromtimestamp", "utcnow", "combine"})
_ZONED: Final = frozenset({"now", "astimezone", "replace"})
_ASKING: Final = frozenset({"dir", "locals", "globals", "vars"})


class Rules:
    """Which calls and attributes are rewritten, and as what."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._zoned = "zoneinfo" in names.modules
        self.needs: set[str] = set()

    def read(self, node: ast.Attribute) -> str | None:
        """The function that reads this attribute, or None where it stays."""
        if not isinstance(node.ctx, ast.Load) or node.attr.startswith("__") or self._is_module(node.value):
            return None
        if node.attr in KNOWN_METHODS:
            self.needs.add(f"method {node.attr}")
            return f"_skill_method_{node.attr}"
        if self._is_type(node.value):
            return None
        self.needs.add("get")
        return "_skill_get"

    def _is_module(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self._names.imported

    def _is_type(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in TYPE_NAMES and node.id not in self._names.bound

    def called(self, node: ast.Call) -> str | None:
        """The function that stands in for the one called, or None where it stays."""
        match node.func:
            case ast.Name(id=name):
                return self._called_name(node, name)
            case ast.Attribute(value=value, attr="timedelta") if self._is_module(value):
                return self._need("timedelta")
            case ast.Attribute(attr=attr) if attr not in _ZONED and self._is_zoned(node):
                return self._need("zoned_made")
            case ast.Attribute(value=value, attr=attr):
                return self._called_method(node, value, attr)
        return None

    def _called_name(self, node: ast.Call, name: str) -> str | None:
        if name == "next" and name not in self._names.bound:
            return self._need("next")
        if name == "timedelta" and name in self._names.imported:
            return self._need("timedelta")
        return self._need("zoned_made") if self._is_zoned(node) else None

    def _is_zoned(self, node: ast.Call) -> bool:
        return self._zoned and any(keyword.arg == "tzinfo" for keyword in node.keywords)

    def _called_method(self, node: ast.Call, value: ast.expr, attr: str) -> str | None:
        if self._is_type(value) and attr not in _CLASS_FUNCTIONS and attr in KNOWN_METHODS:
            self.needs.add(f"method {attr}")
            return f"_skill_method_{attr}({ast.unparse(value)})"
        if attr in _LACKING and self._is_module(value):
            return self._need(attr)
        if attr == "dumps" and self._is_module(value) and any(keyword.arg == "default" for keyword in node.keywords):
            return self._need("dumps")
        if self._zoned and attr in _ZONED:
            return self._need(f"zoned_{attr}")
        return None

    def _need(self, name: str) -> str:
        self.needs.add(name)
        return f"_skill_{name}"

    def asks(self, node: ast.Call) -> bool:
        """Whether this call asks which names there are."""
        match node:
            case ast.Call(func=ast.Name(id=name), args=[], keywords=[]):
                return name in _ASKING and name not in self._names.bound
        return False

    def asked(self, node: ast.Call) -> str:
        """What stands in for `dir()` and its kin."""
        self.needs.add("dir")
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return "_skill_dir(locals())" if name == "dir" else "_skill_scope(locals())"

    def is_error(self, node: ast.Call) -> bool:
        """Whether this call makes an error, whose one argument must be a text here."""
        match node.func:
            case ast.Name(id=name) if name in BUILTINS and name[0].isupper() and name not in self._names.bound:
                return not any(isinstance(argument, ast.Starred) for argument in node.args)
        return False

    def imported(self, alias: ast.alias) -> str:
        """What stands in for one name of an import."""
        if alias.name not in STAND_INS:
            return f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
        self.needs.add(f"module {alias.name}")
        if alias.asname or "." not in alias.name:
            return f"{alias.asname or alias.name} = {module_name(alias.name)}"
        return "urllib = _skill_urllib"

    def touches(self, node: ast.JoinedStr) -> bool:
        """Whether anything inside an f-string must be rewritten."""
        kinds = (ast.Attribute, ast.Call, ast.GeneratorExp)
        return any(isinstance(each, kinds) for each in ast.walk(node))
