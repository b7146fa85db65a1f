"""PYS1: which model and which tokenizer a script loads, trains and saves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.sources.script import tokenizer_for
from pretune.check.sources.script_names import is_hub_name, name_of
from pretune.script.kinds import alternatives, class_of, held, kind, root
from pretune.script.objects import can_follow, owner, value_of
from pretune.script.tokens import additions, in_use
from pretune.script.trace import Call, SetAttribute
from pretune.script.values import Constant, Instance, Made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.values import Value

_FAMILIES = (
    ("xlm-roberta", r"xlm-?r"), ("modernbert", r"modernbert"), ("deberta", r"deberta"), ("electra", r"electra"),
    ("albert", r"albert"), ("bart", r"kobart|(^|[/-])(distil)?bart"), ("gpt2", r"gpt-?2"),
    ("t5", r"(^|[/-])(ke-?|mt|flan-)?t5"),
    ("roberta", r"roberta"), ("llama", r"llama"), ("qwen", r"qwen"), ("gemma", r"gemma"), ("bert", r"bert"),
)  # fmt: skip
"""Family of tokenizers -> how the names of its models look; the first that fits."""
_KOREAN = re.compile(
    r"^(klue|monologg|beomi|snunlp|skt|kykim|tunib|lassl|KETI|kakaobrain|gogamza|paust)/|(^|[/-])ko|kobert|korean",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"^(google-bert/|facebookai/|distilbert/)?(distil)?(ro)?bert(a)?-(base|large)(-(un)?cased)?$", re.IGNORECASE
)
_OWN_KOREAN = re.compile(
    r"^(klue/(ro)?bert|monologg/(distil)?ko|kykim/(al)?bert|snunlp/kr-|skt/kobert|beomi/kc|tunib/elec)", re.IGNORECASE
)
"""Korean encoders that were pretrained from nothing, each with a vocabulary of its own."""
_FOREIGN = re.compile(
    r"^(google-bert/|facebookai/|distilbert/)?((distil)?bert-base-multilingual-(un)?cased|xlm-roberta-(base|large)"
    r"|(distil)?(ro)?berta?-(base|large)(-(un)?cased)?)$",
    re.IGNORECASE,
)
_KNOWN = re.compile(r"(bert|roberta|electra|xlm|gpt2|t5|albert)-?|google/|facebook/|microsoft/|xlnet", re.IGNORECASE)
_SHARING = re.compile(
    r"klue/roberta|codebert|longformer|sentence|sroberta|sbert|simcse|minilm|mpnet|bertweet|phobert|biobert",
    re.IGNORECASE,
)
"""Names that promise one family and come with the vocabulary of another one."""
_BARE = re.compile(
    r"^(Auto|Bert|Roberta|Electra|XLMRoberta|DistilBert|Albert|Deberta|DebertaV2|GPT2|Longformer|MPNet|Llama|Qwen2|Qwen3|Mistral"
    r"|Gemma|BigBird|Camembert|ModernBert|Funnel|ConvBert|Ernie)Model$"
)
_CASED = re.compile(
    r"multilingual-cased|koelectra-base-v[23]|koelectra-small-v[23]|^klue/|monologg/kobert|skt/kobert", re.IGNORECASE
)


@rule("PYS140", Level.WARNING)
def tokenizer_of_another_model(script: ScriptFacts) -> Iterator[Problem]:
    """A model is trained with the tokenizer of a model of another family.

    Why: an id stands for another word in each vocabulary: the pretrained embedding is read as if it were shuffled, and
    training goes on all the same.
    Fix: load the tokenizer by the model's own name.
    """
    for _, model in in_use(script):
        tokenizer = tokenizer_for(script, model.call)
        if tokenizer is None:
            continue
        name, other = name_of(model), name_of(value_of(tokenizer))
        if name is None or other is None or not _contradict(name, other):
            continue
        yield Problem(
            f"the model is {name}, the tokenizer {other}",
            where=str(tokenizer.place),
            also=(str(model.call.place),),
        )


@rule("PYS141", Level.ERROR)
def model_without_a_head(script: ScriptFacts) -> Iterator[Problem]:
    """A bare model is given to a Trainer.

    Why: it gives hidden states and no loss: the first step raises a KeyError or a ValueError.
    Fix: load the class of the task, AutoModelForSequenceClassification and the like.
    """
    for trainer in script.trainers:
        model = script.model_of(trainer)
        if not isinstance(model, Made) or not trainer.function_name.startswith("transformers."):
            continue
        own = isinstance(trainer.receiver, Instance) and _defines(
            script, trainer.receiver, "compute_loss", "training_step"
        )
        name = class_of(model)
        if (
            own
            or trainer.open
            or "compute_loss_func" in trainer.keywords
            or not model.call.function_name.startswith("transformers.")
        ):
            continue
        if _BARE.match(name):
            yield Problem(
                f"{name} gives no loss, and the trainer has none of its own",
                where=str(model.call.place),
                also=(str(trainer.place),),
            )


@rule("PYS142", Level.WARNING)
def another_model_saved(script: ScriptFacts) -> Iterator[Problem]:
    """The model that is saved is not the one that was trained.

    Why: what is saved is the checkpoint as it was loaded.
    Fix: save the model that the trainer or the optimizer has, `trainer.save_model(...)`.
    """
    trained = {one for _, models in script.trained for one in _inside(models)}
    for call in script.trace.calls("save_pretrained"):
        if call.receiver is None:
            continue
        saved = owner(call.receiver)
        if (
            not isinstance(saved, Made)
            or kind(saved) != "model"
            or saved.call.method != "from_pretrained"
            or saved in trained
        ):
            continue
        name = name_of(saved)
        twins = [
            (event, model)
            for event, model in script.trained
            if isinstance(model, Made) and name_of(model) == name is not None and class_of(model) == class_of(saved)
            and can_follow(event, call) and can_follow(saved.call, event)
        ]  # fmt: skip
        deeds = [
            deed
            for deed in script.on(saved)
            if isinstance(deed, SetAttribute) or (isinstance(deed, Call) and deed.method.startswith("load"))
        ]
        if twins and not deeds:
            yield Problem(
                f"the model loaded at line {saved.call.place.line} is saved, the one that is trained is loaded at line "
                f"{twins[-1][1].call.place.line}",
                where=str(call.place),
                also=(str(saved.call.place), str(twins[-1][1].call.place)),
            )


@rule("PYS143", Level.NOTE)
def tokenizer_never_saved(script: ScriptFacts) -> Iterator[Problem]:
    """A trained model is saved without its tokenizer.

    Why: who loads the folder has to know which tokenizer it was trained with, and tokens that were added are lost.
    Fix: `tokenizer.save_pretrained(...)` into the same folder, or Trainer(processing_class=tokenizer).
    """
    if not script.tokenizers or any(_gets_tokenizer(script, trainer) for trainer in script.trainers):
        return
    saves = list(script.trace.calls("save_pretrained", "save_model", "push_to_hub"))
    of_model = [call for call in saves if call.receiver is not None and kind(call.receiver) in ("model", "trainer")]
    other = [call for call in saves if call not in of_model]
    trained = {one for _, models in script.trained for one in _inside(models)}
    saved = [call for call in of_model if kind(call.receiver) == "trainer" or owner(call.receiver) in trained]  # type: ignore[arg-type]
    if not saved or other or script.trace.functions.get("save_tokenizer"):
        return
    added = [one for one in additions(script) if one.is_new]
    but = f", and the tokens added at line {added[0].call.place.line} are lost" if added else ""
    yield Problem(
        f"the model is saved without its tokenizer{but}",
        where=str(saved[-1].place),
        level=Level.WARNING if added else None,
        also=(str(added[0].call.place),) if added else (),
    )


@rule("PYS144", Level.WARNING)
def batches_by_another_tokenizer(script: ScriptFacts) -> Iterator[Problem]:
    """The texts are encoded with one tokenizer and padded or masked with another one.

    Why: ids of pad and mask token differ between vocabularies: pads become words, masks become others.
    Fix: give the collator and the Trainer the tokenizer that encoded the texts.
    """
    encoding = [call for call in script.encodings if call.function is not None or call.target]
    by = {one for call in encoding for one in alternatives(root(call.receiver))}  # type: ignore[arg-type]
    names = {name_of(one) for one in by}
    for call in (*script.collators, *script.trainers):
        given = held(value_of(call), "tokenizer", call)
        mine = root(given) if given is not None else None
        if not isinstance(mine, Made) or kind(mine) != "tokenizer" or not by or None in names:
            continue
        name = name_of(mine)
        if (
            name is not None
            and name not in names
            and all(_contradict(name, other) for other in names if other is not None)
        ):
            yield Problem(
                f"the texts are encoded with the tokenizer of {', '.join(sorted(str(one) for one in names))}, and "
                f"{class_of(value_of(call)) or 'the collator'} has that of {name}",
                where=str(call.place),
                also=(str(encoding[0].place),),
            )


@rule("PYS145", Level.ERROR)
def hangul_lowercased(script: ScriptFacts) -> Iterator[Problem]:
    """do_lower_case=True for a Korean model with case.

    Why: it also strips accents, which takes Hangul apart into jamo: most words are then [UNK] or pieces that the model
    has never seen.
    Fix: leave do_lower_case as the model has it, False.
    """
    for call in script.tokenizers:
        name = name_of(value_of(call))
        if (
            name is None
            or call.constant(None, "do_lower_case") is not True
            or call.constant(None, "strip_accents") is False
        ):
            continue
        if _CASED.search(name):
            yield Problem(f"do_lower_case=True takes the Hangul of {name} apart", where=str(call.place))
        elif re.search(r"(?<!un)-cased(-|$)|roberta", name):
            yield Problem(
                f"do_lower_case=True does not suit {name}, which has case", where=str(call.place), level=Level.WARNING
            )


def _contradict(name: str, other: str) -> bool:
    """Whether two names of the hub surely mean different vocabularies: other families, or Korean and English."""
    if (
        not is_hub_name(name)
        or not is_hub_name(other)
        or name.rpartition("/")[2].lower() == other.rpartition("/")[2].lower()
    ):
        return False
    if any(_OWN_KOREAN.search(one) and _FOREIGN.match(two) for one, two in ((name, other), (other, name))):
        return True
    families = [_family(one) for one in (name, other)]
    if None in families:
        return False
    if families[0] != families[1]:
        return _plain(name) and _plain(other)
    korean, english = ([bool(pattern.search(one)) for one in (name, other)] for pattern in (_KOREAN, _ENGLISH))
    return (korean[0] and english[1]) or (korean[1] and english[0])


def _family(name: str) -> str | None:
    return next((family for family, pattern in _FAMILIES if re.search(pattern, name, re.IGNORECASE)), None)


def _plain(name: str) -> bool:
    """Whether a name is a well-known pretrained model's, not one that somebody fine-tuned from another family."""
    known = _ENGLISH.match(name) or _KOREAN.search(name) or _KNOWN.match(name)
    return known is not None and _SHARING.search(name) is None


