"""Tokens added to a live model and its tokenizer, in place: plan, LiveAdding. Imports neither torch nor transformers.

What the tokenizer's own save_pretrained writes, the config and the tables with one row an id are put into a folder of
their own, for as long as the plan lives; the plan is made from it as from any folder, so both come to the same. A
tokenizer that is no fast one, and a model in an adapter's wrapper, are refused.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.draw.display import Displayed
from pretune.tokens import adding as folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pretune.draw.table import Table
    from pretune.tokens.adding import Adding
    from pretune.tokens.plan import Plan

WEIGHTS = "model.safetensors"


@dataclass(frozen=True, repr=False)
class LiveAdding(Displayed):
    """Tokens that are about to be added to a model in memory.

    Attributes:
        adding: the same for the folder that was made of it.
        model: the transformer.
        tokenizer: its tokenizer.
        pooling: how it makes a sentence's vector; empty: it is no sentence encoder.
        folder: removed with this.
    """

    adding: Adding
    model: Any
    tokenizer: Any
    pooling: str = ""
    folder: Any = None
    part = "tokens"

    def _shown(self) -> tuple[Sequence[str], Sequence[Table]]:
        from pretune.tokens.show import planned

        return planned(self.plan, type(self.model).__name__)

    @property
    def plan(self) -> Plan:
        """What comes of it."""
        return self.adding.plan

    def apply(self) -> tuple[Any, Any]:
        """Put the rows into the model and the tokens into the tokenizer; both, changed.

        Parameters stay the objects that they are unless the plan resizes; an optimizer that holds them is to be made
        anew then.

        Raises:
            UserError: the model's tables or the tokenizer changed since the plan was made, or `distill` lacks torch.
        """
        plan = self.adding.plan
        if not plan.added and not plan.merges:
            return self.model, self.tokenizer
        if len(self.model.get_input_embeddings().weight) != plan.rows[0]:
            raise UserError("the model was resized since the plan was made", hint="make a new plan")
        if self.tokenizer.get_vocab() != _loaded(self.tokenizer, self.folder.name).get_vocab():
            raise UserError("the tokenizer was changed since the plan was made", hint="make a new plan")
        edits = self._edits()
        if plan.resizes:
            self.model.resize_token_embeddings(plan.rows[1], mean_resizing=False)
        self._rows(edits)
        self._tokens()
        return self.model, self.tokenizer

    def _edits(self) -> dict[str, tuple[list[int], Any]]:
        """Table -> ids and rows."""
        from pretune.tokens.new_rows import new_rows

        tables = self.adding.tables
        assert tables is not None
        edits = new_rows(self.adding.plan, tables, tokenizer=self.adding.tokenizer, init=self.adding.init)
        if self.adding.init == "distill" and self.adding.plan.added:
            from pretune.tokens.distill import distilled

            edits = distilled(self.adding, edits, (_body(self.model), self.pooling))
        return edits

    def _rows(self, edits: dict[str, tuple[list[int], Any]]) -> None:
        """Write the rows into the model's own parameters."""
        import torch

        tables = self.adding.tables
        assert tables is not None
        tensors = self.model.state_dict(keep_vars=True)
        with torch.no_grad():
            for table in tables.tables:
                ids, rows = edits[table.name]
                weight = tensors[table.name]
                if weight.shape[table.axis] != self.adding.plan.rows[1]:
                    raise UserError(f"{table.name} has {weight.shape[table.axis]} rows after resizing the model")
                values = torch.from_numpy(rows).to(weight.device, weight.dtype)
                if table.axis:
                    values = values.reshape(len(ids), -1).transpose(0, 1)
                weight.index_copy_(table.axis, torch.tensor(ids, device=weight.device), values)

    def _tokens(self) -> None:
        """Change the tokenizer as loading the plan's files does, and nothing else of it."""
        before = vars(_loaded(self.tokenizer, self.folder.name))
        for name, data in self.adding.plan.files.items():
            if name != "config.json":
                (Path(self.folder.name) / name).write_bytes(data)
        after = vars(_loaded(self.tokenizer, self.folder.name))
        own = vars(self.tokenizer)
        for name, value in after.items():
            if name == "_tokenizer" or name not in before or not _same(before[name], value):
                own[name] = _merged(own.get(name), before.get(name), value)


