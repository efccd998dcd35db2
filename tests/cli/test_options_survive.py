"""What could once be typed can still be typed: names, defaults, choices, values that may be left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from semc_core.picture_options import PICTURE_HELP
from semc_core.runtime.load import DEVICES
from tests.cli.commands import all_commands

STORED: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "options.json").read_text(encoding="utf-8")
)
"""Per command, what argparse took before the command line was Typer's; nothing is ever taken out of it."""


@pytest.fixture(scope="module")
def commands() -> dict[str, click.Command]:
    return all_commands()


def test_every_command_is_still_there(commands: dict[str, click.Command]) -> None:
    assert len(STORED) == 48
    assert sum(map(len, STORED.values())) == 262
    assert set(STORED) <= set(commands)


@pytest.mark.parametrize("name", STORED)
def test_every_argument_takes_what_it_took(name: str, commands: dict[str, click.Command]) -> None:
    context = click.Context(commands[name])
    params = commands[name].get_params(context)
    positionals = [param for param in params if isinstance(param, click.Argument)]
    before = [each for each in STORED[name] if each.get("positional")]
    assert len(positionals) == len(before), "positional arguments are known by their place alone"
    for stored, positional in zip(before, positionals, strict=True):
        check(stored, positional, context)
        many = stored.get("nargs") == "+"
        assert positional.nargs == (-1 if many else 1)
        assert positional.required == (many or stored.get("required", False))
    options = {option: param for param in params for option in param.opts if option.startswith("-")}
    for stored in STORED[name]:
        if not stored.get("positional"):
            (option,) = stored["names"]
            assert option in options
            param = options[option]
            assert isinstance(param, click.Option)
            check(stored, param, context)
            assert param.is_flag == (stored.get("kind") == "flag")
            assert param.multiple == (stored.get("kind") == "append")
            assert param.required == stored.get("required", False)
            assert param.hidden == stored.get("hidden", False)
            if "const" in stored:
                assert param.flag_value == stored["const"], "the value may be left out"


def check(stored: dict[str, Any], param: click.Parameter, context: click.Context) -> None:
    """Default, choices, and what stands for the value in the help."""
    default = param.get_default(context, call=True)
    if isinstance(default, Path):
        default = str(default).replace(str(Path.home()), "~")
    assert (default or None) == (stored.get("default") or None), stored
    if "choices" in stored:
        assert isinstance(param.type, click.Choice)
        # More may have come since.
        assert list(param.type.choices)[: len(stored["choices"])] == stored["choices"]
    if "metavar" in stored:
        assert param.make_metavar(context).strip("[].") == stored["metavar"].strip("[].")


READS_PICTURES = ("analyse", "classify", "inspect", "live")


def test_what_came_later_is_known_here_too(commands: dict[str, click.Command]) -> None:
    """So that the list above can be trusted: an option that is renamed shows as a new one."""
    new = {
        f"{name} {option}"
        for name, command in commands.items()
        for param in command.get_params(click.Context(command))
        for option in param.opts
        if isinstance(param, click.Option) and option.startswith("--") and option != "--help"
        if option not in {each for stored in STORED.get(name, []) for each in stored["names"]}
    }
    assert new == {
        "semc --install-completion",
        "semc --show-completion",
        *(f"semc {name} --json" for name in SINCE_WITH_JSON),
        *(f"semc {name}" for name in SINCE),
        *(f"semc {name} --{each}" for name in READS_PICTURES for each in PICTURE_HELP),
        *(f"semc measure --{name}" for name in ("calibration", "kind", "mm-per-pixel", "out", "threads")),
    }


