"""Write artifacts/tokenizer_classes.json: what each tokenizer class of the installed transformers does by itself.

transformers 5 rebuilds a tokenizer from its class: a class with an `__init__` of its own takes only the vocabulary
(and merges) from tokenizer.json and brings its own normalizer, pre-tokenizer and template. This script makes one object
of each such class, with a placeholder (`@cls_token@`) for each special token, and notes what it brought. Run it with
transformers installed:

    python scripts/build_tokenizer_classes.py
"""

# ruff: noqa: SLF001 - the inner tokenizer is the only way to the pipeline
import inspect
import json
from pathlib import Path
from typing import Any

import transformers
from tokenizers import AddedToken, processors
from transformers.convert_slow_tokenizer import SLOW_TO_FAST_CONVERTERS, SpmConverter
from transformers.models.auto import tokenization_auto as auto
from transformers.tokenization_utils_tokenizers import TokenizersBackend

OUT = Path(__file__).resolve().parent.parent / "src" / "pretune" / "artifacts" / "tokenizer_classes.json"
SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
CHARSMAP = (1024).to_bytes(4, "little") + bytes(1025)
"""A normalization map of sentencepiece that maps nothing; it marks the place where a class puts the file's own."""


KEPT = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}


def describe(cls: type) -> dict[str, Any]:
    """What the class brings."""
    told = _defaults(cls)
    row: dict[str, Any] = {
        "name": cls.__name__,
        "model": cls.model.__name__ if cls.model is not None else None,
        "rebuilds": "__init__" in cls.__dict__ and cls is not TokenizersBackend,
        "inputs": list(cls.model_input_names),
        "padding_side": getattr(cls, "padding_side", "right"),
        "files": [name for key, name in cls.vocab_files_names.items() if key != "tokenizer_file" and name],
        "special": {key: str(told[key]) for key in SPECIAL if told.get(key) is not None},
        "extra": {
            key: str(value)
            for key, value in told.items()
            if key.endswith("_token") and key not in SPECIAL and isinstance(value, str)
        },
        "options": {k: v for k, v in told.items() if isinstance(v, bool) or k in ("strip_accents", "add_prefix_space")},
        "reorders_sentencepiece": _reorders(cls),
    }
    if cls.__init__ is not TokenizersBackend.__init__:
        tokens = {role: f"@{role}@" for role in row["special"]}
        try:
            made = cls(**tokens)
        except Exception as error:  # noqa: BLE001 - a class that cannot be made without files has no default pipeline
            row["unbuilt"] = type(error).__name__
            return row
        spec = json.loads(made._tokenizer.to_str())
        row["pipeline"] = {part: spec[part] for part in PARTS}
        if "_spm_precompiled_charsmap" in told:
            row["pipeline"]["mapped_normalizer"] = _mapped(cls, tokens)
        kept = cls(**tokens, post_processor=processors.ByteLevel(trim_offsets=False))
        row["own_template"] = json.loads(kept._tokenizer.to_str())["post_processor"] != KEPT
        flagged = (
            cls(**tokens, bos_token="@bos_token@", add_bos_token=True)
            if "bos_token" not in tokens
            else cls(**tokens, add_bos_token=True)
        )
        row["follows_flags"] = json.loads(flagged._tokenizer.to_str())["post_processor"] != spec["post_processor"]
        row["variants"] = _variants(cls, tokens, row)
        row["model_options"] = {k: v for k, v in spec["model"].items() if k not in ("vocab", "merges", "type")}
        row["type"] = spec["model"]["type"]
        row["empty"] = _entries(spec["model"]["vocab"])
        if "unk_id" in row["model_options"] and _finds_unknown(cls, tokens):
            row["model_options"]["unk_id"] = "@unk_token@"
        row["flags"] = {
            role: {
                "lstrip": token.lstrip,
                "rstrip": token.rstrip,
                "normalized": token.normalized,
                "special": token.special,
            }
            for role, token in made._special_tokens_map.items()
            if isinstance(token, AddedToken) and role in tokens
        }
        named = {str(token) for token in made._special_tokens_map.values()}
        row["more"] = [str(token) for token in made._extra_special_tokens if str(token) not in named]
    return row


def _defaults(cls: type) -> dict[str, Any]:
    """Constructor parameters with a default, those that `**kwargs` hands on to a parent class included."""
    told: dict[str, Any] = {}
    for one in cls.__mro__:
        if one is TokenizersBackend:
            break
        if "__init__" in one.__dict__:
            parameters = inspect.signature(one.__init__).parameters.values()
            own = {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
            told = {**own, **told}
            if all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in parameters):
                break
    return told


