"""The tokenizer's files as they are once a plan is made: edited. All that name tokens stay in step. Writes nothing.

tokenizer.json is what transformers reads; vocab.txt, vocab.json with merges.txt and a sentencepiece model stand
beside it for what does not. Whether the new files say what the plan promises is proof.py's business.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pretune.artifacts.json_file import read_object
from pretune.artifacts.pipeline import class_spec
from pretune.tokens.float32_sums import scaled, scaled_unknown, unit
from pretune.tokens.sentencepiece_step import sentencepiece_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pretune.artifacts.source import Source
    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.tokens.plan import Added, Plan

FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
"""Of a new special token: found exactly as it is written, wherever it stands."""


def edited(tokenizer: Tokenizer, plan: Plan) -> dict[str, bytes]:
    """Name -> content of each file that changes.

    Args:
        tokenizer: as it is.
        plan: which entries get which ids.
    """
    if not plan.added and not plan.merges:
        return {}
    source = tokenizer.source
    files = {"tokenizer.json": _json(source, "tokenizer.json", spec_with(tokenizer, plan))}
    specials = [entry.text for entry in plan.added if entry.special]
    edits: dict[str, Callable[[dict[str, Any]], None]] = {
        "tokenizer_config.json": lambda told: _config(told, plan, specials),
        "special_tokens_map.json": lambda told: _listed(told, specials, always=False),
        "added_tokens.json": lambda told: _added(told, plan),
        "config.json": lambda told: _rows(told, plan),
    }
    for name, edit in edits.items():
        if not source.has(name) and not (name == "tokenizer_config.json" and specials):
            continue
        before = read_object(source, name) if source.has(name) else {}
        after = json.loads(json.dumps(before))
        edit(after)
        if after != before:
            files[name] = _json(source, name, after)
    if source.has("vocab.txt"):
        lines = _lines(tokenizer, plan, source.read("vocab.txt").decode("utf-8"))
        if lines is not None:
            files["vocab.txt"] = lines.encode()
    if source.has("vocab.json"):
        files["vocab.json"] = _json(source, "vocab.json", _table(tokenizer, plan, read_object(source, "vocab.json")))
    files |= sentencepiece_files(tokenizer, plan)
    if source.has("merges.txt") and plan.merges:
        text = source.read("merges.txt").decode("utf-8")
        text += "" if text.endswith("\n") or not text else "\n"
        files["merges.txt"] = (text + "".join(f"{left} {right}\n" for left, right in plan.merges)).encode()
    return files


def spec_with(tokenizer: Tokenizer, plan: Plan) -> dict[str, Any]:
    """tokenizer.json with the entries; made as the class would build it where there is none yet."""
    spec = dict(tokenizer.spec) if tokenizer.spec is not None else dict(class_spec(tokenizer))
    model = dict(spec["model"])
    vocabulary = model["vocab"]
    model["vocab"] = (
        _list(tokenizer, plan, vocabulary) if isinstance(vocabulary, list) else _table(tokenizer, plan, vocabulary)
    )
    if plan.merges:
        rules = list(model.get("merges") or [])
        written = rules and isinstance(rules[0], str)
        model["merges"] = rules + [f"{left} {right}" if written else [left, right] for left, right in plan.merges]
    if plan.whole:
        model["ignore_merges"] = True
    spec["model"] = model
    gone = _names(plan)
    rows = [row for row in spec.get("added_tokens") or [] if row.get("content") not in gone]
    rows += [{"id": entry.id, "content": entry.text, **FLAGS} for entry in plan.added if entry.special]
    spec["added_tokens"] = sorted(rows, key=lambda row: row["id"])
    return spec


def _names(plan: Plan) -> set[str]:
    """The names of the slots that are taken."""
    return {entry.slot.name for entry in plan.added if entry.slot is not None and entry.slot.name}


def _beside(tokenizer: Tokenizer, plan: Plan) -> dict[int, str]:
    """Id -> added token, for those that must become entries too.

    The library gives added tokens that are no entries their ids by counting on from the vocabulary's size, so a
    vocabulary that grows would move them.
    """
    gone = _names(plan)
    return {token.id: token.content for token in tokenizer.added if token.content not in gone}


def _table(tokenizer: Tokenizer, plan: Plan, vocabulary: Mapping[str, int]) -> dict[str, int]:
    """A vocabulary as a table, in the order of ids."""
    gone = _names(plan)
    table = {token: at for token, at in vocabulary.items() if token not in gone}
    if any(entry.id not in set(vocabulary.values()) for entry in plan.added):
        table = {**{token: at for at, token in _beside(tokenizer, plan).items()}, **table}
    table |= {entry.text: entry.id for entry in plan.added}
    return dict(sorted(table.items(), key=lambda item: item[1]))


def _list(tokenizer: Tokenizer, plan: Plan, vocabulary: list[Any]) -> list[Any]:
    """A Unigram vocabulary, whose places are the ids."""
    rows = [list(row) for row in vocabulary]
    lowest = min((float(row[1]) for row in rows), default=0.0)
    scale = unit([float(row[1]) for row in rows])
    beside = _beside(tokenizer, plan)
    for entry in sorted(plan.added, key=lambda entry: entry.id):
        while len(rows) <= entry.id:
            rows.append([beside.get(len(rows), f"<no entry {len(rows)}>"), lowest])
        own = entry.score if scale == 1 or entry.score is None else scaled(entry.score)
        score = rows[entry.id][1] if entry.special and entry.slot else lowest if entry.special else own
        rows[entry.id] = [entry.text, score]
    unknown = tokenizer.vocabulary.options.get("unk_id")
    if scale != 1 and isinstance(unknown, int):  # see float32_sums.py: the unknown token holds the penalty
        special = set(tokenizer.special.values()) | {entry.text for entry in plan.added if entry.special}
        rows[unknown][1] = scaled_unknown(float(score) / scale for text, score in rows if text not in special)
    return rows


def _lines(tokenizer: Tokenizer, plan: Plan, text: str) -> str | None:
    """vocab.txt, a line an id; None: an id would have no line before it."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(end)
    last = lines.pop() if lines and not lines[-1] else None
    beside = _beside(tokenizer, plan)
    for entry in sorted(plan.added, key=lambda entry: entry.id):
        while len(lines) < entry.id:
            if len(lines) not in beside:
                return None
            lines.append(beside[len(lines)])
        lines[entry.id : entry.id + 1] = [entry.text]
    return end.join(lines) + (end if last is not None else "")


