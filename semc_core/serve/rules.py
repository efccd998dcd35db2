"""Which model looks at a loop: the first rule that fits what its header says."""

from __future__ import annotations

from fnmatch import fnmatchcase

from semc_core.serve.settings import Rule, ServeSettings
from semc_core.sources.dicom.content import Content


def model_for(settings: ServeSettings, content: Content) -> str:
    """The name or file of the model, as the settings have it."""
    for rule in settings.rules:
        if _fits(rule, content):
            return rule.model
    return settings.model


def _fits(rule: Rule, content: Content) -> bool:
    pairs = (
        (rule.station, content.station),
        (rule.body_part, content.body_part),
        (rule.study, content.study_description),
        (rule.protocol, content.protocol),
    )
    return all(
        # "[" is a character like any other.
        fnmatchcase(value.casefold(), pattern.casefold().replace("[", "[[]"))
        for pattern, value in pairs
    )
