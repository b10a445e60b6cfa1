"""Stands in for `zoneinfo`: zones by name, whose offset at a moment the program outside looks up."""

from datetime import datetime, timedelta, timezone


class ZoneInfo:
    """A time zone; dates get its offset at their moment when they are converted."""

    def __init__(self, key: str) -> None:
        self.key = key
        _skill_zone_offset(key, 0.0, False)  # type: ignore[name-defined]  # noqa: F821 - given by the program outside


def at(zone: ZoneInfo, moment: datetime, wall: bool) -> timezone:
    """The offset of `zone` at a moment, given as its wall time or in UTC."""
    start = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - the name the interpreter knows
    given = moment.replace(tzinfo=timezone.utc) if wall else moment.astimezone(timezone.utc)  # noqa: UP017 - as above
    seconds, name = _skill_zone_offset(zone.key, (given - start).total_seconds(), wall)  # type: ignore[name-defined]  # noqa: F821 - given by the program outside
    return timezone(timedelta(seconds=seconds), name)


def zoned_now(owner: type[datetime], tz: object = None) -> datetime:
    """`datetime.now(tz)`."""
    if not isinstance(tz, ZoneInfo):
        return owner.now(tz) if tz is not None else owner.now()  # type: ignore[arg-type]
    moment = owner.now(timezone.utc)  # noqa: UP017 - the name the interpreter knows
    return moment.astimezone(at(tz, moment, False))


def zoned_astimezone(value: datetime, tz: object = None) -> datetime:
    """`value.astimezone(tz)`."""
    if not isinstance(tz, ZoneInfo):
        return value.astimezone(tz) if tz is not None else value.astimezone()  # type: ignore[arg-type]
    return value.astimezone(at(tz, value, False))


def zoned_replace(value: datetime, *args: object, **options: object) -> datetime:
    """`value.replace(...)` of dates, and of texts."""
    zone = options.get("tzinfo")
    if not isinstance(zone, ZoneInfo):
        return value.replace(*args, **options)  # type: ignore[arg-type]
    options["tzinfo"] = None
    bare = value.replace(*args, **options)  # type: ignore[arg-type]
    return bare.replace(tzinfo=at(zone, bare, True))


def zoned_made(make: type[datetime], *args: object, **options: object) -> datetime:
    """`datetime(..., tzinfo=zone)`."""
    zone = options.pop("tzinfo")
    if not isinstance(zone, ZoneInfo):
        return make(*args, tzinfo=zone, **options)  # type: ignore[arg-type, misc]
    bare = make(*args, **options)  # type: ignore[arg-type]
    return bare.replace(tzinfo=at(zone, bare, True))
