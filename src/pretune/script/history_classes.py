"""What classes of a project override or read of the library's class, and when that fits. Judges nothing.

A method that a Trainer calls with an argument that the override does not take is a TypeError at the first step; a
hook that Lightning no longer has is defined and never called. What is inherited from other libraries' classes is not
known.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.script.history import Life, history, minor
from pretune.script.history_owner import bases, located, subjects
from pretune.script.trace import Event
from pretune.script.values import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.script.trace import Trace
    from pretune.script.values import Class

Found = tuple[str, str, str, str, Life, Event]
Def = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Passed:
    """An argument that the library hands to a method that people override.

    Attributes:
        method: its name.
        name: of the argument.
        position: its place after self, where it is handed by position; None: by keyword.
        since: the first minor whose Trainer hands it; read in trainer.py of the releases.
    """

    method: str
    name: str
    position: int | None
    since: str


PASSED = (
    Passed("compute_loss", "num_items_in_batch", None, "4.46"),
    Passed("training_step", "num_items_in_batch", 2, "4.46"),
    Passed("log", "start_time", 1, "4.47"),
    Passed("_get_train_sampler", "train_dataset", 0, "4.52"),
)
"""What transformers' Trainer hands to methods since when (trainer.py of 4.45 to 5.23;
huggingface/transformers#36331)."""

DROPPED = {
    "training_step": "optimizer_idx",
    "optimizer_step": "optimizer_idx",
    "lr_scheduler_step": "optimizer_idx",
    "configure_gradient_clipping": "optimizer_idx",
}
"""What Lightning handed to a hook up to 1.9 and refuses since 2.0 (Lightning-AI/pytorch-lightning#16539)."""

RAISES = frozenset({"training_epoch_end", "validation_epoch_end", "test_epoch_end"})
"""Hooks that Lightning 2 refuses by an error of its own; the others that went are silently never called."""

HOOK_ENDS = ("_start", "_end", "_dict", "_batch", "_model", "_dataloader", "_sanity_check")


def class_uses(trace: Trace) -> Iterator[Found]:
    """(package, kind, name, on, life, event) of what the project's classes override and read."""
    for cls in trace.classes.values():
        if not isinstance(cls.node, ast.ClassDef):
            continue
        defined = {node.name: node for node in cls.node.body if isinstance(node, Def)}
        for base in dict.fromkeys(bases(cls)):
            package, _ = located(base)
            of = subjects(base)
            if package == "transformers" and of[:1] in (("Trainer",), ("Seq2SeqTrainer",)):
                yield from _trainer(cls, defined)
            elif of[:1] == ("LightningModule",):
                yield from _module(cls, defined, package)


def _trainer(cls: Class, defined: dict[str, Def]) -> Iterator[Found]:
    """Overrides that do not take what the Trainer hands them, and arguments that they read from self.args."""
    known = history("transformers")
    for passed in PASSED:
        node = defined.get(passed.method)
        if node is None or (passed.method == "compute_loss" and "training_step" in defined):
            continue
        args = node.args
        if _takes(args, passed):
            continue
        note = f"add `{passed.name}=None`" if passed.position is None else f"add `{passed.name}=None` at the end"
        life = Life(passed.name, ((known.versions[0], passed.since),), note=note, source="trainer.py of the releases")
        yield "transformers", "override", passed.method, cls.name, life, _at(cls, node)
    own = {
        node.attr for node in ast.walk(cls.node) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    own |= _asked_for(cls.node)
    for inner in ast.walk(cls.node):
        if not isinstance(inner, ast.Attribute) or inner.attr in own or not isinstance(inner.ctx, ast.Load):
            continue
        if ast.unparse(inner.value) != "self.args" or known.method("TrainingArguments", inner.attr):
            continue
        found = known.argument("TrainingArguments", inner.attr)
        if found is not None:
            life = Life(found.name, found.spans, (), (), found.replacement, found.note, found.source)
            yield "transformers", "attribute", inner.attr, "self.args", life, _at(cls, inner)


def _asked_for(tree: ast.AST) -> set[str]:
    """The attributes that a class asks about before it reads them: `hasattr(self.args, "save_safetensors")`."""
    return {
        str(node.args[1].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("hasattr", "getattr")
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    }


def _takes(args: ast.arguments, passed: Passed) -> bool:
    """Whether an override takes an argument in the way in which it is handed over."""
    plain = [*args.posonlyargs, *args.args]
    if passed.position is None:
        return args.kwarg is not None or passed.name in {a.arg for a in (*args.args, *args.kwonlyargs)}
    return args.vararg is not None or len(plain) > passed.position + 1


def _module(cls: Class, defined: dict[str, Def], package: str) -> Iterator[Found]:
    """Hooks of a LightningModule that went, and arguments that hooks are no longer given."""
    known = history(package)
    called = {
        node.func.attr
        for node in ast.walk(cls.node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    for name, node in defined.items():
        life = known.method("LightningModule", name)
        if life is not None and life.until and (name.startswith("on_") or name.endswith(HOOK_ENDS)):
            if name in RAISES:
                yield package, "override", name, cls.name, life, _at(cls, node)
            elif name not in called:
                yield package, "hook", name, cls.name, life, _at(cls, node)
        gone = DROPPED.get(name)
        if gone and gone in {a.arg for a in node.args.args}:
            note = "take it out, and write several optimizers with self.automatic_optimization = False"
            life = Life(gone, ((known.versions[0], "2.0"),), note=note, source="Lightning-AI/pytorch-lightning#16539")
            if minor(known.versions[0]) >= (2, 0):
                life = Life(gone, (("1.0", "2.0"),), note=note, source=life.source)
            yield package, "override", name, cls.name, life, _at(cls, node)


def _at(cls: Class, node: Def | ast.Attribute) -> Event:
    """Where a node of a class stands."""
    offset = cls.place.line - cls.node.lineno if not cls.node.decorator_list else 0
    place = Place(cls.place.file, node.lineno + max(offset, 0), node.col_offset + 1, cls.place.cell)
    return Event(place=place, order=0)
