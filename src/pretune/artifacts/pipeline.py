"""Builds the encoder (a `tokenizers.Tokenizer`) that a tokenizer folder becomes, without transformers.

`as_class` is what transformers 5 makes of it: classes with a constructor of their own bring their own normalizer,
pre-tokenizer and template (class_pipeline.py). `as_file` is tokenizer.json as it stands, what transformers 4 and other
runtimes use. Truncation and padding are always switched off. Knows no data.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from pretune.artifacts.added_tokens import FLAGS
from pretune.artifacts.class_pipeline import CHARSMAP, PARTS, class_model, class_parts, merges_of, pairs_of, refuse
from pretune.artifacts.post_processor import template
from pretune.artifacts.spec_text import spec_text
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import tokenizers

    from pretune.artifacts.post_processor import Spec
    from pretune.artifacts.tokenizer import Tokenizer


def as_class(tokenizer: Tokenizer) -> tokenizers.Tokenizer:
    """The encoder as transformers 5 builds it.

    Raises:
        UserError: the class or the vocabulary is of a kind the tokenizers library cannot run, or transformers
            refuses too (Refused).
    """
    made = load(class_spec(tokenizer), tokenizer)
    late = [token for token in tokenizer.added if token.late]
    if late:
        import tokenizers

        made.add_tokens(
            [tokenizers.AddedToken(token.content, **{flag: getattr(token, flag) for flag in FLAGS}) for token in late]
        )
    made.encode_special_tokens = tokenizer.config.get("split_special_tokens") is True
    return made


def as_file(tokenizer: Tokenizer) -> tokenizers.Tokenizer:
    """The encoder that tokenizer.json describes; without that file the same as `as_class`."""
    if tokenizer.spec is None:
        return as_class(tokenizer)
    return load(file_spec(tokenizer), tokenizer)


def load(spec: Mapping[str, Any], tokenizer: Tokenizer) -> tokenizers.Tokenizer:
    """Make the encoder that a specification in tokenizer.json's words describes.

    Raises:
        UserError: the tokenizers library does not take it.
    """
    import tokenizers

    _check_charsmaps(spec, tokenizer)
    with _refusals(tokenizer):
        made = tokenizers.Tokenizer.from_buffer(spec_text(spec, tokenizer.spec, tokenizer.source))
        made.no_truncation()
        made.no_padding()
        with suppress(Exception):  # a vocabulary without its unknown token: what is encoded decides
            made.encode("a 가")  # some malformed parts panic only at the first word
    return made


@contextmanager
def _refusals(tokenizer: Tokenizer) -> Iterator[None]:
    """Make a UserError of whatever the library raises; its panics are no Exceptions (pyo3_runtime.PanicException)."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - bare Exceptions and panics are what it raises for malformed files
        lines = str(error).strip().splitlines()
        detail = lines[0][:160] if lines else type(error).__name__
        where = tokenizer.source.at(tokenizer.vocabulary.file)
        raise UserError(f"{where} cannot be loaded as a tokenizer: {detail}") from None


def _check_charsmaps(spec: Mapping[str, Any], tokenizer: Tokenizer) -> None:
    """Refuse a normalization map whose trie is cut off: the library panics on it and writes a backtrace."""
    for step in walk(spec.get("normalizer")):
        told = step.get("precompiled_charsmap")
        if step.get("type") != "Precompiled" or not isinstance(told, str):
            continue
        try:
            data = base64.b64decode(told, validate=True)
        except ValueError:
            data = b""
        size = int.from_bytes(data[:4], "little")
        if len(data) < 4 or size < 1024 or size % 4 or 4 + size > len(data):
            where = tokenizer.source.at(tokenizer.vocabulary.file)
            raise UserError(f"{where} cannot be loaded as a tokenizer: its precompiled_charsmap is cut off")


def walk(part: Any) -> Iterator[Mapping[str, Any]]:
    """Every component inside a component, itself included."""
    if isinstance(part, list):
        for value in part:
            yield from walk(value)
    elif isinstance(part, Mapping):
        yield part
        for value in part.values():
            if isinstance(value, Mapping | list):
                yield from walk(value)


