"""What the queue stores of servers is English, and is said in the window's language."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from app.send.presenter import job_row
from semc_core import language
from semc_core.language import said_again
from semc_core.pacs import association, client
from semc_core.pacs.commitment.reports import why_not
from semc_core.pacs.faults import shown_fault
from semc_core.pacs.store_status import answer_to_storing
from semc_core.pacs.web import service, store
from tests.app.send.test_dialog import job
from tests.languages.made_up import speaking

STATUSES = (0xB000, 0x0111, 0x0124, 0x0122, 0x0117, 0xA900, 0xA700, 0xC000, 0x0110)
REASONS = (0x0110, 0x0112, 0x0119, 0x0122, 0x0131, 0x0213, 0x7777)
OF_OTHERS = ("{fault}", "{error}", "{said}", "{wants}", "{unreached}")
"""Values that are half a sentence: what comes of these is made of others."""


def marked(text: str) -> str:
    return f"<{text}>"


def sentences_of(file: str | None) -> list[str]:
    """What a module says in faults and answers, with 7 in place of each value."""
    found = []
    for call in ast.walk(ast.parse(Path(str(file)).read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or ast.unparse(call.func) not in ("AssociationFault", "Answer"):
            continue
        for each in call.args[:2]:
            if isinstance(each, ast.JoinedStr) and not any(name in ast.unparse(each) for name in OF_OTHERS):
                parts = (part.value if isinstance(part, ast.Constant) else "7" for part in each.values)
                found.append("".join(map(str, parts)))
    return found


def test_every_answer_of_a_server_is_said_in_the_language() -> None:
    said = [answer_to_storing("PACS", status).sentence for status in STATUSES]
    said += [why_not("PACS", reason) for reason in REASONS]
    said += [f"PACS {each.format(title='A', own_title='B')}." for each in association._REASONS.values()]
    of_modules = [
        each for module in (association, client, service, store) for each in sentences_of(module.__file__)
    ]
    assert len(of_modules) > 15
    said += of_modules
    assert [shown_fault(each) for each in said] == said, "in English it is as it is stored"
    with speaking(marked):
        left = [each for each in said if each and not shown_fault(each).startswith("<")]
    assert not left, "\n".join(left)


def test_names_and_numbers_stay() -> None:
    stored = answer_to_storing("PACS (1).*", 0xA700).sentence
    with speaking(marked):
        assert shown_fault(stored) == "<PACS (1).* has no room (status A700); ask who runs it.>"
        assert shown_fault(why_not("PACS", 0x0213)) == (
            "<PACS does not keep it: <it has no room> (0213); try again to send it once more.>"
        )
        assert shown_fault("Somebody's own words.") == "Somebody's own words."
        assert shown_fault("") == ""


def test_a_form_is_filled_again_only_where_all_of_it_fits() -> None:
    with speaking(marked):
        assert said_again("A is B.", ("{one} was {two}.", "{one} is {two}.")) == "<A is B.>"
        assert said_again("A is B. And more", ("{one} is B.",)) == "A is B. And more"
    assert language.current() == "en"


@pytest.mark.parametrize("stored", ["There is no such destination any more.", "PACS refuses the connection."])
def test_the_queue_is_shown_so(stored: str) -> None:
    with speaking(marked):
        assert job_row(replace(job(failed=1), message=stored)).message == f"<{stored}>"
