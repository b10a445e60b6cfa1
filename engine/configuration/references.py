"""The credentials that a domain names: which setting refers to one, and where it is kept, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.configuration.services import SERVICES
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass

FORMS = ("env", "file", "keyring", "command")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A credential by where it is kept.

    `setting` is its dotted name in the domain's settings (`login.client_secret`), `form` one of `FORMS`, `where` what
    that form names: a variable, a path, the keyring's service and user, a list of words. `usual`: nobody wrote it, its
    tools look there by themselves.
    """

    domain: str
    setting: str
    form: str
    where: Any
    usual: bool = False

    @property
    def words(self) -> str:
        """Where it is kept, for people."""
        return kept_in(self.form, self.where)


def references(domain: Domain) -> tuple[Reference, ...]:
    """Every credential of the domain that is kept somewhere, and the variable its tools look into by themselves."""
    written = tuple(
        Reference(domain=domain.name, setting=".".join(path), form=form, where=where)
        for path, form, where in _walk(domain.settings, ())
    )
    known = SERVICES.get(domain.name)
    elsewhere = known is not None and known.in_place_of_url in domain.settings
    if known and known.usual and not elsewhere and not any(each.setting == "credential" for each in written):
        usual = Reference(domain=domain.name, setting="credential", form="env", where=known.usual, usual=True)
        return (*written, usual)
    return written


def kept_in(form: str, where: Any) -> str:
    """Where a credential is kept, for people: `the environment variable X`."""
    match form, where:
        case "env", name:
            return f"the environment variable {name}"
        case "file", path:
            return f"the file {path}"
        case "keyring", {"service": service, "username": user}:
            return f"the keyring's {user} at {service}"
        case _, [program, *_]:
            return f"what the program {program} prints"
    return str(form)


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """The references below a value: a mapping of one key, which is a form, at a key that names something secret."""
    if not isinstance(value, Mapping):
        return
    form = next(iter(value), "")
    if len(value) == 1 and form in FORMS and path and _is_secret(path[-1]):
        yield path, form, value[form]
        return
    for key, inner in value.items():
        yield from _walk(inner, (*path, str(key)))


def _is_secret(name: str) -> bool:
    return name.endswith(("credential", "secret", "password", "refresh_token"))
