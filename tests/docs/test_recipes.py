"""The recipes: both commands read them; with the real tokenizers two steps are trained with each, and the table is true."""

import json
import re
import shutil
from contextlib import chdir, nullcontext
from pathlib import Path
from typing import Any

import pytest

from played_pages import played
from pretune.demo import sample, story

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "recipes.md").read_text("utf-8")
FILES = dict(re.findall(r"```(?:toml|python)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
TRAINED = ("klue-bert.toml", "klue-roberta.toml", "koelectra.toml", "kobert.toml")
TOKENIZERS = ("klue-bert-base-reconstructed", "klue-roberta-base", "koelectra-base-v3", "kcbert-base", "kobert")
"""Of the columns of the table."""


class StoppedError(Exception):
    """The recipe is there; nothing is trained."""


@pytest.mark.parametrize("name", TRAINED)
def test_train_understands_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file makes a recipe of the task that it says."""
    from pretune.train.cli import command

    def run(recipe: Any, **_: Any) -> None:
        raise StoppedError(recipe.setup.task)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pretune.train.run.run", run)
    monkeypatch.setattr("pretune.train.knocks.told", lambda *_: nullcontext())
    Path(name).write_text(FILES[name], "utf-8")
    with pytest.raises(StoppedError) as stopped:
        command.main([name], standalone_mode=False)
    assert f'task = "{stopped.value}"' in FILES[name]


def test_every_file_has_its_tests() -> None:
    """The page has no file that the tests here do not run."""
    assert set(FILES) == {*TRAINED, "lora.toml", "lora.py"}


def test_check_understands_the_adapter(tmp_path: Path) -> None:
    """The setup of LoRA is one, and the script beside it is read without a remark on its arguments."""
    from pretune.check.sources.setup_file import read_setup_file
    from pretune.check.sources.setup_keys import setup_from

    (tmp_path / "lora.toml").write_text(FILES["lora.toml"], "utf-8")
    setup = setup_from(read_setup_file(tmp_path / "lora.toml"))
    assert setup.peft["r"] == 16
    compile(FILES["lora.py"], "lora.py", "exec")


@pytest.fixture
def lora(shared_assets: Path, tmp_path: Path) -> Path:
    """A folder with both files and some talks, where the model's name is a folder with the real tokenizer."""
    model = tmp_path / "Qwen" / "Qwen3-0.6B"
    model.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(shared_assets / "tokenizers/qwen3" / name, model / name)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    sizes |= {"num_key_value_heads": 1, "head_dim": 8, "vocab_size": 151_936, "tie_word_embeddings": True}
    said = {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "eos_token_id": 151_645}
    (model / "config.json").write_text(json.dumps(said | sizes), "utf-8")
    shutil.copyfile(sample.dev().with_name("chat.jsonl"), tmp_path / "talks.jsonl")
    for name in ("lora.toml", "lora.py"):
        (tmp_path / name).write_text(FILES[name], "utf-8")
    return tmp_path


@pytest.mark.slow
def test_both_are_checked(lora: Path) -> None:
    """The commands of the page read the setup and the script."""
    (block,) = [one for one in re.findall(r"```console\n.*?```", PAGE, re.DOTALL) if "lora.toml" in one]
    printed: dict[str, str] = {}
    played(block, lora, printed=printed)
    assert len(printed) == 2


@pytest.mark.slow
def test_the_adapter_is_trained(lora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script runs to its end, with a tiny model under the name of the page's."""
    pytest.importorskip("trl")
    transformers = pytest.importorskip("transformers")
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(lora / name))
    model = lora / "Qwen" / "Qwen3-0.6B"
    transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(model)).save_pretrained(model)
    on_cpu = FILES["lora.py"].replace("bf16=True,", "bf16=True, use_cpu=True,")
    (lora / "lora.py").write_text(on_cpu, "utf-8")
    played("```console\n$ python lora.py\n```\n", lora)
    assert list(lora.glob("lora/checkpoint-*/adapter_model.safetensors"))


def column(row: str) -> list[str]:
    """The cells of a row of the table, but its first."""
    (found,) = re.findall(rf"^\| {re.escape(row)}[^|]* \| (.*) \|$", PAGE, re.MULTILINE)
    return [cell.strip().strip("*") for cell in found.split("|")]


@pytest.mark.slow
def test_the_table_is_true(shared_assets: Path, tmp_path: Path) -> None:
    """Entries, free slots, positions and special ids are those of the files."""
    from pretune.artifacts.source import locate
    from pretune.artifacts.tokenizer import read_tokenizer
    from pretune.tokens.kobert import import_kobert
    from pretune.tokens.spare import spare_slots

    for place, name in enumerate(TOKENIZERS):
        folder = shared_assets / "tokenizers" / name
        config = json.loads((folder / "config.json").read_text("utf-8")) if (folder / "config.json").exists() else {}
        if name == "kobert":
            import_kobert(folder, tmp_path / "kobert")
            folder = tmp_path / "kobert"
        tokenizer = read_tokenizer(locate(str(folder)))
        ids = {
            token: next(n for n, one in tokenizer.tokens.items() if one == token)
            for token in ("[CLS]", "[SEP]", "[PAD]")
        }
        assert column("entries")[place] == f"{len(tokenizer.tokens):,}"
        assert column("free slots")[place] == str(len(spare_slots(str(folder))))
        assert column("`[CLS]`")[place] == " ".join(map(str, ids.values()))
        if config and "roberta" not in name:
            assert column("positions")[place] == str(config["max_position_embeddings"])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tokenizer"), list(zip(TRAINED, (*TOKENIZERS[:3], "kobert"), strict=True)))
def test_two_steps(
    name: str, tokenizer: str, shared_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe trains a tiny model with the real tokenizer and config, on the demo's sample; the check lets it."""
    import torch
    import transformers

    from pretune.cli import main

    for variable in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    with chdir(tmp_path):
        source = shared_assets / "tokenizers" / tokenizer
        made = Path("model")
        if tokenizer == "kobert":
            with pytest.raises(SystemExit) as end:
                main(["tokens", "import-kobert", str(source), "--out", str(made)])
            assert end.value.code == 0
        else:
            shutil.copytree(source, made)
        config = json.loads((source / "config.json").read_text("utf-8"))
        small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
        small |= {"embedding_size": 16} if "embedding_size" in config else {}
        (made / "config.json").write_text(json.dumps(config | small), "utf-8")
        torch.manual_seed(0)
        transformers.AutoModel.from_config(transformers.AutoConfig.from_pretrained(made)).save_pretrained(made)
        story._by_language()  # korean.json
        story._by_language(sample.dev(), "-dev")
        text = re.sub(r'^model = ".*"$', 'model = "model"', FILES[name], flags=re.MULTILINE)
        train, dev = ("korean.json", "korean-dev.json")
        if name == "kobert.toml":
            train, dev = ("ratings_train.txt", "ratings_test.txt")
            for file, first in ((train, 0), (dev, 64)):
                rows = "".join(
                    f"{n}\t{'좋은' if n % 2 else '나쁜'} 영화 {n}편\t{n % 2}\n" for n in range(first, first + 64)
                )
                Path(file).write_text("id\tdocument\tlabel\n" + rows, "utf-8")
        text = re.sub(r'^train = ".*"$', f'train = "{train}"', text, flags=re.MULTILINE)
        text = re.sub(r'^eval = ".*"$', f'eval = "{dev}"', text, flags=re.MULTILINE)
        Path(name).write_text(text, "utf-8")
        with pytest.raises(SystemExit) as end:
            main(["check", name])
        assert end.value.code == 0
        with pytest.raises(SystemExit) as end:
            main(["train", name, "--max-steps", "2", "--preset", "fast", "--knock", "desktop"])
        assert end.value.code == 0