def _inside(model: Value) -> list[Value]:
    """A model, and the models that one of the project's own holds."""
    found: list[Value] = []
    for one in alternatives(model):
        found.append(one)
        if isinstance(one, Instance):
            found += [inner for field in one.fields.values() for inner in alternatives(owner(field))]
    return found


def _defines(script: ScriptFacts, made: Instance, *methods: str) -> bool:
    """Whether a class of the project, or one that it is derived from, defines one of these methods."""
    waiting = [made.of]
    while waiting:
        one = waiting.pop()
        if any(f"{one.name}.{method}" in script.trace.functions for method in methods):
            return True
        waiting += [base for base in one.bases if isinstance(base, type(one))]
    return False


def _gets_tokenizer(script: ScriptFacts, trainer: Call) -> bool:
    """Whether a trainer may have a tokenizer, and so saves it."""
    collator = held(value_of(trainer), "data_collator", trainer)
    mine = collator is not None and isinstance(root(collator), Made) and kind(root(collator)) == "collator"
    given = held(value_of(trainer), "tokenizer", trainer)
    none = given is None or (isinstance(given, Constant) and given.value is None)
    del script
    return not none or trainer.open or (mine and held(root(collator), "tokenizer") is not None)  # type: ignore[arg-type]


RULES: tuple[Rule, ...] = (
    tokenizer_of_another_model,
    model_without_a_head,
    another_model_saved,
    tokenizer_never_saved,
    batches_by_another_tokenizer,
    hangul_lowercased,
)
