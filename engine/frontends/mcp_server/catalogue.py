"""`Catalogue`: the tools of one server as the skill files are now."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from engine.errors import EngineError
from engine.frontends.mcp_server.general import general_offers
from engine.frontends.mcp_server.offers import Listed, Offer
from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.skill_tools import names_of, offer_of, worst_effect
from engine.library import SkillEntry
from engine.model.lazy_dataclass import dataclass
from engine.model.skill import Skill

Seen = tuple[tuple[str, int, int], ...]
"""Every skill file with its size and the time of its last change: what tells whether to look again."""


NOTHING = Listed(offers={}, tool_of={}, effect_of={}, broken={})


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """Knows the tools; looks at the skill files again when one of them has changed."""

    serving: Serving
    _seen: Seen | None = None
    _listed: Listed = NOTHING

    def listed(self) -> Listed:
        """The tools there are now, those above the tier included."""
        seen = self.looked()
        if seen != self._seen:
            self._listed, self._seen = self._look(), seen
        return self._listed

    def allowed(self) -> tuple[Offer, ...]:
        """The tools clients may see, general ones first."""
        return tuple(each for each in self.listed().offers.values() if self.serving.allow.allows(each.needs))

    def _look(self) -> Listed:
        library, tools = self.serving.engine.library, self.serving.engine.registry
        good, broken = _loaded(self.serving)
        effects = {name: worst_effect(skill, library, tools) for name, (skill, _) in good.items()}
        offers = {offer.name: offer for offer in general_offers(self.serving, self.listed)}
        tool_of = names_of((name for name, (_, wanted) in good.items() if wanted), offers)
        for name, tool in tool_of.items():
            offers[tool] = offer_of(good[name][0], tool, effect=effects[name])
        return Listed(offers=offers, tool_of=tool_of, effect_of=effects, broken=broken)

    def looked(self) -> Seen:
        """Every skill file as it is now, without reading any."""
        return tuple(_stats(self.serving))


def chosen(serving: Serving, entry: SkillEntry) -> bool:
    """Whether the skill is to be a tool of its own."""
    by_tag = not serving.tags or not set(serving.tags).isdisjoint(entry.tags)
    by_name = not serving.skills or any(fnmatchcase(entry.name, glob) for glob in serving.skills)
    return by_tag and by_name


def _stats(serving: Serving) -> Iterator[tuple[str, int, int]]:
    for folder in serving.engine.workspace.skill_folders:
        for path in sorted(folder.glob("*.yaml")):
            try:
                stat = path.stat()
            except OSError:
                continue
            yield str(path), stat.st_size, stat.st_mtime_ns


def _loaded(serving: Serving) -> tuple[dict[str, tuple[Skill, bool]], dict[str, str]]:
    """The skills that can run, each with whether it is to be a tool; and why the others cannot."""
    good: dict[str, tuple[Skill, bool]] = {}
    broken: dict[str, str] = {}
    for entry in serving.engine.library.entries():
        if entry.error:
            broken[entry.name] = entry.error
            continue
        try:
            # By its path: a name is looked for among all files each time.
            good[entry.name] = serving.engine.library.load(str(entry.path)), chosen(serving, entry)
        except EngineError as error:
            broken[entry.name] = str(error)
    return good, broken
