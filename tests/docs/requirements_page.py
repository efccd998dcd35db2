"""docs/requirements.md: what the program must do, and the tests that show it.

The requirements stand below; a test says by `@pytest.mark.requirement("S1")` which of them it shows.
`python -m tests.docs.requirements_page` writes the page from both.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "requirements.md"
_BEGIN: Final = """\
# Requirements and their tests

Written by `python -m tests.docs.requirements_page` from the requirements in
`tests/docs/requirements_page.py` and the marks of the tests (`@pytest.mark.requirement("S1")`). A test sees
that the page is what they say, and that each requirement has a test; whether these pass, their run says:
`make test-all`, or `.venv/bin/python -m pytest -m requirement` for them alone. Hazards have a table of their
own: [hazards.md](hazards.md).
"""
_MARK: Final = "requirement"

REQUIREMENTS: Final[dict[str, dict[str, str]]] = {
    "Scanning": {
        "S1": "A plane that is held is saved by itself, as the very pixels that were seen.",
        "S2": "The picture never waits for the model; frames that are passed over are counted.",
        "S3": "A card that is unplugged, hangs or is silent does not end the scan.",
        "S4": "A gap in a scan stands in the session's log with its times and its cause.",
        "S5": "A live scan that dropped nothing saves the planes that an analysis finds.",
        "S6": "A checklist says what is found and what is still missing.",
    },
    "Reading": {
        "R1": "Every compression that the conformance statement names is read.",
        "R2": "What a header leaves out or has wrong is mended and said.",
        "R3": "A damaged file ends in a sentence.",
        "R4": "A frame that cannot be shown is called damaged; no other one stands under its number.",
    },
    "Reviewing": {
        "V1": "A person can rename, reject and add planes, and take each step back.",
        "V2": "Everything in the window has a name for those who do not see it, and a key.",
        "V3": "Nothing is measured in millimetres without a credible scale.",
        "V4": "Centiles and ages are those of the published tables.",
    },
    "Keeping": {
        "K1": "What was committed survives a kill.",
        "K2": "A change to a session that the program did not make is found.",
        "K3": "The log gives the identical planes again.",
        "K4": "Sessions, keys and the sending queue can be read by their owner alone.",
        "K5": "The names in a session can be erased, and it stays proven.",
    },
    "Handing over": {
        "H1": "An export names nobody unless it is told to.",
        "H2": "A changed export is found.",
        "H3": "DICOM objects are valid.",
        "H4": "What is queued for a server arrives once.",
        "H5": "What is proposed to a server is what the conformance statement says.",
        "H6": "Results are valid FHIR, and none is made twice on a server.",
        "H7": "The examination of a worklist goes with identified exports of its scan alone.",
        "H8": "A server that wants it is told when each examination begins and ends.",
        "H9": "The copy of what a server shall confirm to keep stays until it does.",
        "H10": "A study that is got from a server is that one, and a part is told as such.",
        "H11": "A DICOMweb service gets each object once, and its secret goes nowhere else.",
    },
    "Serving": {
        "D1": "An object is on the disk before its sender is told so, and is worked on once.",
        "D2": "Half an object, or another than was announced, is refused and leaves nothing.",
        "D3": "Nobody sends who is not in the settings.",
        "D4": "What a sender may take of disk, memory and time is bounded.",
        "D5": "What was found goes back, and names nobody unless told to.",
        "D6": "One loop that cannot be read, or a model that is gone, loses no other loop.",
        "D7": "What is agreed on and answered is what the conformance statement says.",
        "D8": "A service removes no file that it did not make.",
        "D9": "By HTTP nobody is answered without the token, and nothing of an upload stays.",
    },
    "Models": {
        "M1": "No code of a model file or checkpoint is run.",
        "M2": "A model that is worse, or was not compared, is not taken into use by itself.",
        "M3": "One can go back to every model that was in use.",
        "M4": "No patient is on both sides of a split.",
        "M5": "Every model that ships has its figures on the page of evidence.",
    },
    "Parts of others": {
        "P1": "Every part is pinned, and under a licence of the allow-list.",
        "P2": "The bill of materials is valid and names what is installed.",
        "P3": "Nothing leaves the machine unasked.",
    },
}
"""By part of the program; each has a letter for its part, and a number that is never given again."""


def marked(text: str) -> dict[str, tuple[str, ...]]:
    """The tests of a file that bear the mark, each with the numbers of what it shows.

    Args:
        text: Of the file.
    """
    found: dict[str, tuple[str, ...]] = {}
    for each in ast.walk(ast.parse(text)):
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for mark in each.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == f"pytest.mark.{_MARK}":
                found[each.name] = tuple(str(ast.literal_eval(number)) for number in mark.args)
    return found


def shown_by() -> dict[str, list[str]]:
    """By number of a requirement, the tests that show it, as pytest names them."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        # To parse all takes seconds.
        tests = marked(text) if f"mark.{_MARK}" in text else {}
        for name, numbers in tests.items():
            for number in numbers:
                found.setdefault(number, []).append(f"{path.relative_to(ROOT).as_posix()}::{name}")
    return found


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()).rstrip("\n") + "\n"


def _lines() -> Iterator[str]:
    yield _BEGIN
    tests = shown_by()
    for title, requirements in REQUIREMENTS.items():
        yield f"## {title}\n\n| | requirement | shown by |\n|---|---|---|"
        for number, text in requirements.items():
            shown = "<br>".join(f"`{test}`" for test in tests.get(number, ()))
            yield f"| {number} | {text} | {shown} |"
        yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}.")