def file_spec(tokenizer: Tokenizer) -> Spec:
    """tokenizer.json's content, without truncation and padding."""
    return {**(tokenizer.spec or {}), "truncation": None, "padding": None}


def class_spec(tokenizer: Tokenizer) -> Spec:
    """What transformers 5 builds, in tokenizer.json's words.

    Raises:
        UserError: it builds nothing (Refused), or nothing that the tokenizers library runs.
    """
    spec: Spec = {"version": "1.0", **file_spec(tokenizer), **parts_of(tokenizer)}
    if tokenizer.cls.rebuilds or tokenizer.spec is None:
        spec["model"] = (
            class_model(tokenizer) if tokenizer.cls.pipeline is not None else _sentencepiece_model(tokenizer)
        )
    spec["added_tokens"] = [
        {"id": token.id, "content": token.content, **{flag: getattr(token, flag) for flag in FLAGS}}
        for token in tokenizer.added
        if not token.late
    ]
    return spec


def parts_of(tokenizer: Tokenizer) -> Spec:
    """Normalizer, pre-tokenizer, post-processor and decoder as transformers 5 builds them; no vocabulary is copied.

    Raises:
        UserError: as class_spec.
    """
    cls = tokenizer.cls
    if not cls.known:
        raise UserError(f"{cls.name} is not built on the tokenizers library: pretune does not run it")
    if tokenizer.config.get("auto_map") and tokenizer.kwargs.get("trust_remote_code"):
        raise UserError("the tokenizer is made by code of its own (auto_map), which pretune does not run")
    refuse(tokenizer)
    if not cls.rebuilds and tokenizer.spec is not None:
        made = (cls.pipeline or {}).get("post_processor")
        return {**{part: tokenizer.spec.get(part) for part in PARTS}, "post_processor": template(tokenizer, made)}
    if cls.pipeline is not None:
        return class_parts(tokenizer, charsmap_of(tokenizer))
    if cls.rebuilds:
        raise UserError(f"pretune does not know how {cls.name} builds its tokenizer")
    charsmap = charsmap_of(tokenizer)
    steps: list[Spec] = [{"type": "Precompiled", CHARSMAP: charsmap}] if charsmap else []
    steps.append({"type": "Replace", "pattern": {"String": " "}, "content": "▁"})
    normalizer = {"type": "Sequence", "normalizers": steps}
    return {**dict.fromkeys(PARTS), "normalizer": normalizer, "post_processor": template(tokenizer)}


def charsmap_of(tokenizer: Tokenizer) -> str | None:
    """The sentencepiece map of tokenizer.json's normalizer or of the `.model` file, in base64; None without one."""
    if tokenizer.vocabulary.charsmap:
        return base64.b64encode(tokenizer.vocabulary.charsmap).decode("ascii")
    for step in walk((tokenizer.spec or {}).get("normalizer")):
        if step.get("type") == "Precompiled" and isinstance(step.get(CHARSMAP), str):
            return str(step[CHARSMAP])
    return None


def _sentencepiece_model(tokenizer: Tokenizer) -> Spec:
    """What the generic class makes of a `tokenizer.model` alone (SpmConverter.build_tokenizer_from_spm_proto)."""
    vocabulary = tokenizer.vocabulary
    options = vocabulary.options
    fallback = bool(options.get("byte_fallback"))
    if vocabulary.kind == "Unigram":
        unknown = options.get("unk_id", 0)
        return {"type": "Unigram", "unk_id": unknown, "vocab": pairs_of(vocabulary), "byte_fallback": fallback}
    if vocabulary.kind == "BPE":
        return {
            "type": "BPE",
            "unk_token": vocabulary.pieces[options.get("unk_id", 0)],
            "fuse_unk": True,
            "byte_fallback": fallback,
            "vocab": dict(vocabulary.ids),
            "merges": merges_of(vocabulary.ids),
        }
    raise UserError(f"{tokenizer.source.at(vocabulary.file)}: pretune does not encode with a {vocabulary.kind} model")
