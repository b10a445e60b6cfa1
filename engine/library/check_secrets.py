"""Secrets on their way out of a run: followed from where they enter, through groups and loops, to what leaves it.

The value of a tool is taken to be secret only when its step says so: most tools that are given a secret return none.
What a `compute` block makes of a secret is secret, and so is what holds one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import field

from engine.library.check_names import Readings
from engine.library.check_skills import FindSkill
from engine.library.codes import FindingCode
from engine.library.outline import Language, Outline, OutlinedStep, Site
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding
from engine.sandbox import NameUse

_LEAVES = frozenset({"value", "message", "question", "default", "inputs"})
"""Keys whose text leaves the run: outputs, `stop` messages, questions and their defaults, inputs of other skills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Why a value is secret.

    `inside` says which keys of a mapping are, and why; None: all of it is. `listed`: the value is a list of such.
    """

    because: str
    inside: Mapping[str, Secret] | None = None
    listed: bool = False

    def at(self, path: tuple[str, ...]) -> Secret | None:
        """What is secret at a path into the value; None when nothing is."""
        if self.listed and path and path[0].isdigit():
            path = path[1:]
        elif self.listed and path:
            return self
        if self.inside is None or not path or path[0] in {"get", "items", "values"}:
            return self
        return self.inside[path[0]].at(path[1:]) if path[0] in self.inside else None


def leaking_secrets(outlined: Outline, readings: Readings, find: FindSkill) -> Iterator[Finding]:
    """Secret inputs, values of `secret` steps, and what is made of them, on their way out of the run."""
    sites: dict[OutlinedStep | None, list[Site]] = defaultdict(list)
    for site in outlined.sites:
        sites[site.step].append(site)
    inner: dict[OutlinedStep | None, list[OutlinedStep]] = defaultdict(list)
    for step in outlined.steps:
        inner[step.group].append(step)
    follow = _Follow(readings=readings, find=find, sites=sites, inner=inner, inputs=_secret_inputs(outlined))
    for step in inner[None]:
        follow.step(step, "")
    follow.leaks(None)
    yield from follow.found


def _secret_inputs(outlined: Outline) -> frozenset[str]:
    return frozenset(part.name() for part in outlined.skill.listed("inputs") if part.get("secret") is True)


@dataclass(slots=True, kw_only=True)
class _Follow:
    """A walk in the order of the run; `names` are those that hold secrets at the moment."""

    readings: Readings
    find: FindSkill
    sites: Mapping[OutlinedStep | None, list[Site]]
    inner: Mapping[OutlinedStep | None, list[OutlinedStep]]
    inputs: frozenset[str]
    names: dict[str, Secret] = field(default_factory=dict)
    found: list[Finding] = field(default_factory=list)

    def step(self, step: OutlinedStep, around: str) -> None:
        """Follows one step; `around` says why all it gives is secret, if so."""
        hidden = self.names.get(step.bound)
        self._bind(step.bound, self._element(step))
        self.leaks(step)
        because = around or (f"the step {step.name} is secret" if step.part.get("secret") is True else "")
        for inner in self.inner.get(step, ()):
            self.step(inner, because)
        value = self._value(step, because)
        self._bind(step.bound, hidden)
        if step.output:
            self._bind(step.output, value)

    def leaks(self, step: OutlinedStep | None) -> None:
        """Notes every secret that leaves through the texts of a step, or of the outputs."""
        for site in self.sites.get(step, ()):
            if site.key in _LEAVES and not self._kept_secret(site):
                uses = self.readings[site.number].uses
                self.found += [_leak(site, use, secret) for use in uses if (secret := self._secret(use))]

    def _bind(self, name: str, secret: Secret | None) -> None:
        if secret is None:
            self.names.pop(name, None)
        else:
            self.names[name] = secret

    def _element(self, step: OutlinedStep) -> Secret | None:
        """What is secret of each element of a `foreach`."""
        sources = [(use, secret) for use, secret in self._read(step, "foreach") if secret]
        if not sources:
            return None
        use, secret = sources[0]
        text = step.part.get("foreach", "").strip("{} ")
        if secret.listed and text == ".".join(use.path):
            return Secret(because=secret.because, inside=secret.inside)
        return Secret(because=f"it is taken from what is secret ({secret.because})")

    def _value(self, step: OutlinedStep, because: str) -> Secret | None:
        """What is secret of the step's value."""
        secret = Secret(because=because) if because else self._held(step) or self._computed(step)
        if secret and "foreach" in step.part:
            return Secret(because=secret.because, inside=secret.inside, listed=True)
        return secret

    def _held(self, step: OutlinedStep) -> Secret | None:
        """A group holds what its steps gave."""
        inside = {
            each.output: self.names[each.output] for each in self.inner.get(step, ()) if each.output in self.names
        }
        if not inside:
            return None
        name, first = next(iter(inside.items()))
        return Secret(because=f"it holds {name}, and {first.because}", inside=inside)

    def _computed(self, step: OutlinedStep) -> Secret | None:
        source = next((secret for _, secret in self._read(step, "compute") if secret), None)
        return Secret(because=f"it is computed from a secret ({source.because})") if source else None

    def _read(self, step: OutlinedStep, key: str) -> Iterator[tuple[NameUse, Secret | None]]:
        for site in self.sites.get(step, ()):
            if site.key == key and site.language in {Language.COMPUTE, Language.EXPRESSION}:
                yield from ((use, self._secret(use)) for use in self.readings[site.number].uses)

    def _secret(self, use: NameUse) -> Secret | None:
        """What is secret of what a text reads; None when nothing is."""
        if use.guarded:
            return None
        match use.path:
            case ("inputs",) | ("inputs", "get" | "items" | "values") if self.inputs:
                return Secret(because=f"the input {min(self.inputs)} is secret")
            case ("inputs", name, *_) if name in self.inputs:
                return Secret(because=f"the input {name} is secret")
            case (name, *rest) if name in self.names:
                return self.names[name].at(tuple(rest))
            case _:
                return None

    def _kept_secret(self, site: Site) -> bool:
        """Whether the text fills an input that the called skill keeps secret, or that is nobody's."""
        if site.key != "inputs" or site.step is None:
            return False
        name = site.step.part.get("skill")
        callee = self.find(name) if isinstance(name, str) else None
        if callee is None:
            return True
        return all(part.get("secret") is True for part in callee.listed("inputs") if part.name() == site.target)


def _leak(site: Site, use: NameUse, secret: Secret) -> Finding:
    way_out = "leave it out, or return something that is not secret, such as the name of where it is kept"
    match site.key:
        case "inputs":
            called = site.step.part.get("skill") if site.step else ""
            where = f"the input {site.target} of the skill {called}, which is not secret"
            way_out = f"write `secret: true` at that input in {called}"
        case "message":
            where = "a `stop` message"
        case "question" | "default":
            where = "a question"
        case _:
            where = f"the output {site.target}"
    return Finding(
        place=use.place,
        code=FindingCode.SECRET_LEAK,
        message=f"{'.'.join(use.path)} would leave the run through {where}, and {secret.because}",
        hint=way_out,
    )
