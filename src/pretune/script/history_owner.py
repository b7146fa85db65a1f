"""Of which library class a value is, and in which table of the history a call is looked up.

Two hundred architectures share one tokenizer, one model and one config class; their calls are looked up there. What a
library of somebody else's derives from them is not known.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pretune.script.history import history
from pretune.script.values import Class, External, Instance, Made, OneOf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.script.trace import Call
    from pretune.script.values import Value

PREFIXES = (
    ("transformers.", "transformers"),
    ("pytorch_lightning.", "pytorch_lightning"),
    ("lightning.pytorch.", "lightning"),
    ("lightning.", "lightning"),
)
"""How a dotted name begins -> the package whose history has it."""

LOADERS = frozenset({"from_pretrained", "from_config", "from_encoder_decoder_pretrained", "load_from_checkpoint"})
FAST = re.compile(
    r"Auto|.*Fast$|(?:Albert|Bart|Bert|DistilBert|Deberta|DebertaV2|Electra|GPT2|Llama|MBart|Roberta|T5|XLMRoberta)Tokenizer$"
)
"""Tokenizer classes that transformers 5 has made fast ones."""


def located(dotted: str) -> tuple[str, str]:
    """The package of a dotted name and the rest of it; both empty where no history is kept of it."""
    for prefix, package in PREFIXES:
        if dotted.startswith(prefix):
            inner = dotted.removeprefix(prefix)
            return package, inner
    return "", ""


def subjects(dotted: str) -> tuple[str, ...]:
    """The classes in whose tables the methods of a library's class are looked up, by the class's dotted name.

    None for processors: each had methods of its own before their base class had them.
    """
    package, inner = located(dotted)
    name = inner.rpartition(".")[2]
    if not package:
        return ()
    if history(package).methods(name) and name not in ("AutoModel", "AutoTokenizer", "AutoConfig", "AutoProcessor"):
        return (name,)
    if package != "transformers":
        return ()
    if re.search(r"Tokenizer(Fast)?$", name):
        return ("PreTrainedTokenizerFast",) if FAST.match(name) else ("PreTrainedTokenizerFast", "PreTrainedTokenizer")
    if re.fullmatch(r"AutoConfig|[A-Z]\w*(?<!Generation)(?<!BitsAndBytes)(?<!Args)Config", name):
        return ("PreTrainedConfig", "PretrainedConfig")
    if re.search(r"Model$|For[A-Z]\w+$|LMHead|^AutoModel", name):
        return ("PreTrainedModel", "GenerationMixin")
    return ()


def owner(value: Value | None) -> str:
    """The dotted name of the library class that a value is an object of; empty: not known.

    Of one of several values the name on which all agree; of an object of a class of the project the library class
    that it is derived from.
    """
    if isinstance(value, OneOf):
        names = {owner(one) for one in value.values}
        return names.pop() if len(names) == 1 else ""
    if isinstance(value, Instance):
        return next(bases(value.of), "")
    if isinstance(value, External):
        return value.name
    if not isinstance(value, Made):
        return ""
    name = value.call.function_name
    head, _, method = name.rpartition(".")
    if name.startswith("."):
        return owner(value.call.receiver) if method in ("to", "cuda", "cpu", "eval", "train", "half", "float") else ""
    return head if method in LOADERS else name


def bases(cls: Class) -> Iterator[str]:
    """Dotted names of the library classes that a class of the project is derived from, nearest first."""
    for base in cls.bases:
        if isinstance(base, External):
            yield base.name
        elif isinstance(base, Class):
            yield from bases(base)


def is_own(value: Value | None, name: str) -> bool:
    """Whether a class of the project gives its objects an attribute or a method of this name itself."""
    if isinstance(value, Instance):
        return name in value.fields or is_own(value.of, name)
    if not isinstance(value, Class):
        return False
    return name in _given(value.node) or any(is_own(base, name) for base in value.bases)


@lru_cache(maxsize=256)
def _given(node: ast.AST) -> frozenset[str]:
    """Names that a class defines, and attributes that it sets on anything."""
    return frozenset(
        inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "name", getattr(inner, "id", ""))
        for inner in ast.walk(node)
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(inner, ast.Attribute | ast.Name) and isinstance(inner.ctx, ast.Store))
    )


def callables(call: Call) -> tuple[str, tuple[str, ...]]:
    """The package and the tables in which the arguments of a call are looked up; ("", ()) where none is known.

    A call that several tables fit (an Auto class hands on to the model's own) takes what any of them takes.
    """
    name = call.function_name.removesuffix(".__init__")  # of a class of the project that is derived from the library's
    if name.startswith(".") or not name:
        of, method = owner(call.receiver), name.removeprefix(".") or "__call__"
    else:
        of, _, method = name.rpartition(".")
        package, _ = located(name)
        if package and history(package).has(method) and method[:1].isupper() | method.islower():
            cls = located(name)[1].rpartition(".")[0].rpartition(".")[2]
            if not cls[:1].isupper():
                return package, (method,)
    package, inner = located(of)
    if not package:
        return "", ()
    tables = [f"{subject}.{method}" for subject in subjects(of)]
    if method == "from_pretrained" and inner.startswith("Auto"):
        kind = "AutoModel" if inner.startswith("AutoModel") else inner
        tables.append(f"{kind}.{method}")
    return package, tuple(table for table in tables if history(package).has(table))
