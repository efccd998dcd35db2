"""Looks at the built site as a reader without a network would: `python -m tests.docs.site build/docs`.

Every link within it leads to a page and, if it names one, a heading that is there; nothing that a page needs
(scripts, styles, fonts, pictures) comes from elsewhere.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_NEEDED: Final = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
_STYLE: Final = re.compile(r"""(?:url\(\s*|@import\s+)["']?([^"')\s]+)""")


@dataclass
class _Page(HTMLParser):
    """What a page links to, needs, and can be linked to."""

    text: str
    links: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if _NEEDED.get(tag) in given and given.get("rel") != "canonical":
            self.needs.append(given[_NEEDED[tag]])


def problems_of(site: Path) -> list[str]:
    """What is wrong, a sentence each."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in _pages(site)}
    found: list[str] = []
    for path, page in pages.items():
        name = path.relative_to(site)
        found += [f"{name} needs {each}." for each in page.needs if _is_elsewhere(each)]
        local = [each for each in (*page.links, *page.needs) if not _is_elsewhere(each)]
        found += [f"{name} links to {each}." for each in local if not _is_there(each, path, pages)]
    for style in sorted(site.rglob("*.css")):
        needs = _STYLE.findall(style.read_text(encoding="utf-8"))
        found += [f"{style.relative_to(site)} needs {each}." for each in needs if _is_elsewhere(each)]
    return found


def _pages(site: Path) -> list[Path]:
    """The theme brings pages that are templates."""
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.relative_to(site).parts]


def _is_elsewhere(link: str) -> bool:
    parts = urlsplit(link)
    return parts.scheme not in ("", "data") or bool(parts.netloc)


def _is_there(link: str, page: Path, pages: dict[Path, _Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme == "data":
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if target not in pages:
        return target.is_file()
    return not parts.fragment or unquote(parts.fragment) in pages[target].places


def main(site: Path) -> int:
    """Print what is wrong. Returns 1 if anything is."""
    found = problems_of(site.resolve())
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"{site}: {len(_pages(site))} pages, {len(found)} problems.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
