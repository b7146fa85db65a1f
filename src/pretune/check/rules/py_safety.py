"""PYS3: what a script runs of others' code, what it saves, and on which device."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import call_of, flag, library, line, lineage, opposed, text
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import shown
from pretune.script.choices import alternatives
from pretune.script.kinds import kind, root
from pretune.script.trace import Call, SetAttribute, SetItem
from pretune.script.values import Constant, External, Made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Trace
    from pretune.script.values import Value

_UNPICKLING = {
    "pickle.load", "pickle.loads", "cPickle.load", "dill.load", "dill.loads", "cloudpickle.load", "joblib.load",
    "pandas.read_pickle", "torch.load", "numpy.load", "_pickle.load",
}  # fmt: skip
_FETCHING = {
    "hf_hub_download", "cached_download", "snapshot_download", "urlretrieve", "urlopen", "wget", "download_url_to_file",
    "download_url", "cached_path", "get_file",
}  # fmt: skip
_COMMIT = re.compile(r"[0-9a-f]{40}")
_STARTING = {
    "current_device", "get_device_name", "set_device", "get_device_properties", "init", "mem_get_info", "is_available",
    "synchronize", "empty_cache", "manual_seed_all",
}  # fmt: skip
_WRAPPERS = ("DataParallel", "DistributedDataParallel")


@rule("PYS312", Level.WARNING)
def download_unpickled(script: ScriptFacts) -> Iterator[Problem]:
    """A downloaded file is unpickled.

    Why: a pickle is a program: whoever can change the file runs code with your rights.
    Fix: take safetensors or JSON; for tensors torch.load(..., weights_only=True).
    """
    fetched = _fetched(script.trace)
    for call in script.trace.calls():
        if call.function_name not in _UNPICKLING or not _runs_code(call):
            continue
        given = call.arguments[:1] or tuple(call.keywords.values())[:1]
        source = next((one for one in given if (text(one) or "").startswith(("http://", "https://"))), None)
        source = source or next((one for value in given for one in lineage(value) if _is_fetched(one, fetched)), None)
        if source is not None:
            made = call_of(source)
            what = f"{made.method} at {line(made)}" if made is not None else "a URL"
            yield Problem(f"{call.function_name} unpickles what comes from {what}", where=str(call.place))


def _runs_code(call: Call) -> bool:
    """Whether the call unpickles freely: torch.load and numpy.load do it only where they are told to."""
    if call.function_name == "torch.load":
        return flag(call.argument(None, "weights_only")) is False
    if call.function_name == "numpy.load":
        return flag(call.argument(2, "allow_pickle")) is True
    return True


def _fetched(trace: Trace) -> set[str]:
    """The local paths that downloads are written to."""
    calls = trace.calls("urlretrieve", "download_url_to_file", "download")
    found = [text(call.argument(1, name)) for call in calls for name in ("filename", "dst", "out", "output")]
    return {path for path in found if path}


def _is_fetched(value: Value, paths: set[str]) -> bool:
    if isinstance(value, Constant) and isinstance(value.value, str):
        return value.value in paths
    made = call_of(value)
    if made is None:
        return False
    return made.method in _FETCHING or made.function_name in ("requests.get", "gdown.download", "wget.download")


@rule("PYS313", Level.WARNING)
def remote_code_not_pinned(script: ScriptFacts) -> Iterator[Problem]:
    """trust_remote_code=True runs what a repository holds today.

    Why: its owner, or who takes over the account, can change the Python files, and the next run executes them.
    Fix: read the files, and pin them: revision="<commit>", or take a model that transformers has itself.
    """
    found: dict[str, list[Call]] = {}
    for call in script.trace.calls():
        name = text(call.arguments[0]) if call.arguments else text(next(iter(call.keywords.values()), None))
        if flag(call.argument(None, "trust_remote_code")) is not True or name is None or not _on_the_hub(name):
            continue
        pins = [text(call.argument(None, key)) for key in ("revision", "code_revision")]
        if not any(pin and _COMMIT.fullmatch(pin) for pin in pins) and not call.open:
            found.setdefault(name, []).append(call)
    for name, calls in found.items():
        yield Problem(
            f"trust_remote_code=True runs the code of {shown(name)} at whatever state it has; no commit is pinned",
            where=str(calls[0].place),
            also=tuple(dict.fromkeys(str(call.place) for call in calls[1:])),
        )


def _on_the_hub(name: str) -> bool:
    return re.fullmatch(r"[\w.-]+/[\w.-]+", name) is not None and not name.startswith((".", "~"))


@rule("PYS314", Level.NOTE)
def certificate_not_checked(script: ScriptFacts) -> Iterator[Problem]:
    """Something is fetched without checking whose certificate it is.

    Why: anyone between can put other files in their place.
    Fix: leave verify=False out; behind a company's proxy name its certificate: REQUESTS_CA_BUNDLE.
    """
    for event in script.trace.events:
        if isinstance(event, Call):
            fetches = event.function_name.startswith(("requests.", "httpx."))
            if fetches and flag(event.argument(None, "verify")) is False:
                yield Problem("verify=False: the server's certificate is not checked", where=str(event.place))
        elif isinstance(event, SetAttribute):
            unchecked = library(event.value).endswith("_create_unverified_context")
            if unchecked and event.name == "_create_default_https_context":
                yield Problem("no certificate is checked from here on", where=str(event.place))


@rule("PYS315", Level.WARNING)
def devices_chosen_too_late(script: ScriptFacts) -> Iterator[Problem]:
    """CUDA_VISIBLE_DEVICES is set after CUDA was started.

    Why: CUDA reads it once, when it starts; later it changes nothing, and the run takes the first GPU, which may be
    somebody else's.
    Fix: set it before anything asks torch.cuda, best in the shell: CUDA_VISIBLE_DEVICES=1 python train.py
    """
    for event in script.trace.events:
        if not isinstance(event, SetItem) or text(event.index) != "CUDA_VISIBLE_DEVICES" or event.entry is not None:
            continue
        if not (isinstance(event.of, External) and event.of.name == "os.environ"):
            continue
        started = [
            one
            for one in script.trace.calls()
            if one.order < event.order and not one.conditions and not opposed(one, event) and _starts_cuda(one)
        ]
        if started:
            yield Problem(
                f"CUDA_VISIBLE_DEVICES is set after {started[0].function_name} at {line(started[0])} has started CUDA",
                where=str(event.place),
                also=(str(started[0].place),),
            )


def _starts_cuda(call: Call) -> bool:
    """Whether a call surely starts CUDA, or asks how many devices there are."""
    if call.function_name.startswith("torch.cuda."):
        return call.function_name.count(".") == 2 and call.method in _STARTING - {"empty_cache", "manual_seed_all"}
    if call.method == "cuda" and call.receiver is not None:
        return True
    said = call.arguments[0] if call.method == "to" and call.arguments else call.argument(None, "device")
    return call.receiver is not None and (text(said) or "").startswith("cuda")


@rule("PYS316", Level.NOTE)
def whole_model_pickled(script: ScriptFacts) -> Iterator[Problem]:
    """torch.save writes the model itself, not its state.

    Why: the file names classes and modules of this very code and version; after an update or a rename it cannot be
    loaded, and since torch 2.6 torch.load refuses it without weights_only=False.
    Fix: model.save_pretrained(folder) with tokenizer.save_pretrained(folder), or torch.save(model.state_dict(), path).
    """
    for call in script.trace.calls("save"):
        given = call.argument(0, "obj")
        if call.function_name == "torch.save" and given is not None and kind(given) in ("model", "module"):
            yield Problem("torch.save pickles the whole model, code references and all", where=str(call.place))


@rule("PYS317", Level.ERROR)
def wrapped_names_saved(script: ScriptFacts) -> Iterator[Problem]:
    """The state of a DataParallel wrapper is saved, and loaded into the bare model.

    Why: its names begin with `module.`: load_state_dict stops with missing and unexpected keys, and with strict=False
    loads nothing, in silence.
    Fix: torch.save(model.module.state_dict(), path)
    """
    for call in script.trace.calls("save"):
        given = call.argument(0, "obj")
        state = call_of(given, "state_dict") if call.function_name == "torch.save" else None
        if state is None or state.receiver is None or not _is_wrapped(state.receiver):
            continue
        path = call.argument(1, "f")
        for load in script.trace.calls("load_state_dict"):
            read = next((one for value in load.arguments[:1] for one in lineage(value) if call_of(one, "load")), None)
            source = call_of(read)
            on = load.receiver
            same = source is not None and path is not None and source.argument(0, "f") == path
            if same and isinstance(path, Constant) and on is not None and _is_bare(on) and not load.conditions:
                yield Problem(
                    f"the state saved at {line(call)} is that of a wrapper, with names that begin with `module.`, and "
                    "the model it is loaded into has none such",
                    where=str(load.place),
                    also=(str(call.place),),
                )


def _is_wrapped(value: Value) -> bool:
    """Whether a value surely is a model in a wrapper that puts `module.` before the names."""
    return all(call_of(one, *_WRAPPERS) is not None for one in alternatives(value))


def _is_bare(value: Value) -> bool:
    bare = all(isinstance(one, Made) and call_of(one, *_WRAPPERS) is None for one in alternatives(value))
    return bare and kind(root(value)) == "model"


RULES: tuple[Rule, ...] = (
    download_unpickled,
    remote_code_not_pinned,
    certificate_not_checked,
    devices_chosen_too_late,
    whole_model_pickled,
    wrapped_names_saved,
)
