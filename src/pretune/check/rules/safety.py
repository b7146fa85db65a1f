"""SAF: are the weights safe to load, and the ones that are meant? Looks at headers and pickles, executes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.artifacts.pickle_imports import beyond_tensors, runs_anything
from pretune.artifacts.weight_differences import differences
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules import remote_code, weight_files
from pretune.check.rules.weight_files import files_of, told
from pretune.check.rules.wording import number, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.model import WeightFacts
    from pretune.check.facts.versions import VersionFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

HOUR = 3600


@rule("SAF020", Level.WARNING)
def pickle_only_weights(weights: WeightFacts) -> Iterator[Problem]:
    """The weights exist only as a pickle, a format that can run code when it is loaded.

    Why: torch >= 2.6 refuses imports that are not a tensor's own, older versions and `weights_only=False` run them.
    Fix: load it once with weights_only=True and save it with `save_pretrained`, which writes safetensors.
    """
    table = weights.table
    if table.format != "pickle" or not table.files:
        return
    beyond = beyond_tensors(table.imports)
    tells = f"{len(beyond)} of them no tensor's own: {some(beyond)}" if beyond else "all of them a tensor's own"
    yield Problem(
        f"{files_of(table)} is a pickle without a safetensors copy; to load it imports {len(table.imports)} names, "
        f"{tells}",
        where=weights.at(table.files[0]),
        level=None if beyond else Level.NOTE,  # most Korean encoders were published so, and load safely today
    )


@rule("SAF021", Level.ERROR)
def pickle_that_runs_code(weights: WeightFacts, setup: Setup) -> Iterator[Problem]:
    """The pickle imports what can run a program, open a file or reach the network.

    Why: no state dict needs it; a model file that imports os.system is an attack or a very odd save.
    Fix: do not load it; take safetensors weights from a source you trust.
    """
    for table in (weights.table, weights.table.beside):
        harmful = runs_anything(table.imports) if table is not None else ()
        if table is None or not harmful:
            continue
        unused = table is not weights.table
        outcome = (
            f"{files_of(weights.table)} is loaded in its place"
            if unused
            else "weights_only=False would run it"
            if setup.from_pretrained.get("weights_only") is False
            else "from_pretrained refuses it, weights_only=False would run it"
        )
        yield Problem(
            f"the pickle {files_of(table)} would import {some(harmful)}; {outcome}",
            where=weights.at(table.files[0]),
            level=Level.WARNING if unused else None,
        )


@rule("SAF022", Level.ERROR)
def pickle_beyond_tensors(weights: WeightFacts, setup: Setup) -> Iterator[Problem]:
    """The pickle imports names that `torch.load(weights_only=True)` refuses.

    Why: transformers 5 loads so: a file with training arguments or a whole model in it stops with UnpicklingError.
    Fix: where you trust its source, load it once with weights_only=False and save the state dict as safetensors.
    """
    beyond = beyond_tensors(weights.table.imports)
    others = tuple(name for name in beyond if name not in runs_anything(beyond))
    if others:
        runs = setup.from_pretrained.get("weights_only") is False
        yield Problem(
            f"{files_of(weights.table)} would import {some(others)}, which torch.load with weights_only=True refuses",
            where=weights.at(weights.table.files[0]),
            level=Level.WARNING if runs else None,
        )


@rule("SAF023", Level.ERROR)
def pickle_on_old_torch(weights: WeightFacts, versions: VersionFacts) -> Iterator[Problem]:
    """The weights are a pickle and the installed torch is older than 2.6.

    Why: transformers refuses to load pickles there, because weights_only could be got round (CVE-2025-32434).
    Fix: upgrade torch to 2.6 or later, or convert the weights to safetensors.
    """
    if weights.table.format == "pickle" and versions.torch is not None and not versions.at_least("torch", "2.6"):
        yield Problem(
            f"{files_of(weights.table)} is a pickle, which transformers loads with torch 2.6 or later; "
            f"installed is {versions.torch}",
            where=weights.at(),
        )


@rule("SAF024", Level.ERROR)
def pickle_without_state_dict(weights: WeightFacts) -> Iterator[Problem]:
    """The pickle holds no state dict at its top: a whole model, a TorchScript program, or tensors one level down.

    Why: from_pretrained looks for tensors by name at the top; what is nested is passed over, and every weight is new.
    Fix: save `model.state_dict()`, or the inner dict, with `save_pretrained` or `safetensors`.
    """
    yield from told(weights, "nested-state-dict", "not-a-state-dict", "torchscript")


@rule("SAF025", Level.WARNING)
def pickle_that_cannot_be_followed(weights: WeightFacts) -> Iterator[Problem]:
    """The pickle cannot be followed to its end without executing it, so its tensors are not known.

    Why: it may be broken, cut off, or made to hide from readers like this one (two data.pkl, a packed one that swells).
    Fix: download it again; when that changes nothing, do not load it.
    """
    yield from told(weights, "bad-pickle", "bad-zip", "oversize-pickle")


@rule("SAF026", Level.ERROR)
def pickle_of_another_protocol(weights: WeightFacts, setup: Setup) -> Iterator[Problem]:
    """The pickle was written in a protocol that `torch.load(weights_only=True)` does not read.

    Why: torch.save writes protocol 2; a file saved with pickle_protocol=4 stops with UnpicklingError in transformers 5.
    Fix: load it once with weights_only=False, where you trust its source, and save it with `save_pretrained`.
    """
    runs = setup.from_pretrained.get("weights_only") is False
    yield from told(weights, "foreign-opcodes", level=Level.NOTE if runs else None)


@rule("SAF030", Level.ERROR)
def formats_transformers_cannot_load(weights: WeightFacts, setup: Setup) -> Iterator[Problem]:
    """The folder holds weights, but none in a form that transformers 5 loads here.

    Why: transformers 5 dropped TensorFlow and Flax; it looks for model.safetensors, then for pytorch_model.bin.
    Fix: convert with transformers 4 (`from_tf=True`, `from_flax=True`), name the `variant` or the `gguf_file`.
    """
    table, asked = weights.table, setup.from_pretrained
    if table.format != "none" or table.adapter or not table.other_formats or asked.get("gguf_file"):
        return
    variant = asked.get("variant")
    if isinstance(variant, str) and any(f".{variant}." in name for name in table.other_formats):
        return
    yield Problem(
        f"from_pretrained finds neither model.safetensors nor pytorch_model.bin, only {some(table.other_formats)}",
        where=weights.at(table.other_formats[0]),
    )


@rule("SAF031", Level.WARNING)
def two_formats_that_differ(weights: WeightFacts) -> Iterator[Problem]:
    """Two formats of the weights lie side by side and hold different tensors.

    Why: from_pretrained takes safetensors in silence, however old; what a training saved as .bin is not loaded.
    Fix: delete whichever is stale.
    """
    first, second = weights.table, weights.table.beside
    if second is None or not first.complete or not second.complete:
        return
    found = differences(first, second)
    said = []
    if found.shapes:
        name, (mine, theirs) = next(iter(found.shapes.items()))
        said.append(f"{number(len(found.shapes))} shapes ({name} {list(mine)} against {list(theirs)})")
    if found.only_first:
        said.append(f"{number(len(found.only_first))} tensors only in the first ({some(found.only_first, 1)})")
    if found.only_second:
        said.append(f"{number(len(found.only_second))} tensors only in the second ({some(found.only_second, 1)})")
    if not said and found.dtypes:
        name, (was, is_) = next(iter(found.dtypes.items()))
        said.append(f"{number(len(found.dtypes))} dtypes ({name} {was} against {is_})")
    if said:
        yield Problem(
            f"{files_of(first)} is loaded, {files_of(second)} beside it differs: {'; '.join(said)}",
            where=weights.at(second.files[0]),
            level=None if found.any else Level.NOTE,
        )


@rule("SAF032", Level.NOTE)
def newer_weights_left_unused(weights: WeightFacts) -> Iterator[Problem]:
    """A pickle of the same tensors is newer than the safetensors file that is loaded.

    Why: when a training saved .bin after the safetensors were made, the older weights are loaded in silence.
    Fix: delete whichever is stale; ignore this when both were copied from one place.
    """
    first, second = weights.table, weights.table.beside
    if second is None or first.modified is None or second.modified is None:
        return
    later = second.modified - first.modified
    if later >= HOUR and not differences(first, second).any:
        age = f"{later / HOUR / 24:.0f} days" if later > 48 * HOUR else f"{later / HOUR:.0f} hours"
        yield Problem(
            f"{files_of(first)} is loaded, though {files_of(second)} with the same tensors is {age} newer and may be "
            "what was meant",
            where=weights.at(second.files[0]),
        )


RULES: tuple[Rule, ...] = (
    *weight_files.RULES,
    pickle_only_weights,
    pickle_that_runs_code,
    pickle_beyond_tensors,
    pickle_on_old_torch,
    pickle_without_state_dict,
    pickle_that_cannot_be_followed,
    pickle_of_another_protocol,
    formats_transformers_cannot_load,
    two_formats_that_differ,
    newer_weights_left_unused,
    *remote_code.RULES,
)
