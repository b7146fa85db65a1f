"""A training script's Setups: one for each model that it trains, as far as its values can be followed.

What only a run would know is left out, never guessed: an argument that is not known makes no key, an addition of tokens
in a branch that may not be taken makes neither words nor resize.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.check.sources.script_data import data_of
from pretune.check.sources.script_names import located, name_of
from pretune.check.sources.script_said import Said
from pretune.check.sources.script_tokenizer import pads_by_tokenizer, say_tokenizer
from pretune.check.sources.script_values import UNKNOWN, known, plain
from pretune.check.sources.setup import GENERATIVE, Setup
from pretune.script.kinds import alternatives, class_of, held, kind, root
from pretune.script.objects import owner, value_of
from pretune.script.trace import Call, SetAttribute
from pretune.script.values import Class, Instance, Made

if TYPE_CHECKING:
    from collections.abc import Sequence as Many

    from pretune.script.objects import Objects
    from pretune.script.values import Value

_TASKS = (
    ("ForQuestionAnswering", "question-answering"),
    ("ForTokenClassification", "token-classification"),
    ("ForSequenceClassification", "text-classification"),
    ("ForMaskedLM", "masked-lm"),
    ("ForCausalLM", "causal-lm"),
)
_OF_LOADING = (
    "cache_dir", "revision", "token", "use_auth_token", "trust_remote_code", "finetuning_task",
    "return_unused_kwargs", "local_files_only", "force_download", "subfolder", "proxies", "resume_download",
)  # fmt: skip
"""Keyword arguments of a config's from_pretrained that are no config keys."""
_LABELS = {"num_labels", "id2label", "label2id"}
_PEFT = {"target_modules", "modules_to_save", "task_type", "trainable_token_indices"}
_FREE = {
    "output_dir", "logging_dir", "run_name", "seed", "data_seed", "report_to", "learning_rate", "weight_decay",
    "fp16", "bf16", "tf32", "hub_model_id", "push_to_hub", "hub_token", "push_to_hub_token", "logging_steps",
    "remove_unused_columns", "label_names", "disable_tqdm", "overwrite_output_dir", "do_predict", "group_by_length",
    "gradient_checkpointing", "no_cuda", "resume_from_checkpoint", "local_rank", "logging_first_step",
    "save_total_limit", "use_cpu", "torch_compile",
}  # fmt: skip
"""Training arguments that may be unknown: no rule on another one asks what they are."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A Setup of a script, and the calls that it came from.

    Attributes:
        setup: what can be followed.
        model: the call that loads the model; None: only a tokenizer is loaded.
        tokenizer: the call that loads its tokenizer; None: none is known.
    """

    setup: Setup
    model: Call | None = None
    tokenizer: Call | None = None


def setups(script: Objects) -> list[Setup]:
    """The Setups of a script, in order; none where it names neither model nor tokenizer."""
    return [subject.setup for subject in subjects(script)]


def subjects(script: Objects) -> list[Subject]:
    """The Setups of a script with the calls that they came from."""
    loads = [call for call in script.models if name_of(value_of(call)) is not None]
    trained = _trained(script)
    chosen = [call for call in loads if value_of(call) in trained] or loads
    found = [_subject(script, call) for call in _once(chosen)]
    if found or loads:
        return found
    tokenizers = [call for call in script.tokenizers if name_of(value_of(call)) is not None]
    found = [_subject(script, None, call) for call in _once(tokenizers)]
    alone = arguments_alone(script)
    return found if alone is None else [*found, Subject(alone)]


def _trained(script: Objects) -> set[Value]:
    """Models that are trained, and those that a trained model of the project holds."""
    found: set[Value] = set()
    for _, model in script.trained:
        for one in alternatives(model):
            found.add(one)
            if isinstance(one, Instance):
                found.update(inner for field in one.fields.values() for inner in alternatives(owner(field)))
    return {one for one in found if isinstance(one, Made)}


def _once(calls: Many[Call]) -> list[Call]:
    """Calls that load the same with the same class and arguments, once."""
    found: dict[tuple[str, str, str], Call] = {}
    for call in calls:
        key = (name_of(value_of(call)) or "", call.function_name, str(sorted(known(call.keywords).items(), key=str)))
        found.setdefault(key, call)
    return list(found.values())


