"""What is to be said of where a check's facts came from. Reads none that has not been read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pretune.check.facts import Facts


def remarks_of(facts: Facts) -> tuple[str, ...]:
    """A line each: the hub's cache, rows that were not looked at, tokenizers that cannot encode the data."""
    read = [facts.__dict__[name] for name in ("model", "tokenizer") if name in facts.__dict__]
    sources = [fact.source if hasattr(fact, "source") else fact.files.source for fact in read]
    remarks = [remark for source in sources for remark in source.remarks]
    if "data" in facts.__dict__ and facts.sample is None and not facts.reads_all:
        remarks.append(
            f"only the first {facts.HEAD:,} rows of each file were looked at; pip install pretune[data] for all"
        )
    if "corpus" in facts.__dict__:
        remarks += [f"{name} cannot encode the data: {why}" for name, why in facts.corpus.unusable.items()]
    return tuple(dict.fromkeys(remarks))
