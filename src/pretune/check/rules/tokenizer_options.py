"""TOK1: options and keyword arguments of the tokenizer that do not suit its vocabulary, the model or the task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.artifacts.coverage import has_jamo, syllables_in
from pretune.artifacts.post_processor import adds_tokens, pair_types
from pretune.artifacts.tokenizer_classes import BACKEND, ROLES
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.vocabulary import counts_from_pad
from pretune.check.rules.wording import number, percent, shown, some
from pretune.core.errors import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.data import DataFacts
    from pretune.check.facts.model import ModelFacts
    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup

MANY_SYLLABLES = 300
"""A vocabulary with so many different Hangul syllables was made for Korean (mBERT has 1,100, bert-base-cased none)."""

TWO_TEXTS = ("question-answering", "pair-classification")
"""Tasks that put two texts into one input; sentence-similarity embeds each alone."""

KWARGS = frozenset(
    {
        *ROLES,
        *("additional_special_tokens", "extra_special_tokens", "model_max_length", "padding_side", "truncation_side"),
        *("add_prefix_space", "add_bos_token", "add_eos_token", "do_lower_case", "strip_accents", "legacy"),
        *("tokenize_chinese_chars", "clean_up_tokenization_spaces", "split_special_tokens", "chat_template"),
        *(
            "model_input_names",
            "use_fast",
            "revision",
            "subfolder",
            "token",
            "cache_dir",
            "force_download",
            "trim_offsets",
        ),
        *("local_files_only", "trust_remote_code", "tokenizer_type", "config", "proxies", "from_slow", "never_split"),
        *("tokenizer_file", "vocab_file", "merges_file", "gguf_file", "fix_mistral_regex", "do_basic_tokenize"),
        *("errors", "sp_model_kwargs", "use_default_system_prompt", "src_lang", "tgt_lang", "code_revision", "backend"),
        *("max_length", "stride", "truncation_strategy", "pad_to_multiple_of", "use_auth_token", "resume_download"),
        *("remove_space", "keep_accents", "extra_ids", "wordpieces_prefix", "clean_text", "lowercase", "name_or_path"),
    }
)
"""Keyword arguments that from_pretrained of some tokenizer class takes."""


@rule("TOK101", Level.ERROR)
def hangul_taken_apart(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """The tokenizer takes Hangul apart into jamo, but its vocabulary is made of whole syllables.

    Why: lower-casing a BERT tokenizer strips accents, and stripping accents decomposes every syllable (NFD); all Korean
    words become [UNK] (google-research/bert#135, huggingface/tokenizers#399).
    Fix: set do_lower_case to false and strip_accents to false in tokenizer_config.json.
    """
    syllables = syllables_in(tokenizer.files.vocabulary.ids)
    if syllables < MANY_SYLLABLES:
        return
    normalizer = tokenizer.encoder.normalizer
    if normalizer is None or not has_jamo(normalizer.normalize_str("한글")):
        return
    jamo = sum(map(has_jamo, tokenizer.files.vocabulary.ids))
    if jamo > syllables / 4:
        return
    files = tokenizer.files
    option = "strip_accents" if files.config.get("strip_accents") is True else "do_lower_case"
    told = files.config.get(option, files.cls.options.get(option))
    by = f"{option} is {str(told).lower()}" if isinstance(told, bool) else "the normalizer decomposes text"
    default = f" ({files.cls.name}'s default)" if isinstance(told, bool) and option not in files.config else ""
    yield Problem(
        f"{by}{default}: `한글` is read as {len(normalizer.normalize_str('한글'))} jamo, but the vocabulary holds "
        f"{number(syllables)} whole Hangul syllables",
        where=tokenizer.at("tokenizer_config.json", f"/{option}"),
        fix=tokenizer.patched("leave Hangul whole", do_lower_case=False, strip_accents=False),
    )


@rule("TOK102", Level.WARNING)
def case_against_vocabulary(tokenizer: TokenizerFacts) -> Iterator[Problem]:
    """do_lower_case does not suit the vocabulary: upper case is thrown away, or cannot be read.

    Why: an uncased vocabulary without lower-casing reads every capitalised word as unknown or in letters; a cased one
    with it never uses its capitalised rows (MiniLM: cosine to the clean embedding 0.84).
    Fix: set do_lower_case to what the vocabulary was made with.
    """
    if tokenizer.kind != "WordPiece":
        return
    lower = tokenizer.lowercases
    words = [
        token for token in tokenizer.files.vocabulary.ids if token.isascii() and token.isalpha() and len(token) > 1
    ]
    capital = sum(token != token.lower() for token in words)
    if len(words) < 1000:
        return
    share = capital / len(words)
    if lower and share > 0.2:
        yield Problem(
            f"text is lower-cased, but {percent(share)} of the vocabulary's {number(len(words))} Latin words have "
            "capitals",
            where=tokenizer.at("tokenizer_config.json", "/do_lower_case"),
        )
    elif not lower and share < 0.001:
        yield Problem(
            f"text is not lower-cased, but none of the vocabulary's {number(len(words))} Latin words has a capital",
            where=tokenizer.at("tokenizer_config.json", "/do_lower_case"),
            level=Level.NOTE if syllables_in(tokenizer.files.vocabulary.ids) >= MANY_SYLLABLES else None,
        )


@rule("TOK103", Level.WARNING)
def unknown_tokenizer_argument(tokenizer: TokenizerFacts, setup: Setup) -> Iterator[Problem]:
    """A keyword argument of the tokenizer is none that any tokenizer takes.

    Why: from_pretrained of transformers 5 stores any keyword and goes on: do_lowercase=False changes nothing.
    Fix: correct the name.
    """
    known = KWARGS | set(tokenizer.files.cls.options)
    for key in setup.tokenizer_kwargs:
        if key in known or key.endswith("_token"):
            continue
        close = nearest(key, known)
        yield Problem(
            f"tokenizer argument {shown(key)} does not exist" + (f", {did_you_mean(key, known)}" if close else ""),
            where=setup.place(f"tokenizer_kwargs.{key}"),
            level=None if close else Level.NOTE,
        )


@rule("TOK104", Level.NOTE)
def use_fast_ignored(setup: Setup) -> Iterator[Problem]:
    """use_fast has no effect on transformers 5.

    Why: there is one tokenizer a class now, built on the tokenizers library; a slow one with other ids is not to be
    had.
    Fix: leave the argument out.
    """
    if setup.tokenizer_kwargs.get("use_fast") is False:
        yield Problem(
            "use_fast is false, which transformers 5 ignores: the fast tokenizer is loaded",
            where=setup.place("tokenizer_kwargs.use_fast"),
        )


@rule("TOK105", Level.ERROR)
def mask_token_missing(tokenizer: TokenizerFacts, setup: Setup) -> Iterator[Problem]:
    """Masked language modelling needs a mask token, and the tokenizer has none.

    Why: DataCollatorForLanguageModeling raises before the first step.
    Fix: use a tokenizer with a mask token, or train with task causal-lm.
    """
    if setup.task != "masked-lm":
        return
    token = tokenizer.special.get("mask_token")
    if token is None or token not in tokenizer.ids:
        yield Problem(
            f"task is masked-lm, but the tokenizer's {number(tokenizer.size)} tokens have no mask_token",
            where=tokenizer.at("tokenizer_config.json", "/mask_token"),
        )


@rule("TOK106", Level.ERROR)
def brackets_missing(tokenizer: TokenizerFacts, model: ModelFacts) -> Iterator[Problem]:
    """The tokenizer adds no [CLS] and [SEP], but the encoder was trained with them.

    Why: the pooler and the classification head read position 0, which is then an ordinary word (MiniLM: cosine 0.91).
    Fix: save the tokenizer with its post-processor, or declare the model's own tokenizer class.
    """
    architecture = model.architecture
    if architecture is None or architecture.causal or architecture.encoder_decoder:
        return
    if tokenizer.id_of("cls_token") is None and tokenizer.id_of("bos_token") is None:
        return
    if not adds_tokens(tokenizer.parts.get("post_processor")):
        opening = tokenizer.special.get("cls_token") or tokenizer.special["bos_token"]
        yield Problem(
            f"encoding adds no special tokens: the post-processor has none, but {model.model_type} expects "
            f"{shown(opening)} first",
            where=tokenizer.at("tokenizer.json", "/post_processor"),
        )


@rule("TOK107", Level.WARNING)
def left_padding(tokenizer: TokenizerFacts, model: ModelFacts) -> Iterator[Problem]:
    """Padding stands on the left of an encoder that counts positions from the left.

    Why: with absolute positions a padded row's [CLS] stands at a position where it never stood in pre-training
    (MiniLM: cosine 0.91).
    Fix: set padding_side to "right".
    """
    architecture = model.architecture
    if architecture is None or architecture.causal or tokenizer.files.padding_side != "left" or counts_from_pad(model):
        return  # RoBERTa and its kin count from the first token that is no padding
    if architecture.position_kind(model.effective) in ("learned", "sinusoidal"):
        yield Problem(
            f"padding_side is left, but {model.model_type} has absolute positions counted from the left",
            where=tokenizer.at("tokenizer_config.json", "/padding_side"),
            fix=tokenizer.patched("pad on the right", padding_side="right"),
        )


@rule("TOK108", Level.WARNING)
def prefix_space_missing(tokenizer: TokenizerFacts, data: DataFacts, setup: Setup) -> Iterator[Problem]:
    """Words that are split beforehand lose their leading space in a byte-level tokenizer.

    Why: `is_split_into_words=True` encodes each word alone; without add_prefix_space its first piece is another one
    than in running text. transformers 4 refused this, transformers 5 says nothing.
    Fix: load the tokenizer with add_prefix_space=True.
    """
    if setup.task != "token-classification" or not tokenizer.files.byte_level or not _words(data):
        return
    running, alone = tokenizer.cut(" word"), tokenizer.cut("word")
    if running != alone:
        yield Problem(
            f"`word` is {some(alone)} when split beforehand, but {some(running)} in running text: add_prefix_space is "
            "false",
            where=tokenizer.at("tokenizer_config.json", "/add_prefix_space"),
        )


def _words(data: DataFacts) -> bool:
    """Whether the tagged units are words; KLUE-NER tags single characters, spaces among them."""
    units = [unit for row in data.train.rows[:200] for unit in row.tokens if isinstance(unit, str)]
    return len(units) > 0 and sum(map(len, units)) >= 1.5 * len(units)


@rule("TOK109", Level.WARNING)
def segments_dropped(tokenizer: TokenizerFacts, model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """A task with two texts on a model with two segments, but the tokenizer returns no token_type_ids.

    Why: both texts get segment 0. PreTrainedTokenizerFast returned them on transformers 4 and does not on 5
    (huggingface/transformers#48128: "silent accuracy degradation with no error").
    Fix: add "token_type_ids" to model_input_names in tokenizer_config.json.
    """
    if setup.task not in TWO_TEXTS:
        return
    files = tokenizer.files
    if files.cls.name != BACKEND or "token_type_ids" in files.input_names or "model_input_names" in files.config:
        return  # a class or a file that leaves them out was trained so
    segments = model.number("type_vocab_size")
    if segments is None or segments < 2 or not _takes_segments(model) or files.spec is None:
        return
    yield Problem(
        f"{files.declared or files.cls.name} returns {', '.join(files.input_names)}, but the model has type_vocab_size "
        f"{segments} and {setup.task} feeds two texts",
        where=tokenizer.at("tokenizer_config.json", "/model_input_names"),
    )


def _takes_segments(model: ModelFacts) -> bool:
    """Whether forward() takes token_type_ids, as far as is known."""
    inputs = model.architecture.inputs(model.model_class) if model.architecture and model.model_class else ()
    return not inputs or "token_type_ids" in inputs


@rule("TOK110", Level.ERROR)
def segment_out_of_range(tokenizer: TokenizerFacts, model: ModelFacts, setup: Setup) -> Iterator[Problem]:
    """The tokenizer gives the second text segment 1, but the model has one segment only.

    Why: klue/roberta comes with a BERT tokenizer and type_vocab_size 1: the first pair is an index error
    (huggingface/transformers#1538).
    Fix: leave token_type_ids out of the batch: return_token_type_ids=False, or model_input_names without them.
    """
    if setup.task not in TWO_TEXTS:
        return
    segments = model.number("type_vocab_size")
    if segments is None or segments < 1 or "token_type_ids" not in tokenizer.files.input_names:
        return
    if not _takes_segments(model) or setup.encode.get("return_token_type_ids") is False:
        return
    largest = max(pair_types(tokenizer.parts.get("post_processor")), default=0)
    if largest >= segments:
        yield Problem(
            f"the tokenizer gives the second text token_type_id {largest}, but type_vocab_size is {segments}",
            where=model.place("type_vocab_size"),
        )


RULES: tuple[Rule, ...] = (
    hangul_taken_apart,
    case_against_vocabulary,
    unknown_tokenizer_argument,
    use_fast_ignored,
    mask_token_missing,
    brackets_missing,
    left_padding,
    prefix_space_missing,
    segments_dropped,
    segment_out_of_range,
)