def _subject(script: Objects, model: Call | None, tokenizer: Call | None = None) -> Subject:
    said = Said()
    if model is not None:
        _say_model(script, said, model)
        tokenizer = tokenizer_for(script, model)
    if tokenizer is not None:
        say_tokenizer(script, said, tokenizer, model)
    if model is not None:
        _say_adapter(script, said, model)
        _say_training(script, said, model)
        if pads_by_tokenizer(script, model):
            said.keys["pads_by_tokenizer"] = True
        data = data_of(script, model) if _knows_labels(script, model) else None
        if data is not None:
            said.keys["data"], at = data
            said.places["data"] = str(at.place)
    return Subject(Setup(**said.keys, places=said.places), model, tokenizer)


def _say_model(script: Objects, said: Said, call: Call) -> None:
    said.say("model", located(script.trace.file, name_of(value_of(call)) or ""), call)
    name = class_of(value_of(call))
    library = call.function_name.startswith("transformers.") and not isinstance(call.receiver, Class)
    if library and not name.endswith("PreTrainedModel"):
        said.say("model_class", name.removeprefix("TF").removeprefix("Flax"), call)
    task = next((task for ending, task in _TASKS if name.endswith(ending)), None)
    if task == "text-classification" and any(call.argument(1, "text_pair") is not None for call in script.encodings):
        task = "pair-classification"
    if task == "causal-lm" and any(script.trace.calls("apply_chat_template")):
        task = "chat-sft"
    if task in GENERATIVE and not _trains(script):
        task = None  # it only generates: what a training would learn of ends and pads is no question
    if task is not None and library:
        said.say("task", task, call)
    if not library:
        return
    given = known(
        call.keywords, "config", "pretrained_model_name_or_path", "cache_dir", "token", "use_auth_token", "device_map"
    )
    said.add("from_pretrained", given, call)
    config = call.argument(None, "config")
    if config is not None:
        _say_config(script, said, config, call)


def _trains(script: Objects) -> bool:
    """Whether anything in a script trains, as far as it can be seen."""
    generates = any(script.trace.calls("generate"))
    return (
        bool(script.trained or script.trainers) or not generates or any(script.trace.calls("backward", "fit", "train"))
    )


def _knows_labels(script: Objects, model: Call) -> bool:
    """Whether the number of labels is known: as said, or left to the checkpoint."""
    config = model.argument(None, "config")
    calls = [model]
    if config is not None:
        made = root(config)
        if not isinstance(made, Made):
            return False
        calls.append(made.call)
        if any(
            isinstance(deed, Call) or plain(deed.value) is UNKNOWN for deed in script.on(made) if not _is_read(deed)
        ):
            return False
    return not any(
        call.open or any(plain(call.keywords[key]) is UNKNOWN for key in _LABELS & set(call.keywords)) for call in calls
    )


def _is_read(deed: object) -> bool:
    return isinstance(deed, Call) and deed.method in ("to_dict", "to_json_string", "save_pretrained")


def _say_config(script: Objects, said: Said, config: Value, model: Call) -> None:
    """Keyword arguments of the config's from_pretrained, and what was set on it before the model was built."""
    found = root(config)
    made = found.call if isinstance(found, Made) else None
    if made is None or made.method != "from_pretrained" or name_of(found) != name_of(value_of(model)):
        return
    said.add("config", known(made.keywords, "pretrained_model_name_or_path", "config", *_OF_LOADING), made)
    for deed in script.on(found):
        if deed.order > model.order or deed.conditions != made.conditions:
            continue
        if isinstance(deed, SetAttribute) and plain(deed.value) is not UNKNOWN:
            said.add("config_update", {deed.name: plain(deed.value)}, deed)
        elif isinstance(deed, Call) and deed.method == "update":
            table = plain(deed.argument(0, "config_dict"))
            if isinstance(table, dict) and all(isinstance(key, str) for key in table):
                said.add("config_update", table, deed)


