"""Entries S02 to S14 and the X entries of their kind: weights and code files that are damaged, stale or not what they say."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

from check.catalogue import tensors
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.folders import Folder, bert, electra, llama, qwen2, roberta

CASES: list[Case] = []
case = into(CASES)


def sharded(model: Folder, folder: Path, *, pieces: int = 3) -> dict[str, str]:
    """Write the weights in `pieces` files and their index; give the weight map."""
    names = list(model.shapes)
    size = len(names) // pieces + 1
    placed: dict[str, str] = {}
    for number in range(pieces):
        file = f"model-{number + 1:05}-of-{pieces:05}.safetensors"
        mine = {name: model.shapes[name] for name in names[number * size : (number + 1) * size]}
        tensors.write(folder / file, mine, zero={})
        placed |= dict.fromkeys(mine, file)
    total = sum(4 * _count(shape) for shape in model.shapes.values())
    _index(folder, placed, total)
    return placed


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for edge in shape:
        count *= edge
    return count


def _index(folder: Path, placed: dict[str, str], total: int) -> None:
    index = {"metadata": {"total_size": total}, "weight_map": placed}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def without_weights(world: World, model: Folder) -> tuple[str, Path]:
    """Write the folder without its weights; give its name and its path."""
    model.weights = False
    name = world.put(model)
    return name, world.root / name


@case("S02", "error", "MOD SAF", says=r"model-00002-of-00003\.safetensors")
def shard_missing(world: World, fault: bool) -> Keys:
    """The second of three shards is absent."""
    model = llama()
    name, folder = without_weights(world, model)
    sharded(model, folder)
    if fault:
        (folder / "model-00002-of-00003.safetensors").unlink()
    return world.write(name)


@case("S03", "error", "MOD SAF", says=r"byte|short|truncated|cut")
def weights_cut_off(world: World, fault: bool) -> Keys:
    """model.safetensors ends before its header says."""
    name = world.put(bert())
    path = world.root / name / "model.safetensors"
    if fault:
        path.write_bytes(path.read_bytes()[:-5000])
    return world.classify(name)


@case("S04", "warning", "MOD SAF", says=r"index|weight_map")
def index_leaves_out_a_tensor(world: World, fault: bool) -> Keys:
    """The index does not name a tensor that a shard holds."""
    model = roberta()
    name, folder = without_weights(world, model)
    placed = sharded(model, folder, pieces=2)
    if fault:
        del placed["roberta.encoder.layer.0.intermediate.dense.weight"]
        _index(folder, placed, sum(4 * _count(shape) for shape in model.shapes.values()))
    return world.classify(name)


@case("S05", "note", "SAF MOD", says=r"modeling_korean")
def code_of_the_repository(world: World, fault: bool) -> Keys:
    """auto_map runs modeling_korean.py of the folder, and the setup allows it."""
    model = bert()
    if fault:
        model.config["auto_map"] = {"AutoModelForSequenceClassification": "modeling_korean.KoreanModel"}
        model.files["modeling_korean.py"] = (
            "import os\nfrom transformers import BertForSequenceClassification as KoreanModel\n"
        )
    return world.classify(model, from_pretrained={"trust_remote_code": True} if fault else {})


@case("S05-refused", "warning", "SAF MOD", says=r"trust_remote_code")
def code_that_is_refused(world: World, fault: bool) -> Keys:
    """A model_type that only the folder's own code knows, and trust_remote_code is not said: loading raises."""
    model = electra()
    if fault:
        model.config |= {"model_type": "ko_mixer", "architectures": ["KoMixer"]}
        model.config["auto_map"] = {
            "AutoConfig": "configuration_mixer.KoConfig",
            "AutoModelForSequenceClassification": "modeling_mixer.KoMixer",
        }
        model.files |= {"configuration_mixer.py": "class KoConfig: ...\n", "modeling_mixer.py": "class KoMixer: ...\n"}
    return world.classify(model)


class _Runs:
    """What runs when it is unpickled."""

    def __reduce__(self) -> Any:
        import os

        return os.system, ("true",)


@case("S06", "warning", "SAF MOD", says=r"system|pickle|pytorch_model\.bin")
def pickle_that_runs_code(world: World, fault: bool) -> Keys:
    """Weights only as a pickle, which calls os.system when loaded."""
    model = electra()
    if fault:
        name, folder = without_weights(world, model)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(_Runs(), protocol=2))
            archive.writestr("archive/version", "3\n")
        (folder / "pytorch_model.bin").write_bytes(content.getvalue())
        return world.classify(name)
    return world.classify(model)


@case("S07", "warning", "SAF MOD", says=r"pytorch_model\.bin")
def two_formats_differ(world: World, fault: bool) -> Keys:
    """A newer pytorch_model.bin of other shapes lies beside model.safetensors, which wins."""
    import torch  # writes a real pickle; only this case needs it

    model = bert()
    name = world.put(model)
    rows = 4 if fault else 0
    state = {key: torch.zeros(shape) for key, shape in model.shapes.items()}
    key = "bert.embeddings.word_embeddings.weight"
    state[key] = torch.zeros(model.shapes[key][0] + rows, 16)
    torch.save(state, world.root / name / "pytorch_model.bin")
    return world.classify(name)


