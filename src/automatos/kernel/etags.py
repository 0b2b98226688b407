"""Entity tags: a version number in quotes, so that nobody overwrites what they have not seen."""


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def read_versions(if_match: str | None) -> frozenset[int] | None:
    """Return the versions an If-Match header names; None when there is none or it is `*`."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(","))
    return frozenset(int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10)