def tokenizer_for(script: Objects, model: Call) -> Call | None:
    """The call that loads the tokenizer a model is trained with; None: none is loaded, or which one is not known."""
    here = [call for call in script.tokenizers if call.entry is model.entry]
    for trainer in script.trainers:
        if script.model_of(trainer) == value_of(model):
            given = held(value_of(trainer), "tokenizer", trainer)
            found = root(given) if given is not None else None
            if isinstance(found, Made) and kind(found) == "tokenizer":
                return found.call
    if len(here) == 1:
        return here[0]
    names = {name_of(value_of(call)) for call in here}
    own = [call for call in here if name_of(value_of(call)) == name_of(value_of(model))]
    return own[0] if len(own) == 1 or (own and len(names) == 1) else None


def _judged_apart(script: Objects, trainer: Call, *, adapts: bool) -> set[str]:
    """Training arguments that mean something else here than for a Trainer of transformers that trains all weights."""
    apart: set[str] = set()
    adapted = "peft_config" in trainer.keywords or any(
        call.method != "from_pretrained" or "Peft" in call.function_name
        for call in script.trace.calls(
            "get_peft_model", "prepare_model_for_kbit_training", "add_adapter", "from_pretrained"
        )
    )
    held_back = any(script.trace.calls("requires_grad_")) or any(
        isinstance(event, SetAttribute) and event.name == "requires_grad" for event in script.trace.events
    )
    optimizer = trainer.open or {"optimizers", "optimizer_cls_and_kwargs"} & set(trainer.keywords)
    if held_back or optimizer or (adapted and not adapts):
        apart.add("learning_rate")
    own = isinstance(trainer.receiver, Instance) or not trainer.function_name.startswith("transformers.")
    if own or "compute_loss_func" in trainer.keywords:
        apart.add("gradient_accumulation_steps")
    return apart


def arguments_alone(script: Objects) -> Setup | None:
    """The TrainingArguments of a script whose model is not known; None: there are none, or several."""
    if len(script.arguments) != 1:
        return None
    call, said = script.arguments[0], Said()
    if call.open:
        return None
    _say_arguments(script, said, call, apart={"learning_rate", "gradient_accumulation_steps"})
    return Setup(**said.keys, places=said.places) if said.keys else None


def _say_training(script: Objects, said: Said, model: Call) -> None:
    """Training arguments of a model; none where one is not known on which the others depend."""
    for trainer in script.trainers:
        given = held(value_of(trainer), "args", trainer)
        if script.model_of(trainer) != value_of(model) or given is None:
            continue
        call = next((one for one in script.arguments if value_of(one) == root(given)), None)
        if call is None or call.open:
            continue
        _say_arguments(script, said, call, apart=_judged_apart(script, trainer, adapts="peft" in said.keys))


def _say_arguments(script: Objects, said: Said, call: Call, *, apart: set[str]) -> None:
    """The values of a call of TrainingArguments, without those that mean something else here."""
    values = known(call.keywords, "push_to_hub_token", "hub_token")
    if call.arguments and plain(call.arguments[0]) is not UNKNOWN:
        values["output_dir"] = plain(call.arguments[0])
    later = [deed for deed in script.on(value_of(call)) if isinstance(deed, SetAttribute)]
    unknown = {name for name, value in call.keywords.items() if plain(value) is UNKNOWN}
    unknown |= {deed.name for deed in later if deed.conditions or plain(deed.value) is UNKNOWN}
    if unknown - _FREE:
        return
    said.add("training_args", {key: value for key, value in values.items() if key not in apart}, call)
    for deed in later:
        if deed.name not in unknown | apart:
            said.add("training_args", {deed.name: plain(deed.value)}, deed)


def _say_adapter(script: Objects, said: Said, model: Call) -> None:
    """The LoRA adapter that is put on a model, where all that counts of it is known."""
    for call in (*script.trace.calls("get_peft_model"), *script.trainers):
        if call in script.trainers:
            config, on = call.argument(None, "peft_config"), script.model_of(call)
        else:
            config, on = call.argument(1, "peft_config"), root(call.arguments[0]) if call.arguments else None
        if on != value_of(model) or call.conditions or not isinstance(config, Made):
            continue
        if config.call.method != "LoraConfig" or config.call.open:
            continue
        if not any(plain(config.call.argument(None, key)) is UNKNOWN for key in _PEFT & set(config.call.keywords)):
            said.add("peft", known(config.call.keywords), config.call)