SINCE = (
    *(f"{name} --of" for name in ("train", "pretrain", "search", "data check", "data split", "dataset")),
    "pretrain --encoder",
    "train --config",
    "train --set",
    "train --folds",
    "train --unlabelled",
    *(f"compare --{option}" for option in ("methods", "data", "groups", "of", "out", "seeds", "more-seeds")),
    *(f"compare --{option}" for option in ("best", "against", "recipe", "config", "set", "encoder", "steps")),
    *(f"compare --{option}" for option in ("epochs", "patience", "validations", "keep", "threads", "json")),
    *(f"label-next --{option}" for option in ("budget", "labelled", "out", "json")),
    *(f"label-next --{option}" for option in ("model", "device", "precision", "threads")),
    "live --mode",
    "live --tap",
    "live --painted",
    "live --examination",
    *(f"tap --{option}" for option in ("mode", "out", "seconds", "json")),
    "devices --modes",
    *(
        f"bench glass --{option}"
        for option in (
            "model",
            "device",
            "precision",
            "threads",
            "seconds",
            "mode",
            "screen",
            "size",
            "json",
        )
    ),
    *(f"serve --{option}" for option in ("write-settings", "list", "retry", "json")),
    *(f"http --{option}" for option in ("model", "device", "precision", "threads")),
    *(f"http --{option}" for option in ("host", "port", "certificate", "key", "token", "sessions")),
    *(f"http --{option}" for option in ("most-mb", "at-once", "limit")),
    "analyse --images",
    *(f"analyse --{option}" for option in ("cluster", "workers", "limit", "decode")),
    "live --images",
    "pacs add --mpps",
    "pacs add --commitment",
    "pacs add --commitment-port",
    *(
        f"pacs add-web --{option}"
        for option in (
            "token-file",
            "user",
            "password-file",
            "connect-s",
            "answer-s",
            "attempts",
            "uncompressed",
            "tls-ca",
            "tls-cert",
            "tls-key",
            "plain-http",
        )
    ),
    *(f"pacs worklist --{option}" for option in ("day", "modality", "station", "json")),
    *(f"pacs find --{option}" for option in ("patient-id", "name", "date", "accession", "modality", "most")),
    *(f"pacs {command} --json" for command in ("find", "get")),
    "pacs get --out",
    "export --anyway",
    "export --answer",
    "export --planes",
    "export --examination",
    *(f"export --{option}" for option in ("no-obgyn", "fhir", "fhir-post", "fhir-token")),
    *(f"session retain --{option}" for option in ("older-than", "larger-than", "unexported", "dry-run")),
    "model add --name",
    *(f"dataset --{each}" for each in ("format", "out", "split", "seed", "text", "mask", "anyway")),
    "session label --map",
    *(f"session compare --{option}" for option in ("out", "json")),
    *(f"session merge --{option}" for option in ("out", "decisions")),
    *(f"plugins --{option}" for option in ("check", "json")),
    *(f"model export --{option}" for option in ("out", "licence", "batch")),
    "phantom dataset --hard",
    "ablate --table",
    "inspect --frames",
    "inspect --random",
    "inspect --json",
    "trim --yes",
    *(f"bench window --{option}" for option in ("runs", "seconds", "json")),
    *(
        f"bench analyse --{option}"
        for option in ("model", "device", "precision", "threads", "rounds", "batch", "json")
    ),
    *(
        f"search --{option}"
        for option in (
            "data",
            "groups",
            "space",
            "trials",
            "out",
            "recipe",
            "config",
            "set",
            "encoder",
            "steps",
            "epochs",
            "seed",
            "threads",
        )
    ),
    *(
        f"classify --{option}"
        for option in ("out", "model", "device", "precision", "threads", "every", "batch", "json")
    ),
)

SINCE_WITH_JSON = (
    "ablate",
    "analyse",
    "data get",
    "data split",
    "devices",
    "eval",
    "live",
    "model verify",
    "pacs servers",
    "protocols",
    "session list",
    "session verify",
)


@pytest.mark.parametrize("name", ["semc live", "semc analyse", "semc replay", "semc bench live"])
def test_every_runtime_that_is_registered_is_a_device_of_what_scans(
    name: str, commands: dict[str, click.Command]
) -> None:
    (device,) = (param for param in commands[name].params if "--device" in param.opts)
    assert isinstance(device.type, click.Choice)
    assert tuple(device.type.choices) == DEVICES
