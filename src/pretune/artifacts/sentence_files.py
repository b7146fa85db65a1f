"""What a folder says of sentence vectors: the files of sentence-transformers. read_sentence_files, SentenceFiles.

Reads modules.json, the Pooling module's config.json and sentence_bert_config.json, each of which may be missing or
unreadable: no training reads them. What the model itself declares (classifier_pooling, summary_type) is in its config.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.json_file import read_json
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.artifacts.source import Source

MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""sentence-transformers' older switches -> their names in version 6, in the order in which vectors are joined."""


@dataclass(frozen=True, slots=True)
class SentenceFiles:
    """What the files say.

    Attributes:
        declared: whether the folder declares a pooling at all.
        file: the pooling file, `1_Pooling/config.json`; empty without one.
        modes: modes that it switches on; empty when it declares none, or is silent about all.
        switched: it speaks of modes, be they all off.
        width: the token vectors' width by that file; None when it is silent.
        width_key: the key that says so.
        max_seq_length: sentence_bert_config.json's; None without it.
    """

    declared: bool = False
    file: str = ""
    modes: tuple[str, ...] = ()
    switched: bool = False
    width: int | None = None
    width_key: str = "word_embedding_dimension"
    max_seq_length: int | None = None


def read_sentence_files(source: Source) -> SentenceFiles:
    """Read what there is; a file that is missing or broken says nothing."""
    folder = _pooling_folder(source)
    file = f"{folder}/config.json" if folder else ""
    told = _object(source, file)
    key = "embedding_dimension" if "embedding_dimension" in told else "word_embedding_dimension"
    return SentenceFiles(
        declared=folder is not None,
        file=file,
        modes=_modes(told),
        switched="pooling_mode" in told or any(name in told for name in MODES),
        width=_whole(told.get(key)),
        width_key=key,
        max_seq_length=_whole(_object(source, "sentence_bert_config.json").get("max_seq_length")),
    )


def _whole(value: Any) -> int | None:
    """A positive whole number, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62 else None


def _modes(told: Mapping[str, Any]) -> tuple[str, ...]:
    """The modes that are on, by either way to say so."""
    named = told.get("pooling_mode")  # sentence-transformers 6: one name, or a list of them
    if isinstance(named, str):
        return (named,)
    if isinstance(named, list):
        return tuple(map(str, named))
    return tuple(mode for key, mode in MODES.items() if told.get(key) is True)


def _pooling_folder(source: Source) -> str | None:
    """The folder of the Pooling module, by modules.json, else 1_Pooling."""
    modules = _read(source, "modules.json")
    for module in modules if isinstance(modules, list) else ():
        if isinstance(module, Mapping) and str(module.get("type", "")).endswith("Pooling"):
            path = str(module.get("path", ""))
            if path and source.has(f"{path}/config.json"):
                return path
    return "1_Pooling" if source.has("1_Pooling/config.json") else None


def _object(source: Source, name: str) -> Mapping[str, Any]:
    """A file's JSON object; an empty one where there is none."""
    value = _read(source, name) if name else {}
    return value if isinstance(value, Mapping) else {}


def _read(source: Source, name: str) -> Any:
    """The JSON of a file that need not be there, nor be readable."""
    try:
        return read_json(source, name) if source.has(name) else None
    except UserError:
        return None
