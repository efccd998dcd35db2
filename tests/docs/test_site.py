"""The look at the built site notices what a reader without a network would miss."""

from __future__ import annotations

from pathlib import Path

from tests.docs.site import problems_of


def test_dead_links_and_what_comes_from_elsewhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text(
        '<a href="sub/a.html#here">good</a><a href="sub/a.html#there">no such heading</a>'
        '<a href="sub/b.html">no such page</a><a href="https://example.org">elsewhere is fine</a>'
        '<script src="https://example.org/x.js"></script><img src="data:image/png;base64,AA">',
        encoding="utf-8",
    )
    (tmp_path / "sub" / "a.html").write_text(
        '<h1 id="here">A</h1><a href="../index.html">back</a><a href="#">', encoding="utf-8"
    )
    (tmp_path / "site.css").write_text(
        "@import 'https://example.org/font.css'; a { color: url(#x) }", encoding="utf-8"
    )
    assert problems_of(tmp_path) == [
        "index.html needs https://example.org/x.js.",
        "index.html links to sub/a.html#there.",
        "index.html links to sub/b.html.",
        "site.css needs https://example.org/font.css.",
    ]


def test_a_whole_site_has_no_problems(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<h1 id="top">A</h1><a href="#top">up</a><a href="index.html">A</a>', encoding="utf-8"
    )
    assert problems_of(tmp_path) == []