def plan(
    model: Any,
    words: Iterable[str] = (),
    *,
    tokenizer: Any = None,
    special: Iterable[str] = (),
    data: Any = None,
    init: str = "mean",
) -> LiveAdding:
    """Plan tokens for a live model; nothing is changed yet.

    Args:
        model: a transformers model, or a SentenceTransformer.
        words: to be added to the model's own vocabulary.
        tokenizer: its fast tokenizer; a SentenceTransformer has its own.
        special: special tokens to be added beside it.
        data: as for a folder.
        init: how new rows begin.

    Raises:
        UserError: the model or the tokenizer is of a kind that is not changed in memory.
    """
    whole, model = model, _transformer(model)
    tokenizer = tokenizer if tokenizer is not None else getattr(whole, "tokenizer", None)
    if not getattr(tokenizer, "is_fast", False) or not hasattr(tokenizer, "_tokenizer"):
        named = type(tokenizer).__name__
        raise UserError(f"tokenizer is a {named}, expected a fast tokenizer", hint="tokenizer=AutoTokenizer...")
    if hasattr(model, "peft_config"):
        raise UserError(
            "the model is in an adapter's wrapper, whose copies of the embedding would be left behind",
            hint="add the tokens before get_peft_model, or to model.merge_and_unload()",
        )
    if not hasattr(model, "get_input_embeddings") or not hasattr(model, "state_dict"):
        raise UserError(f"model is a {type(model).__name__}, expected a transformers model")
    folder = tempfile.TemporaryDirectory(prefix="pretune-tokens-")
    _save(model, tokenizer, Path(folder.name))
    made = folders.plan(folder.name, words, special=special, data=data, init=init)
    return LiveAdding(made, model, tokenizer, _pooling(whole), folder)


def _transformer(model: Any) -> Any:
    """The transformers model in a SentenceTransformer; the model itself where it is none."""
    if hasattr(model, "_first_module"):
        first = model._first_module()  # noqa: SLF001 - it has no public name
        return getattr(first, "auto_model", None) or getattr(first, "model", None)
    return model


def _body(model: Any) -> Any:
    """The part that gives hidden states."""
    return getattr(model, "base_model", model)


def _pooling(whole: Any) -> str:
    """The pooling of a SentenceTransformer; empty for another model."""
    if not hasattr(whole, "_first_module"):
        return ""
    from pretune.tokens.distill_model import pooling_of

    for module in whole:
        if type(module).__name__ == "Pooling":
            return pooling_of(module.get_config_dict())
    return "mean"


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write what a plan is made from: the tokenizer, the config, and the tables alone."""
    from safetensors.torch import save_file

    tokenizer.save_pretrained(str(folder))
    file = folder / "tokenizer.json"
    spec = json.loads(file.read_bytes())
    if spec.get("truncation") or spec.get("padding"):  # of its last call, and not its own
        file.write_text(json.dumps(spec | {"truncation": None, "padding": None}, ensure_ascii=False), encoding="utf-8")
    config = model.config.to_dict()
    config["architectures"] = [type(model).__name__.removeprefix("FSDP")]
    (folder / "config.json").write_text(json.dumps(config, default=str), encoding="utf-8")
    told = getattr(model, "generation_config", None)
    if told is not None:
        (folder / "generation_config.json").write_text(json.dumps(told.to_dict(), default=str), encoding="utf-8")
    rows = len(model.get_input_embeddings().weight)
    tensors: dict[str, Any] = {}
    seen: set[tuple[int, tuple[int, ...]]] = set()
    for name, tensor in model.state_dict().items():
        here = (tensor.data_ptr(), tuple(tensor.shape))
        if rows in tensor.shape[:1] or tensor.numel() == rows:
            if here not in seen:  # tied ones once, as save_pretrained does
                tensors[name] = tensor.detach().cpu().contiguous()
            seen.add(here)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def _loaded(tokenizer: Any, folder: str) -> Any:
    """A tokenizer of the same class from the folder."""
    return type(tokenizer).from_pretrained(folder, local_files_only=True)


def _same(one: Any, other: Any) -> bool:
    """Whether two values of an attribute are equal, as far as they can be compared."""
    try:
        return bool(one == other) or repr(one) == repr(other)
    except (TypeError, ValueError):
        return False


def _merged(own: Any, before: Any, after: Any) -> Any:
    """A changed attribute; of a mapping only the keys that changed, so that what the user set stays."""
    if not (isinstance(own, dict) and isinstance(before, dict) and isinstance(after, dict)):
        return after
    changed = {key: value for key, value in after.items() if key not in before or not _same(before[key], value)}
    gone: Sequence[Any] = [key for key in before if key not in after]
    return {key: value for key, value in own.items() if key not in gone} | changed
