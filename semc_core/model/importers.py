"""Checkpoints of other programs as models of this one: the authors' SEMC, and SonoNet.

A checkpoint is a pickle, which could run anything. It is read with `weights_only=True`, which builds tensors
and plain containers and refuses the rest.

The authors' released checkpoints (YanGuihao/SEMC) in our network.

Where a network's encoder starts from: a torchvision ResNet trained on ImageNet.
"""

from __future__ import annotations

import datetime
import hashlib
import pickle
import struct
import urllib.error
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torchvision.models import ResNet18_Weights, ResNet34_Weights, ResNet50_Weights, WeightsEnum

from semc_core.errors import ModelFileError, UsageError
from semc_core.labels import FETAL_BACKGROUND, FETAL_CLASSES, NON_STANDARD
from semc_core.model.architecture import PRESETS, SONONET16, new_spec, tensor_shapes
from semc_core.model.file import Arrays, write_model
from semc_core.model.network import SemcNetwork
from semc_core.model.spec import Architecture, ModelSpec
from semc_core.model.weights import (
    AnyNetwork,
    build_network,
    empty_network,
    network_arrays,
    start_from_resnet,
    verification_tensors,
)
from semc_core.version import VERSION

NO_GATE_NOTICE: Final = (
    "Its gate was never saved, so every expert counts the same until it is fitted (semc model fit-gate)."
)
_RELEASED_NOTICE: Final = "Imported from a checkpoint of the SEMC authors' code; not tested here."
_ADDED_NOTICE: Final = "It knows no class for none of these, so it may name a plane in any picture."
_SONONET_NOTICE: Final = "Imported SonoNet for fetal planes; not tested here, and blind to other organs."
_NEVER: Final = -50.0
"""Logit of a class that was added and is never meant: e^-50 of any other."""

