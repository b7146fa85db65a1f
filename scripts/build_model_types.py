"""Write artifacts/model_types.json: the model types for which the installed transformers has a config class of its own.

python scripts/build_model_types.py
"""

import json
from pathlib import Path

import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

OUT = Path(__file__).resolve().parent.parent / "src" / "pretune" / "artifacts" / "model_types.json"

if __name__ == "__main__":
    table = {
        "made_by": "scripts/build_model_types.py",
        "transformers": transformers.__version__,
        "model_types": sorted(CONFIG_MAPPING_NAMES),
    }
    OUT.write_text(json.dumps(table, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