@case("S09", "error", "MOD", says=r"module\.")
def saved_from_a_wrapper(world: World, fault: bool) -> Keys:
    """All tensor names begin with module., so nothing loads."""
    model = roberta()
    if fault:
        model.shapes = {f"module.{name}": shape for name, shape in model.shapes.items()}
    return world.classify(model)


@case("S09-lightning", "error", "MOD", says=r"model\.|net\.|prefix|nothing|none")
def saved_from_lightning(world: World, fault: bool) -> Keys:
    """All tensor names begin with encoder_model., as a LightningModule saved them."""
    model = bert()
    if fault:
        model.shapes = {f"encoder_model.{name}": shape for name, shape in model.shapes.items()}
    return world.mrc(model)


@case("S10", "error", "TOK VOC", says=r"vocab\.txt|row")
def blank_line_in_the_vocabulary(world: World, fault: bool) -> Keys:
    """vocab.txt, the only vocabulary file, has a blank line: every later id is one too high."""
    model = electra()
    assert model.vocabulary is not None
    model.tokenizer = None
    if fault:
        model.vocabulary = [*model.vocabulary[:700], "", *model.vocabulary[700:]]
    return world.classify(model)


@case("S10-same-number", "note", "TOK", says=r"vocab\.txt.*\b701\b|\b701\b")
def blank_line_and_as_many_lines_as_rows(world: World, fault: bool) -> Keys:
    """The same, but there are as many lines as rows: it may have been trained so."""
    model = electra()
    assert model.vocabulary is not None
    model.tokenizer = None
    if fault:
        model.vocabulary = [*model.vocabulary[:700], "", *model.vocabulary[700:-1]]
    return world.classify(model)


@case("S11", "error", "MOD", says=r"layer|encoder")
def layer_absent(world: World, fault: bool) -> Keys:
    """The tensors of layer 0 are absent while config.json says two layers."""
    model = electra()
    if fault:
        model.shapes = {name: shape for name, shape in model.shapes.items() if "encoder.layer.0." not in name}
    return world.mrc(model)


@case("S12", "error", "MOD SAF", says=r"LFS|pointer")
def weights_are_a_pointer(world: World, fault: bool) -> Keys:
    """model.safetensors is a git-lfs pointer."""
    name = world.put(roberta())
    if fault:
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4be1' * 16}\nsize 442515984\n"
        world.text(pointer, f"{name}/model.safetensors")
    return world.classify(name)


@case("S13", "error", "CFG MOD", says=r"model_type")
def no_model_type(world: World, fault: bool) -> Keys:
    """config.json has no model_type."""
    model = electra()
    if fault:
        del model.config["model_type"]
    return world.classify(model)


@case("S14", "error", "MOD SAF", says=r"header")
def huge_header(world: World, fault: bool) -> Keys:
    """The header claims 2^41 bytes."""
    name = world.put(bert())
    path = world.root / name / "model.safetensors"
    if fault:
        path.write_bytes(struct.pack("<Q", 1 << 41) + path.read_bytes()[8:])
    return world.classify(name)


@case("S-html", "error", "MOD SAF", says=r"HTML|page")
def weights_are_a_web_page(world: World, fault: bool) -> Keys:
    """model.safetensors is the error page of a failed download."""
    name = world.put(electra())
    if fault:
        world.text(
            "<!DOCTYPE html><html><head><title>429 Too Many Requests</title></head></html>\n" * 40,
            f"{name}/model.safetensors",
        )
    return world.classify(name)


@case("X60", "note", "SAF", says=r"revision")
def remote_code_of_a_floating_revision(world: World, fault: bool) -> Keys:
    """trust_remote_code with code of another repository, without a code_revision."""
    model = qwen2()
    model.config["auto_map"] = {"AutoModelForCausalLM": "someone/else--modeling_own.OwnModel"}
    more = {} if fault else {"code_revision": "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678"}
    return world.chat(model, from_pretrained={"trust_remote_code": True, **more})


@case("X61", "warning", "MOD SAF", says=r"twice|two|both|both shards|model-0000")
def tensor_in_two_shards(world: World, fault: bool) -> Keys:
    """A tensor lies in two shards."""
    model = llama()
    name, folder = without_weights(world, model)
    placed = sharded(model, folder, pieces=2)
    if fault:
        file = "model-00002-of-00002.safetensors"
        mine = {key: model.shapes[key] for key, where in placed.items() if where == file}
        tensors.write(folder / file, {**mine, "model.norm.weight": (16,)}, zero={})
    return world.write(name)


@case("X62", "note", "CFG TRN SAF MOD", says=r"9\.1\.0|transformers_version")
def written_by_a_newer_transformers(world: World, fault: bool) -> Keys:
    """config.json was written by transformers 9.1.0."""
    model = bert()
    if fault:
        model.config["transformers_version"] = "9.1.0"
    return world.classify(model)