_UNREADABLE: Final = (
    pickle.UnpicklingError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What `torch.load` raises for files that are not what it expects."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made of a checkpoint.

    Attributes:
        spec: As written to the model file.
        unused: Parts of the checkpoint that were left out, and how many tensors each has.
    """

    spec: ModelSpec
    unused: dict[str, int]


def import_checkpoint(
    path: Path,
    out: Path,
    classes: Sequence[str] | None = None,
    none_class: str | None = None,
    add_none: bool = False,
) -> Imported:
    """Make a model file of a checkpoint.

    Args:
        path: The checkpoint: a state dict, or a mapping that has one under "state_dict".
        out: The model file to write; one that is there is replaced.
        classes: Class names in the order of the outputs; needed for SEMC, known for SonoNet.
        none_class: Which of them says "none of these"; by default NSP, or Background for SonoNet.
        add_none: Add NSP as a class that is never named, for a model that has no such class.

    Raises:
        ModelFileError: The checkpoint is missing, damaged, not only weights, or of an unknown network.
        UsageError: The class names do not fit the checkpoint.
    """
    state = read_checkpoint(path)
    if "features.0.0.0.weight" in state:
        spec, network, unused = _sononet(state, classes, none_class, add_none)
    elif "classifiers.0.weight" in state:
        spec, network, unused = _released(state, classes, none_class, add_none)
    else:
        raise ModelFileError(
            f"{path.name} is neither a checkpoint of the SEMC authors' code nor a SonoNet; choose one of "
            "those."
        )
    spec = replace(spec, provenance=_provenance(path, spec, unused))
    write_model(out, spec, network_arrays(network) | verification_tensors(network, spec))
    return Imported(spec, unused)


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The weights in a PyTorch checkpoint, by name, without the prefix of `DataParallel`. Runs nothing.

    Raises:
        ModelFileError: The file is missing, damaged, or holds more than weights.
    """
    try:
        with warnings.catch_warnings():
            # PyTorch warns of pickles that it then refuses or reads; either is told here.
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelFileError(f"There is no checkpoint {path}; check the name.") from error
    except OSError as error:
        raise ModelFileError(
            f"The checkpoint {path.name} could not be read ({error.strerror or error}); choose another."
        ) from error
    except _UNREADABLE as error:
        raise ModelFileError(
            f"{path.name} was not imported, and nothing in it was run: it is damaged or holds more than "
            "weights; save its state dict alone and import that."
        ) from error
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not state or not all(map(_is_weight, state, state.values())):
        raise ModelFileError(f"{path.name} holds no state dict of weights; choose another checkpoint.")
    return {
        name: value.float() if value.is_floating_point() else value
        for name, value in plain_names(state).items()
    }


def _is_weight(name: Any, value: Any) -> bool:
    plain = isinstance(value, Tensor) and value.layout is torch.strided and value.device.type == "cpu"
    return isinstance(name, str) and plain and not value.is_quantized and not value.is_complex()


def _released(
    state: Mapping[str, Tensor], classes: Sequence[str] | None, none_class: str | None, add_none: bool
) -> tuple[ModelSpec, AnyNetwork, dict[str, int]]:
    network: AnyNetwork = load_released(state)
    count = state["classifiers.0.weight"].shape[0]
    if classes is None:
        raise UsageError(
            f"The checkpoint has {count} classes without names; give them in its order: --classes A,B,C."
        )
    notice = f"{_RELEASED_NOTICE} {NO_GATE_NOTICE}"
    names, none = _named(classes, count, none_class or NON_STANDARD, add_none)
    if add_none:
        arrays = network_arrays(network)
        _append_never(arrays, network.architecture.experts)
        network = build_network(network.architecture, len(names), arrays)
        notice = f"{notice} {_ADDED_NOTICE}"
    spec = ModelSpec(
        network.architecture, names, PRESETS["semc_r50"].preprocessing, notice=notice, none_class=none
    )
    return spec, network, unused_parts(state)


def _sononet(
    state: Mapping[str, Tensor], classes: Sequence[str] | None, none_class: str | None, add_none: bool
) -> tuple[ModelSpec, AnyNetwork, dict[str, int]]:
    if add_none:
        raise UsageError("A SonoNet has its own class for none of these; leave --add-none away.")
    last, first = state.get("adaption.3.weight"), state["features.0.0.0.weight"]
    if last is None or first.ndim != 4 or first.shape[0] not in (16, 32, 64) or first.shape[1] not in (1, 3):
        raise ModelFileError("The checkpoint is no SonoNet with its last layers; choose SonoNet16.pth.")
    width, channels = int(first.shape[0]), int(first.shape[1])
    architecture = replace(
        SONONET16.architecture, preset=f"sononet{width}", width=width, in_channels=channels
    )
    p = SONONET16.preprocessing
    preprocessing = replace(p, mean=p.mean * channels, std=p.std * channels)
    names, none = _named(classes or FETAL_CLASSES, len(last), none_class or FETAL_BACKGROUND, False)
    network = build_network(architecture, len(names), _exactly(state, architecture, len(names)))
    spec = ModelSpec(architecture, names, preprocessing, notice=_SONONET_NOTICE, none_class=none)
    return spec, network, {}


def _exactly(state: Mapping[str, Tensor], architecture: Architecture, count: int) -> Arrays:
    """The arrays of `state`, which must be those of the architecture, no more and no fewer."""
    expected = tensor_shapes(architecture, count)
    given = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    for name in sorted(expected.keys() | given.keys()):
        if name not in expected or name not in given or tuple(given[name].shape) != expected[name]:
            raise ModelFileError(f"The checkpoint does not fit a SonoNet at {name}; choose another file.")
    return {name: value.numpy() for name, value in given.items()}


def _named(
    classes: Sequence[str], count: int, none_class: str, add_none: bool
) -> tuple[tuple[str, ...], str]:
    """The class names with the one for "none of these".

    Raises:
        UsageError: They are not `count` different names, or the one for "none of these" is not among them.
    """
    names = tuple(name.strip() for name in classes)
    if len(names) != count or len(set(names)) != count or "" in names:
        raise UsageError(
            f"The checkpoint has {count} classes and {len(names)} names were given; give {count} different "
            "names in its order."
        )
    if add_none:
        if NON_STANDARD in names:
            raise UsageError(f"The classes have {NON_STANDARD} already; leave --add-none away.")
        return (*names, NON_STANDARD), NON_STANDARD
    if none_class not in names:
        raise UsageError(
            f"None of the classes is {none_class}; say with --none-class which one means none of these, or "
            "add it with --add-none."
        )
    if none_class != NON_STANDARD and NON_STANDARD in names:
        raise UsageError(f"{NON_STANDARD} is the program's word for none of these; rename that class.")
    return names, none_class


def _append_never(arrays: Arrays, experts: int) -> None:
    """Add a last class to every expert's classifier, one that no picture is ever given."""
    for expert in range(experts):
        weight, bias = (
            torch.from_numpy(arrays[f"classifiers.{expert}.{part}"]) for part in ("weight", "bias")
        )
        arrays[f"classifiers.{expert}.weight"] = torch.cat([weight, torch.zeros_like(weight[:1])]).numpy()
        arrays[f"classifiers.{expert}.bias"] = torch.cat([bias, torch.full_like(bias[:1], _NEVER)]).numpy()


def _provenance(path: Path, spec: ModelSpec, unused: Mapping[str, int]) -> dict[str, Any]:
    return {
        "imported_from": path.name,
        "imported_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "imported_with": {"semc": VERSION, "torch": torch.__version__},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "unused_parts": dict(unused),
        "gate": "none, the mean of the experts" if spec.architecture.kind == "semc" else "not applicable",
    }


_PARALLEL: Final = "module."
"""Before every name in what `torch.nn.DataParallel` saved."""
_RENAMED: Final = (
    ("edbc.", "ace."),
    ("mscb.0.pconv1.", "samc.0.context.expand."),
    ("mscb.0.msdc.dwconvs.", "samc.0.context.fields."),
    ("mscb.0.pconv2.", "samc.0.context.mix."),
    ("cab.", "samc.0.channel."),
    ("sab.", "samc.0.spatial."),
    ("conv_proj_heads.net.", "projection."),
)
_UNUSED: Final = ("queue", "fusion_convs.", "gate.")
"""Training state, and parts that the released network holds but never runs. Its real gate was never saved."""


def plain_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`state` without the prefix that training on several GPUs leaves in the names."""
    return {name.removeprefix(_PARALLEL): value for name, value in state.items()}


def unused_parts(state: Mapping[str, Tensor]) -> dict[str, int]:
    """Which parts of a released checkpoint are not used, and how many tensors each has."""
    counts: dict[str, int] = {}
    for name in plain_names(state):
        if name.startswith(_UNUSED):
            part = name.partition(".")[0]
            counts[part] = counts.get(part, 0) + 1
    return counts


def load_released(state: Mapping[str, Any]) -> SemcNetwork:
    """The released network, in evaluation mode.

    Its gate was neither trained nor saved with the checkpoint, so `architecture.gate_input` is "mean": every
    expert counts the same until a gate is fitted.

    Args:
        state: The checkpoint's state dict, as from `torch.load(..., weights_only=True)`, or a mapping with
            one under "state_dict"; numbers of any precision, with or without the unused parts. It is copied:
            nothing that is done to the network changes it.

    Raises:
        ModelFileError: The names or shapes are not those of the released network.
    """
    renamed = {
        _our_name(name): value.detach().to("cpu", _own_type(value), copy=True)
        for name, value in plain_names(_weights(state)).items()
        if not name.startswith(_UNUSED)
    }
    classifier = renamed.get("classifiers.0.weight")
    if classifier is None or classifier.ndim != 2:
        raise ModelFileError("This is not a checkpoint of the released SEMC network; choose another file.")
    architecture = replace(PRESETS["semc_r50"].architecture, gate_input="mean")
    with torch.device("meta"):
        network = SemcNetwork(architecture, classifier.shape[0])
    expected = network.state_dict()
    gate = {name: torch.zeros(value.shape) for name, value in expected.items() if name.startswith("gate.")}
    # BatchNorm's step counters say nothing in evaluation; not every copy of a checkpoint keeps them.
    counters = {n: torch.zeros((), dtype=torch.int64) for n in expected if n.endswith("num_batches_tracked")}
    loaded = {**counters, **renamed, **gate}
    for name, value in expected.items():
        given = loaded.get(name)
        if (
            given is None
            or given.shape != value.shape
            or given.is_floating_point() != value.is_floating_point()
        ):
            raise ModelFileError(
                f"The checkpoint does not fit the released SEMC network at {name}; choose another file."
            )
    unknown = sorted(set(renamed) - set(expected))
    if unknown:
        raise ModelFileError(
            f"The checkpoint holds {unknown[0]}, which the released SEMC network does not have."
        )
    network.load_state_dict(loaded, assign=True)
    return network.eval()


def _own_type(value: Tensor) -> torch.dtype:
    return torch.float32 if value.is_floating_point() else value.dtype


def _weights(state: Mapping[str, Any]) -> Mapping[str, Tensor]:
    inner = state.get("state_dict", state) if isinstance(state, Mapping) else None
    plain = isinstance(inner, Mapping) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in inner.items()
    )
    if not plain:
        raise ModelFileError("This is not a state dict of the released SEMC network; choose another file.")
    weights: Mapping[str, Tensor] = inner
    return weights


def _our_name(name: str) -> str:
    for theirs, ours in _RENAMED:
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return name


DOWNLOAD: Final = "download"
"""Said in place of a file: torchvision's own weights, from its address, kept in PyTorch's cache folder."""

_WEIGHTS: Final[dict[tuple[str, tuple[int, ...]], WeightsEnum]] = {
    ("basic", (2, 2, 2, 2)): ResNet18_Weights.IMAGENET1K_V1,
    ("basic", (3, 4, 6, 3)): ResNet34_Weights.IMAGENET1K_V1,
    ("bottleneck", (3, 4, 6, 3)): ResNet50_Weights.IMAGENET1K_V2,
}
_WIDTH: Final = 64
_NOTICE: Final = "Not trained: it knows photographs and no ultrasound. Train it with semc train --encoder."


def start_pretrained(network: SemcNetwork, source: str) -> None:
    """Copy a ResNet's weights into the encoder; every expert starts from its stage 4.

    Args:
        network: Of the same depth and width as the ResNet.
        source: A file (a state dict, as torchvision's own, or a mapping with one under "state_dict"), or
            `DOWNLOAD`.

    Raises:
        ModelFileError: The file is missing, damaged, holds more than weights, or is another ResNet; or the
            download failed.
        UsageError: torchvision has no weights for this architecture.
    """
    state = _downloaded(network.architecture) if source == DOWNLOAD else read_checkpoint(Path(source))
    start_from_resnet(network, state)


def write_started(preset: str, classes: Sequence[str], source: str, out: Path) -> None:
    """Write a model file that has learned nothing but what its ResNet knew, for a training to start from.

    Args:
        preset: Of a network whose encoder is a torchvision ResNet.
        classes: In the order of the outputs, NSP among them.
        source: As for `start_pretrained`.
        out: The model file to write.

    Raises:
        ModelFileError: As in `start_pretrained`, or the classes or the file to write are no good.
        UsageError: There is no such preset, or torchvision has no weights for it.
    """
    spec = new_spec(preset, classes)
    network = empty_network(spec.architecture, len(spec.classes))
    assert isinstance(network, SemcNetwork)  # there are no others among the presets
    start_pretrained(network, source)
    provenance = {"encoder": f"ResNet, {DOWNLOAD if source == DOWNLOAD else Path(source).name}"}
    write_model(out, replace(spec, notice=_NOTICE, provenance=provenance), network_arrays(network))


def _downloaded(architecture: Architecture) -> dict[str, Tensor]:
    known = _WEIGHTS.get((architecture.block, architecture.layers))
    if known is None or architecture.width != _WIDTH:
        raise UsageError(
            f"torchvision has no ResNet of the form of {architecture.preset}; give a file with weights, or "
            "train without."
        )
    try:
        state: dict[str, Tensor] = torch.hub.load_state_dict_from_url(
            known.url, map_location="cpu", check_hash=True, weights_only=True, progress=False
        )
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        # OSError: no network, no room; RuntimeError: what came is not what was sent.
        raise ModelFileError(
            f"The ResNet's weights could not be downloaded from {known.url} ({error}); download that address "
            "elsewhere and give the file."
        ) from error
    return state
