"""Every text of the window is there in every language, with the same places for values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from gettext import NullTranslations
from string import Formatter

import pytest
from fontTools.ttLib import TTFont

from semc_core import language
from semc_core.language import CATALOGUES, LANGUAGES, N_, _, best_of, decimal, plural
from semc_core.paths import CHINESE_FONT
from tests.languages import OTHERS, ROOT, as_mo, as_po, forms, in_source, read, updated
from tests.languages.font import characters


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    yield
    language.use("en")


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated_with_its_places(code: str) -> None:
    faults = []
    for ids, strings in forms(read(code)):
        if not all(strings):
            faults.append(f"not translated: {ids[0]}")
        # A form for one may leave the number out.
        faults += [
            f"other places: {ids[0]} / {text}"
            for text in strings
            if _places(text) - _places(ids[-1]) or _places(ids[-1]) - _places(text) - {"count"}
        ]
        faults += [
            f"spaces at an end: {ids[0]}"
            for text in strings
            if (text != text.strip()) != (ids[0] != ids[0].strip())
        ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogues_are_those_of_the_source(code: str) -> None:
    assert (CATALOGUES / f"{code}.po").read_bytes() == as_po(updated(code, in_source())), (
        "run python -m tests.languages"
    )
    assert (CATALOGUES / f"{code}.mo").read_bytes() == as_mo(read(code)), "run python -m tests.languages"


def test_nothing_is_translated_while_a_module_is_loaded() -> None:
    """The language is chosen later."""
    early = []
    for folder in ("app", "semc_core"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            late = {
                id(inner)
                for outer in ast.walk(tree)
                if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                for part in (outer.body if isinstance(outer.body, list) else [outer.body])
                for inner in ast.walk(part)
            }
            for node in ast.walk(tree):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                if node.func.id in ("_", "plural") and id(node) not in late:
                    early.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not early, early


def test_no_function_that_translates_uses_the_name_for_something_else() -> None:
    """A `for _ in` makes `_` a name of the whole function."""
    clashes = []
    for folder in ("app", "semc_core"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for function in ast.walk(tree):
                if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    continue
                names = [each for each in ast.walk(function) if isinstance(each, ast.Name) and each.id == "_"]
                arguments = [
                    each for each in ast.walk(function) if isinstance(each, ast.arg) and each.arg == "_"
                ]
                stored = arguments or any(isinstance(each.ctx, ast.Store) for each in names)
                called = any(
                    isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "_"
                    for each in ast.walk(function)
                )
                if stored and called:
                    clashes.append(f"{path.relative_to(ROOT)}:{function.lineno}")
    assert not clashes, clashes


def test_no_marked_text_is_made_of_parts() -> None:
    """An f-string cannot be translated, and what is marked within one is not found."""
    marked = re.compile(r"\b(?:_|N_|plural)\(\s*f[\"']|\{(?:_|N_|plural)\([\"']")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for folder in ("app", "semc_core")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for match in marked.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found, found


def test_a_text_follows_the_language_in_use() -> None:
    assert _("Freeze") == N_("Freeze") == "Freeze"
    for code in OTHERS:
        language.use(code)
        assert _("Freeze") != "Freeze"
        assert language.current() == code
    language.use("tlh")
    assert (_("Freeze"), language.current()) == ("Freeze", "en")


def test_values_stand_in_their_places_and_numbers_have_their_form() -> None:
    assert _("{name} is {size}", name="{a}", size=3) == "{a} is 3"
    assert _("100 % of {braces}") == "100 % of {braces}"
    assert plural("{count} frame", "{count} frames", 1) == "1 frame"
    assert plural("{count} frame of {name}", "{count} frames of {name}", 0, name="b") == "0 frames of b"
    assert decimal(1.25, 1) == "1.2"
    language.use("de")
    assert decimal(1.25, 1) == "1,2"


def test_a_fault_of_a_catalogue_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(NullTranslations):
        def gettext(self, message: str) -> str:
            return "{nothing} {"

    language.use_catalogue("de", Wrong())
    assert _("{name} is lost", name="x") == "x is lost"


def test_the_desktops_first_known_language_is_taken() -> None:
    assert best_of(["nl-NL", "de-AT", "en"]) == "de"
    assert best_of(["zh_Hans_CN"]) == "zh"
    assert best_of(["nl"]) == best_of([]) == "en"
    assert set(LANGUAGES) == {"en", *OTHERS}


def test_the_font_for_chinese_has_every_character_of_the_catalogue() -> None:
    there = set(TTFont(CHINESE_FONT).getBestCmap())
    texts = "".join(text for _, strings in forms(read("zh")) for text in strings)
    assert not {each for each in texts if ord(each) > 0x2E80 and ord(each) not in there}
    assert characters() <= {chr(code) for code in there} | {"—", "…", "“", "”", "‘", "’"}