def _mapped(cls: type, arguments: dict[str, Any]) -> Any:
    """The normalizer that the class makes when the file has a normalization map."""
    spec = json.loads(cls(**arguments, _spm_precompiled_charsmap=CHARSMAP)._tokenizer.to_str())
    return _marked(spec["normalizer"])


def _finds_unknown(cls: type, arguments: dict[str, Any]) -> bool:
    """Whether the class looks for the unknown token's place in the vocabulary, in place of a fixed number."""
    vocab = [(f"{index}", 0.0) for index in range(12)]
    vocab[9] = (arguments["unk_token"], 0.0)
    try:
        spec = json.loads(cls(vocab=vocab, **arguments)._tokenizer.to_str())
    except Exception:  # noqa: BLE001 - it wants its other tokens too
        return False
    return bool(spec["model"]["unk_id"] == 9)


def _variants(cls: type, tokens: dict[str, str], row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Option -> its other value -> the parts of the pipeline that are made otherwise then."""
    found: dict[str, dict[str, Any]] = {}
    for option, default in row["options"].items():
        for value in (True, False):
            if value is default:
                continue
            try:
                spec = json.loads(cls(**tokens, **{option: value})._tokenizer.to_str())
            except Exception:  # noqa: BLE001 - an option that needs more than itself
                continue
            parts = {part: spec[part] for part in PARTS}
            if "mapped_normalizer" in row["pipeline"]:
                parts["mapped_normalizer"] = _mapped(cls, {**tokens, option: value})
            changed = {part: made for part, made in parts.items() if made != row["pipeline"][part]}
            if changed:
                found.setdefault(option, {})[json.dumps(value)] = changed
    return found


def _marked(part: Any) -> Any:
    """The component with `@charsmap@` in the place of the map."""
    if isinstance(part, dict):
        return {k: "@charsmap@" if k == "precompiled_charsmap" else _marked(v) for k, v in part.items()}
    return [_marked(value) for value in part] if isinstance(part, list) else part


def _reorders(cls: type) -> bool:
    """Whether a sentencepiece model's pieces get other ids in this class (XLM-R, NLLB, ...)."""
    converter = SLOW_TO_FAST_CONVERTERS.get(cls.__name__)
    own = getattr(converter, "convert_from_spm", None)
    plain = own is None or own.__func__ is SpmConverter.convert_from_spm.__func__
    return not plain or hasattr(cls, "convert_from_spm_model")


def _entries(vocab: Any) -> list[str]:
    """The tokens of a class that is made without any file, in the order of their ids."""
    if isinstance(vocab, dict):
        return sorted(vocab, key=vocab.__getitem__)
    return [token for token, _ in vocab]


def find() -> tuple[dict[str, Any], list[str]]:
    """Rows of all classes built on the tokenizers library, and the names of the others."""
    names = {name for name in auto.TOKENIZER_MAPPING_NAMES.values() if name}
    names |= set(SLOW_TO_FAST_CONVERTERS)  # names that are aliases now (ElectraTokenizer)
    names |= {name for name in dir(transformers) if name.endswith(("Tokenizer", "TokenizerFast"))}
    names |= {"PreTrainedTokenizerFast", "TokenizersBackend", "BloomTokenizer", "AutoTokenizer"}
    names -= {"AutoTokenizer"}
    classes: dict[str, Any] = {}
    python = []
    for name in sorted(name if name == "PreTrainedTokenizerFast" else name.removesuffix("Fast") for name in names):
        cls = auto.tokenizer_class_from_name(name)
        if isinstance(cls, type) and issubclass(cls, TokenizersBackend):
            row = describe(cls)
            classes[name] = row if cls.__name__ == name or cls.__name__ not in classes else {"is": cls.__name__}
        elif isinstance(cls, type) or cls is not None:
            python.append(name)
    for name, row in classes.items():  # an alias that came before its class
        if "name" in row and row["name"] != name and row["name"] in classes:
            classes[name] = {"is": row["name"]}
    return classes, python


def main() -> None:
    """Describe every class that a model type or a name can lead to."""
    classes, python = find()
    table = {
        "made_by": "scripts/build_tokenizer_classes.py",
        "transformers": transformers.__version__,
        "by_model_type": {k: v for k, v in sorted(auto.TOKENIZER_MAPPING_NAMES.items()) if v},
        "forced_to_backend": sorted(auto.MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS),
        "backend_names": list(auto.MODEL_IDS_TO_TOKENIZERS_BACKEND),
        "python_classes": sorted(set(python)),
        "classes": classes,
    }
    OUT.write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{len(classes)} classes, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