def _config(told: dict[str, Any], plan: Plan, specials: list[str]) -> None:
    """tokenizer_config.json."""
    decoder = told.get("added_tokens_decoder")
    if isinstance(decoder, dict):
        gone = _names(plan)
        kept = {at: row for at, row in decoder.items() if not (isinstance(row, dict) and row.get("content") in gone)}
        kept |= {str(entry.id): {"content": entry.text, **FLAGS} for entry in plan.added if entry.special}
        told["added_tokens_decoder"] = dict(sorted(kept.items(), key=lambda item: int(item[0])))
    _listed(told, specials, always=True)


def _listed(told: dict[str, Any], specials: list[str], *, always: bool) -> None:
    """The list of further special tokens; made where there is none and `always`, or the file lists others."""
    if not specials:
        return
    key = "extra_special_tokens" if isinstance(told.get("extra_special_tokens"), list) else "additional_special_tokens"
    if key in told or always or told:
        known = list(told.get(key) or [])
        texts = {row.get("content") if isinstance(row, dict) else row for row in known}
        told[key] = known + [token for token in specials if token not in texts]


def _added(told: dict[str, Any], plan: Plan) -> None:
    """added_tokens.json of older folders: what stands beside the vocabulary file."""
    for name in _names(plan):
        told.pop(name, None)
    told |= {entry.text: entry.id for entry in plan.added if entry.special and not _in_file(entry)}


def _in_file(entry: Added) -> bool:
    """Whether a special token takes an entry's place in the vocabulary file."""
    return entry.slot is not None and bool(entry.slot.name)


def _rows(told: dict[str, Any], plan: Plan) -> None:
    """config.json: how many rows there are, also of the text model inside another."""
    if not plan.resizes:
        return
    for part in (
        told,
        *(told[name] for name in ("text_config", "decoder", "encoder") if isinstance(told.get(name), dict)),
    ):
        if part.get("vocab_size") == plan.rows[0] or (part is told and "vocab_size" in part):
            part["vocab_size"] = plan.rows[1]


def _json(source: Source, name: str, value: Any) -> bytes:
    """JSON in the layout that the file has: indented or in one line, non-ASCII letters as they are or escaped."""
    before = source.read(name) if source.has(name) else b"{\n"
    indent = 2 if b"\n" in before[:200] else None
    ascii_only = bool(before) and before.isascii() and b"\\u" in before
    separators = None if indent or b": " in before[:400] else (",", ":")
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=separators)
    return (text + ("\n" if before.endswith(b"\n") else "")).encode("utf-8", "surrogatepass")
