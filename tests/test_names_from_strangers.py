"""Names with escape characters, direction marks or HTML: refused where they come in, shown as they are."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from semc_core.cli.shared.shown import escape
from semc_core.errors import ModelFileError, ProtocolError, SourceError
from semc_core.export.report.html import html_page
from semc_core.export.report.pdf import _Page
from semc_core.io.log import log_file
from semc_core.labels import LIVER_CLASSES, full_name, short_name
from semc_core.model.architecture import new_spec
from semc_core.model.spec import spec_from_json, spec_to_json
from semc_core.protocols.loader import read_protocol
from semc_core.types import SourceInfo

BAD = {
    "escape": "A\x1b[31m",
    "bell": "A\x07",
    "C1": "A\x9b31m",
    "line": "A\nB",
    "right to left": "A\u202eB",
    "isolate": "A\u2066B",
    "separator": "A\u2028B",
    "letters": "A" * 4000,
}
SHOWN = "<img src='http://127.0.0.1/x'>\x1b[31m\u202egnp"
SPELT = "\\x1b[31m\\u202egnp"


@pytest.mark.parametrize("name", BAD.values(), ids=BAD)
@pytest.mark.parametrize("field", ["class", "preset", "notice"])
def test_a_model_file_with_such_a_name_is_refused(field: str, name: str) -> None:
    spec = new_spec("semc_tiny", LIVER_CLASSES)
    data = json.loads(spec_to_json(spec))
    if field == "class":
        data["classes"][0] = name
    elif field == "preset":
        data["architecture"]["preset"] = name
    else:
        data["notice"] = name
    with pytest.raises(ModelFileError, match="without control characters and direction marks") as told:
        spec_from_json(json.dumps(data))
    assert len(str(told.value)) < 300
    assert str(told.value).isprintable()


@pytest.mark.parametrize("name", BAD.values(), ids=BAD)
def test_no_such_name_gets_into_a_model_file(name: str) -> None:
    spec = new_spec("semc_tiny", LIVER_CLASSES)
    with pytest.raises(ModelFileError):
        spec_to_json(replace(spec, classes=(name, *spec.classes[1:])))


@pytest.mark.parametrize("name", BAD.values(), ids=BAD)
@pytest.mark.parametrize("field", ["title", "plane"])
def test_a_protocol_with_such_a_name_is_refused(field: str, name: str, tmp_path: Path) -> None:
    given = {"title": "A", "plane": "B", field: name}
    title, plane = json.dumps(given["title"]), json.dumps(given["plane"])
    path = tmp_path / "own.toml"
    head = 'format = 1\nid = "own"\ntitle = "Own"\n'
    path.write_text(f'{head}[[item]]\nid = "a"\ntitle = {title}\nplanes = [{plane}]\n', encoding="utf-8")
    with pytest.raises(ProtocolError, match=r"must be|not TOML") as told:
        read_protocol(path)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 600


def test_an_error_and_a_source_show_such_a_name_spelt_out() -> None:
    assert str(SourceError(SHOWN)).endswith(SPELT)
    assert SourceInfo(SHOWN, "video", 1, 1, None, None, False).source_id.endswith(SPELT)
    assert short_name(SHOWN).endswith(SPELT)
    assert full_name(SHOWN).endswith(SPELT)


def test_a_table_on_the_terminal_shows_such_a_name_spelt_out() -> None:
    assert escape("[bold]" + SHOWN) == r"\[bold]" + SHOWN.replace("\x1b", "\\x1b").replace(
        "\u202e", "\\u202e"
    )


def test_the_log_shows_such_a_name_spelt_out_on_one_line(tmp_path: Path) -> None:
    with log_file(tmp_path):
        logging.getLogger("semc_core.test").warning("A plane %s.", SHOWN + "\nERROR forged")
    (line,) = (tmp_path / "semc.log").read_text("utf-8").splitlines()
    assert SPELT + "\\nERROR forged" in line


def test_a_report_shows_such_a_name_spelt_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "a.j2").write_text("<p>{{ name }}</p>", encoding="utf-8")
    monkeypatch.setattr("semc_core.export.report.html.ASSETS", tmp_path)
    page = html_page("a.j2", name=SHOWN).decode()
    assert "<img" not in page
    assert SPELT in page
    pdf = _Page("code", "")
    assert SPELT in pdf.normalize_text(SHOWN)
    pdf.output()  # closes its fonts
