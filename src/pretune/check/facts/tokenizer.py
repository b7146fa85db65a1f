"""The tokenizer the setup names, and the model's own one beside it. Knows no data."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from pretune.artifacts.named_slots import named_slots
from pretune.artifacts.pipeline import as_class, as_file, parts_of, walk
from pretune.artifacts.source import locate
from pretune.artifacts.tokenizer import read_tokenizer
from pretune.artifacts.tokenizer_classes import ROLES
from pretune.artifacts.vocabulary import UnknownOrder, vocabulary_files
from pretune.check.finding import Fix, Patch, Unavailable
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import tokenizers

    from pretune.artifacts.source import Source
    from pretune.artifacts.tokenizer import Tokenizer
    from pretune.check.facts.model import ModelFacts
    from pretune.check.sources.setup import Setup

Made = TypeVar("Made")


@dataclass(frozen=True)
class TokenizerFacts:
    """A tokenizer as it will be used.

    Attributes:
        name: what the user calls it.
        files: what its folder holds.
        special: role -> token after the setup's own `pad_token`.
        is_own: it lies in the model's own folder.
        said: keyword argument of its from_pretrained -> where the setup gives it.
    """

    name: str
    files: Tokenizer
    special: Mapping[str, str]
    is_own: bool = True
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> Mapping[str, int]:
        """Every token -> id, before the setup adds any."""
        return self.files.ids

    @property
    def size(self) -> int:
        """len(tokenizer), before the setup adds any."""
        return self.files.size

    @property
    def word_limit(self) -> int:
        """Characters a word may have before WordPiece gives up on it; the class's number, not the file's."""
        options = self.files.cls.model_options if self.files.cls.rebuilds else self.files.vocabulary.options
        limit = options.get("max_input_chars_per_word")
        return limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else 100

    @property
    def largest_id(self) -> int:
        """The largest id it can emit."""
        return self.files.largest_id

    @property
    def kind(self) -> str:
        """WordPiece, BPE, Unigram, WordLevel."""
        return self.files.vocabulary.kind

    def id_of(self, role: str) -> int | None:
        """The id of `pad_token` and its like, None when the role has no token or the token no id."""
        token = self.special.get(role)
        return None if token is None else self.ids.get(token)

    def at(self, file: str = "", pointer: str = "") -> str:
        """Where a finding points: the vocabulary's file when none is named, the setup where that overrules the file."""
        said = self.said.get(pointer.removeprefix("/")) if file == "tokenizer_config.json" else None
        return said or self.files.source.at(file or self.files.vocabulary.file, pointer)

    def patched(self, title: str, **values: object) -> Fix | None:
        """A safe fix: keys of tokenizer_config.json to set; None where that is no file or the setup overrules it."""
        path = self.files.source.path("tokenizer_config.json")
        if path is None or set(values) & set(self.said):
            return None
        return Fix(title, tuple(Patch(str(path), f"/{key}", value) for key, value in values.items()))

    def named_slots(self, rows: int) -> int:
        """How many of the first `rows` ids have entries whose names say that they are free, and which nothing uses.

        Raises:
            Unavailable: that cannot be told here.
        """
        return len(_made(partial(named_slots, rows=rows), self.files))

    @cached_property
    def parts(self) -> Mapping[str, Any]:
        """Normalizer, pre-tokenizer, post-processor, decoder as transformers 5 makes them, in tokenizer.json's words.

        Raises:
            Unavailable: they cannot be told here.
        """
        return _made(parts_of, self.files)

    @property
    def lowercases(self) -> bool:
        """Whether the normalizer makes everything lower case."""
        return any(step.get("lowercase") is True or step.get("type") == "Lowercase" for step in self._normalizers)

    @property
    def strips_accents(self) -> bool:
        """Whether the normalizer takes letters and marks apart, and so Hangul into jamo (BERT's `strip_accents`)."""
        for step in self._normalizers:
            told = step.get("strip_accents")
            if step.get("type") == "BertNormalizer" and (told is True or (told is None and step.get("lowercase"))):
                return True
        return False

    @property
    def _normalizers(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(walk(self.parts.get("normalizer")))

    def cut(self, text: str, *, special: bool = False, by_file: bool = False) -> list[str]:
        """The tokens of a text.

        Args:
            text: what is encoded.
            special: with the special tokens of the template.
            by_file: by tokenizer.json alone, in place of what transformers 5 makes of the folder.

        Raises:
            Unavailable: the encoder cannot be built here, or cannot encode this (a vocabulary without its [UNK]).
        """
        encoder = self.file_encoder if by_file else self.encoder
        try:
            return list(encoder.encode(text, add_special_tokens=special).tokens)
        except Exception as error:  # noqa: BLE001 - the tokenizers library raises a bare Exception
            raise Unavailable(f"the tokenizer cannot encode {text[:20]!r}: {str(error)[:120]}") from None

    @cached_property
    def encoder(self) -> tokenizers.Tokenizer:
        """What transformers 5 makes of the folder.

        Raises:
            Unavailable: it cannot be built here.
        """
        return _made(as_class, self.files)

    @cached_property
    def file_encoder(self) -> tokenizers.Tokenizer:
        """What tokenizer.json alone describes.

        Raises:
            Unavailable: it cannot be built here.
        """
        return _made(as_file, self.files)


def _made(make: Callable[[Tokenizer], Made], files: Tokenizer) -> Made:
    """What `make` makes of the files; that it cannot is no mistake of the user's but a fact that cannot be had."""
    try:
        return make(files)
    except UserError as error:
        raise Unavailable(error.message) from None


def read_setup_tokenizer(setup: Setup, model: ModelFacts | None) -> TokenizerFacts:
    """The tokenizer the setup trains with.

    Raises:
        Unavailable: the setup names none and the model's folder holds none.
        UserError: the named one cannot be read.
    """
    if setup.tokenizer is not None:
        revision = setup.tokenizer_kwargs.get("revision")
        source = locate(setup.tokenizer, revision=revision if isinstance(revision, str) else None)
        files = _read(source, setup.tokenizer_kwargs)
        own = model is not None and _same(source, model.source)
        return TokenizerFacts(setup.tokenizer, files, _special(files, setup), is_own=own, said=_said(setup))
    if model is None:
        raise Unavailable("no model and no tokenizer is named")
    if not vocabulary_files(model.source):
        raise Unavailable("the model's folder holds no tokenizer (name one with --tokenizer)")
    files = _read(model.source, setup.tokenizer_kwargs)
    return TokenizerFacts(model.name, files, _special(files, setup), said=_said(setup))


def read_tokenizer_facts(name: str) -> TokenizerFacts:
    """A tokenizer by its name alone.

    Raises:
        Unavailable: the order of its vocabulary is not known.
        UserError: it cannot be read.
    """
    files = _read(locate(name), {})
    return TokenizerFacts(name, files, dict(files.special))


def _said(setup: Setup) -> Mapping[str, str]:
    return {key: setup.place(f"tokenizer_kwargs.{key}") for key in setup.tokenizer_kwargs}


def read_own_tokenizer(setup: Setup, model: ModelFacts, used: TokenizerFacts) -> TokenizerFacts:
    """The tokenizer in the model's own folder, when the setup trains with another one.

    Raises:
        Unavailable: it is the same one, or the model's folder holds none that can be read.
    """
    if setup.tokenizer is None or used.is_own:
        raise Unavailable("the model's own tokenizer is used")
    if not vocabulary_files(model.source):
        raise Unavailable("the model's folder holds no tokenizer of its own to compare with")
    try:
        files = _read(model.source, {})
    except UserError as error:  # it is not the one that is used
        raise Unavailable(error.message) from None
    return TokenizerFacts(model.name, files, dict(files.special))


def _read(source: Source, kwargs: Mapping[str, Any]) -> Tokenizer:
    try:
        return read_tokenizer(source, kwargs=kwargs)
    except UnknownOrder as error:
        raise Unavailable(error.message) from None


def _same(one: Source, other: Source) -> bool:
    """Whether two sources are one folder, however it is spelled."""
    if one.label == other.label:
        return True
    here, there = one.path("config.json"), other.path("config.json")
    return here is not None and there is not None and here.resolve() == there.resolve()


def _special(files: Tokenizer, setup: Setup) -> Mapping[str, str]:
    """The special tokens with the setup's pad token: a role's name (`eos_token`) stands for that role's token."""
    special = dict(files.special)
    if setup.pad_token in ROLES:
        token = special.get(setup.pad_token)
        if token is None:
            special.pop("pad_token", None)
        else:
            special["pad_token"] = token
    elif setup.pad_token is not None:
        special["pad_token"] = setup.pad_token
    return special
