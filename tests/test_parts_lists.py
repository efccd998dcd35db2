"""The bill of materials is valid and names what is installed; every part's licence comes with its text."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.licence_texts import WITHOUT_TEXT, licence_texts, texts_of
from tests.licences import parts
from tests.licences_page import AV_LIBRARIES
from tests.parts_lists import as_json, bill_of_materials


@functools.cache
def made_list(*, bundle: bool) -> str:
    """The list, made once for all tests."""
    return as_json(bill_of_materials(bundle=bundle))


def problem_of(text: str) -> object:
    """What the library's own validator finds wrong; None if nothing."""
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)


@pytest.mark.parametrize("bundle", [False, True])
@pytest.mark.requirement("P2")
def test_the_list_of_parts_is_valid_and_names_every_part(bundle: bool) -> None:
    text = made_list(bundle=bundle)
    assert problem_of(text) is None
    made = json.loads(text)
    named = {(each["name"], each["version"]): each for each in made["components"]}
    installed = {(part.name, part.version.partition("+")[0]): part for part in parts([""]).values()}
    assert len(installed) > 50
    assert {key for key in installed if key not in named} == set()
    assert [key for key in installed if not named[key].get("licenses")] == []
    assert any(name == "CPython" for name, _ in named) == bundle


def test_libraries_inside_a_wheel_models_and_what_needs_what_are_in_the_list() -> None:
    made = json.loads(made_list(bundle=False))
    by_name: dict[str, Any] = {each["name"]: each for each in made["components"]}
    assert {each["name"] for each in by_name["av"]["components"]} == {
        name.strip("*") for name in AV_LIBRARIES
    }
    model = by_name["assets/models/fetal.safetensors"]
    assert re.fullmatch("[0-9a-f]{64}", model["hashes"][0]["content"])
    needs = {each["ref"].partition("@")[0]: each.get("dependsOn", []) for each in made["dependencies"]}
    assert any(each.startswith("pydicom@") for each in needs["pynetdicom"])


def test_the_validator_finds_what_is_wrong() -> None:
    made = json.loads(made_list(bundle=False))
    made["components"][0]["type"] = "nonsense"
    assert problem_of(json.dumps(made)) is not None


def test_every_part_brings_its_text_but_for_those_that_are_known_to_have_none() -> None:
    names = list(parts([""]))
    assert tuple(name for name in names if not any(texts_of(name))) == WITHOUT_TEXT
    whole = licence_texts()
    assert [name for name in names if f"\n{name} " not in whole] == []
    assert "Permission is hereby granted, free of charge" in whole
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in whole
