"""Which Python files of a repository an `auto_map` would run, and which model types need none. Runs nothing.

`model_types.json` beside this file is made by scripts/build_model_types.py from transformers 5.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class CodeReference:
    """One entry of an auto_map: `"AutoModel": "org/name--modeling_x.XModel"`.

    Attributes:
        auto_class: "AutoModel", "AutoConfig", "AutoTokenizer", ...
        repository: the hub repository that holds the code; empty: the model's own folder.
        file: "modeling_x.py".
        name: the class in it.
    """

    auto_class: str
    repository: str
    file: str
    name: str

    @property
    def place(self) -> str:
        """`modeling_x.py`, or `org/name/modeling_x.py` when it comes from another repository."""
        return f"{self.repository}/{self.file}" if self.repository else self.file


def code_references(auto_map: Any) -> tuple[CodeReference, ...]:
    """What an `auto_map` of config.json or tokenizer_config.json refers to; what is no reference is passed over.

    >>> code_references({"AutoModel": "modeling_x.XModel"})[0].file
    'modeling_x.py'
    """
    if isinstance(auto_map, list | tuple):  # an old tokenizer_config.json: [slow, fast]
        auto_map = {"AutoTokenizer": list(auto_map)}
    if not isinstance(auto_map, Mapping):
        return ()
    found = []
    for auto_class, stated in auto_map.items():
        for reference in stated if isinstance(stated, list | tuple) else [stated]:
            if isinstance(reference, str) and "." in reference:
                repository, _, local = reference.rpartition("--")
                module, _, name = local.rpartition(".")
                found.append(CodeReference(str(auto_class), repository, module.replace(".", "/") + ".py", name))
    return tuple(found)


@cache
def _known() -> frozenset[str]:
    table = json.loads(Path(__file__).with_name("model_types.json").read_text(encoding="utf-8"))
    return frozenset(table["model_types"])


def is_native(model_type: str | None) -> bool:
    """Whether transformers 5.23 has this model type itself, so that no code of a repository is needed."""
    return model_type in _known()
