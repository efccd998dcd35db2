"""The published schemas are those of the program, and say of documents what the program says."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from docs.write_schemas import DOCUMENTS, FOLDER, schema_of
from tests.documents.kinds import KINDS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_published_schema_is_up_to_date(name: str) -> None:
    """`python -m docs.write_schemas` writes them anew."""
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == schema_of(name)


def test_no_schema_is_of_a_document_that_is_gone() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(DOCUMENTS)


def test_every_document_has_a_schema_and_every_kind_is_tested() -> None:
    published = {id(document) for _, document in DOCUMENTS.values()}
    assert {id(kind.document) for kind in KINDS} <= published
    made = sum(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Document"
        for folder in ("app", "semc_core", "training")
        for path in (ROOT / folder).rglob("*.py")
        if path != ROOT / "semc_core" / "io" / "documents.py"
        and not {"fhir", "web"} & set(path.parts)  # FHIR and DICOM say what those are
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )
    tables = sum(name.startswith("state-") for name in DOCUMENTS)
    assert made == len(DOCUMENTS) - tables + 1


def test_a_schema_names_bounds_and_choices() -> None:
    model = json.loads(schema_of("model"))
    architecture = model["$defs"]["Architecture"]["properties"]
    assert architecture["block"]["enum"] == ["basic", "bottleneck"]
    assert (architecture["experts"]["minimum"], architecture["experts"]["maximum"]) == (1, 16)
    assert "format" in model["required"]
    assert model["additionalProperties"] is False
