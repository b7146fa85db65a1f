"""KoBERT's sentencepiece model becomes a folder that plain transformers loads, with sentencepiece's own ids."""

import gzip
import json
import random
import subprocess
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pretune.artifacts.sentencepiece_model import Piece, PieceType, parse
from pretune.core.errors import UserError
from pretune.tokens.adding import plan, suggested
from pretune.tokens.kobert import import_kobert
from pretune.tokens.kobert_check import compare
from pretune.tokens.kobert_cli import command
from tokens.sentencepiece_made import SPECIALS, made_model, pieces

ODD_LINES = (
    "", " ", "\t\n", "  나다  가 ", "....", "나다 .....", "가가....각", "00000 000", "ㅋㅋㅋㅋㅋ", "😀", "나😀😀다 😀",
    "1,000원~", "가" * 5000, ". " * 3000, "......" * 500, "\u200b", "a\x00b", "한국어 모델을 공유합니다.",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder imported from a small made model."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "small.spiece").write_bytes(made_model())
    import_kobert(folder / "small.spiece", folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def kobert(shared_assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder imported from the real file."""
    out = tmp_path_factory.mktemp("kobert") / "out"
    import_kobert(shared_assets / "tokenizers/kobert", out)
    return out


def _lines(assets: Path, *, step: int) -> Iterator[str]:
    """Every `step`th line of the Korean corpora, those with runs of one character all."""
    for path in sorted((assets / "corpora/ko").iterdir()):
        if path.name == "SOURCE.txt":
            continue
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for at, line in enumerate(data.decode().split("\n")):
            if at % step == 0 or ("...." in line and at % 3 == 0):
                yield line


def test_files(made: Path) -> None:
    """What transformers needs is written, and the model itself; no config is made up."""
    assert {path.name for path in made.iterdir()} == {
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "spiece.model", "pretune_tokens.json",
    }  # fmt: skip
    assert (made / "spiece.model").read_bytes() == made_model()


def test_what_is_told(tmp_path: Path) -> None:
    """The result names its files, entries, special tokens and what is missing."""
    (tmp_path / "small.model").write_bytes(made_model())
    found = import_kobert(tmp_path, tmp_path / "out")
    assert found.entries == len(pieces())
    assert dict(found.specials) == {"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
    assert found.files == ("special_tokens_map.json", "spiece.model", "tokenizer.json", "tokenizer_config.json")
    assert found.notes == ("there is no config.json: load the model from its own folder",)


def test_twice_gives_the_same_bytes(tmp_path: Path, made: Path) -> None:
    """The same import over an earlier result changes no byte."""
    (tmp_path / "small.model").write_bytes(made_model())
    for _ in range(2):
        import_kobert(tmp_path / "small.model", tmp_path / "out")
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "spiece.model"):
        assert (tmp_path / "out" / name).read_bytes() == (made / name).read_bytes()


def test_config_and_weights_are_carried(tmp_path: Path) -> None:
    """config.json and weights beside the model come along as they are; what does not fit is noted."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "small.model").write_bytes(made_model())
    (source / "config.json").write_text(
        '{"model_type": "bert", "vocab_size": 8002, "pad_token_id": 0, "max_position_embeddings": 128}'
    )
    (source / "pytorch_model.bin").write_bytes(b"weights")
    found = import_kobert(source, tmp_path / "out")
    assert {"config.json", "pytorch_model.bin"} <= set(found.files)
    assert (tmp_path / "out/config.json").read_bytes() == (source / "config.json").read_bytes()
    assert (tmp_path / "out/pytorch_model.bin").read_bytes() == b"weights"
    assert json.loads((tmp_path / "out/tokenizer_config.json").read_text())["model_max_length"] == 128
    assert found.notes == (
        f"config.json has vocab_size 8002, the tokenizer {len(pieces())} ids",
        "config.json has pad_token_id 0, the tokenizer 1",
    )


def test_sharded_weights(tmp_path: Path) -> None:
    """An index brings its shards, and one that is missing is said before anything is written."""
    (tmp_path / "small.model").write_bytes(made_model())
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": len(pieces())}))
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "m-1.safetensors"}}')
    with pytest.raises(UserError, match=r"m-1\.safetensors does not exist, though the weights' index names it"):
        import_kobert(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "m-1.safetensors").write_bytes(b"1")
    assert "m-1.safetensors" in import_kobert(tmp_path, tmp_path / "out").files


def _saved(tokens: list[str], **keys: Any) -> dict[str, Any]:
    return {"idx_to_token": tokens, "token_to_idx": {token: at for at, token in enumerate(tokens)}, **keys}


def test_saved_vocabulary(tmp_path: Path) -> None:
    """A vocabulary that gluonnlp saved gives the ids; further special tokens of it are special."""
    tokens = [piece.text for piece in pieces()]
    order = [*reversed(tokens), "[EXTRA]"]
    (tmp_path / "small.model").write_bytes(made_model())
    (tmp_path / "kobertvocab_f38b8a4d6d.json").write_text(json.dumps(_saved(order, reserved_tokens=["[EXTRA]"])))
    found = import_kobert(tmp_path / "small.model", tmp_path / "out")
    tokenizer = Tokenizer.from_file(str(tmp_path / "out/tokenizer.json"))
    assert found.specials["[EXTRA]"] == len(tokens)
    assert "spiece.model" not in found.files
    assert tokenizer.encode("나다", add_special_tokens=False).ids == [order.index("▁나"), order.index("다")]
    assert tokenizer.encode("나[EXTRA]").ids[2:] == [len(tokens), order.index("[SEP]")]


def test_special_tokens_that_the_model_lacks_come_last(tmp_path: Path) -> None:
    """As gluonnlp does, in its order: [MASK], [SEP], [CLS], [PAD]."""
    rows = (SPECIALS[0], *pieces()[5:])
    (tmp_path / "small.model").write_bytes(made_model(rows))
    found = import_kobert(tmp_path / "small.model", tmp_path / "out")
    last = len(rows)
    assert dict(found.specials) == {"[UNK]": 0, "[MASK]": last, "[SEP]": last + 1, "[CLS]": last + 2, "[PAD]": last + 3}


@pytest.mark.parametrize(
    ("vocabulary", "said"),
    [
        ({}, "is no saved gluonnlp vocabulary: idx_to_token must be a list of tokens"),
        ([], "is no saved gluonnlp vocabulary"),
        (
            _saved(["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"]),
            "lacks 31 pieces of the sentencepiece model, such as '▁'",
        ),
        (
            _saved([piece.text for piece in pieces()] + ["x"]),
            "has 1 tokens that the sentencepiece model never gives, such as 'x'",
        ),
        ({"idx_to_token": ["a", "a"]}, "has the token 'a' more than once"),
        ({"idx_to_token": ["a", "b"], "token_to_idx": {"a": 1, "b": 0}}, "gives 'a' two ids"),
        (_saved([piece.text for piece in pieces()], cls_token="[CLZ]"), "has no [CLZ], which is KoBERT's cls_token"),
        (_saved([piece.text for piece in pieces()], cls_token="[SEP]"), "has one token for two roles"),
    ],
)
def test_vocabularies_that_do_not_fit(tmp_path: Path, vocabulary: object, said: str) -> None:
    """A vocabulary of another model, or a broken one, is refused in a sentence."""
    (tmp_path / "small.model").write_bytes(made_model())
    (tmp_path / "v.json").write_text(json.dumps(vocabulary))
    with pytest.raises(UserError) as caught:
        import_kobert(tmp_path / "small.model", tmp_path / "out", vocabulary=tmp_path / "v.json")
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no sentencepiece model"),
        (made_model(kind=2), "it is a BPE model, not Unigram"),
        (made_model([*pieces(), Piece("x", 0.0, PieceType.UNUSED)]), "it has unused or byte pieces"),
        (made_model(charsmap=b"\xff\xff\xff\x00"), "its trie runs past its end"),
        (made_model([*pieces(), pieces()[-1]]), "has the token '지도' more than once"),
    ],
)
def test_models_that_are_not_kobert(tmp_path: Path, data: bytes, said: str) -> None:
    """Another kind of model is refused in a sentence, and nothing is written."""
    (tmp_path / "small.model").write_bytes(data)
    with pytest.raises(UserError) as caught:
        import_kobert(tmp_path, tmp_path / "out")
    assert said in caught.value.message
    assert not (tmp_path / "out").exists()


def test_where_the_model_lies(tmp_path: Path) -> None:
    """A folder without a model, with two, and none at all are said to be so."""
    with pytest.raises(UserError, match="does not exist"):
        import_kobert(tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(UserError, match="holds no sentencepiece model"):
        import_kobert(tmp_path, tmp_path / "out")
    for name in ("a.model", "b.spiece"):
        (tmp_path / name).write_bytes(made_model())
    with pytest.raises(UserError, match=r"holds 2 sentencepiece models: a\.model, b\.spiece"):
        import_kobert(tmp_path, tmp_path / "out")


def test_odd_lines_have_sentencepieces_ids(made: Path) -> None:
    """Empty, blank, unknown, long and repeating lines: the same ids as the package gives."""
    pytest.importorskip("sentencepiece")
    assert compare(made, ODD_LINES).differing == 0


@given(
    st.lists(st.sampled_from([*"가나다각을미0.ㅋ?~,1ab 😀\t", "...", "합니다", " 모델", "00", "지도"]), max_size=200)
)
def test_any_line_has_sentencepieces_ids(made: Path, parts: list[str]) -> None:
    """Lines of known and unknown pieces, with many ways to be cut into the same pieces."""
    pytest.importorskip("sentencepiece")
    assert compare(made, ["".join(parts)]).differing == 0


def test_ids_outlive_saving(made: Path, tmp_path: Path) -> None:
    """A tokenizer that is loaded and saved again has the scores to the last bit."""
    Tokenizer.from_file(str(made / "tokenizer.json")).save(str(tmp_path / "again.json"))
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads((made / "tokenizer.json").read_text())


def test_command(tmp_path: Path) -> None:
    """The command says what it wrote, and compares."""
    (tmp_path / "small.model").write_bytes(made_model())
    (tmp_path / "lines.txt").write_text("나다 ....\n가 [MASK] 나\n", encoding="utf-8")
    asked = [str(tmp_path / "small.model"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(command, asked)
    assert done.exit_code == 0, done.output
    assert "36 entries; [UNK] 0  [PAD] 1  [CLS] 2  [SEP] 3  [MASK] 4" in done.stdout
    assert "note: there is no config.json" in done.stderr
    pytest.importorskip("sentencepiece")
    done = CliRunner().invoke(command, [*asked, "--compare", str(tmp_path / "lines.txt")])
    assert done.exit_code == 1
    assert "2 lines compared with sentencepiece: 1 with other ids" in done.stdout
    assert "1: hold a special token such as [MASK] as text" in done.stdout


def test_example_of_kobert(kobert: Path) -> None:
    """The sentence of KoBERT's own page has the ids it has there."""
    tokenizer = Tokenizer.from_file(str(kobert / "tokenizer.json"))
    wanted = [4958, 6855, 2046, 7088, 1050, 7843, 54]
    assert tokenizer.encode("한국어 모델을 공유합니다.", add_special_tokens=False).ids == wanted
    assert tokenizer.get_vocab_size() == 8002


def test_korean_corpora(kobert: Path, shared_assets: Path) -> None:
    """A sample of the corpora's lines, and a third of those with runs of dots: the same ids (bench has all lines)."""
    pytest.importorskip("sentencepiece")
    found = compare(kobert, _lines(shared_assets, step=40))
    assert found.lines > 8000
    assert found.differing == 0


HINT_CASES = (
    ("tokenizer_config.json", {"tokenizer_class": "KoBertTokenizer"}),
    ("tokenizer_config.json", {"tokenizer_class": "Nobodys"}),
)


@pytest.mark.parametrize(("name", "content"), HINT_CASES)
def test_a_kobert_folder_is_refused_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: object
) -> None:
    """Where tokens are to be added to it as it is: by the class that it names, or by its sentencepiece model."""
    (tmp_path / "config.json").write_text('{"model_type": "bert", "vocab_size": 300}')
    (tmp_path / "spiece.model").write_bytes(made_model())
    monkeypatch.setattr("pretune.tokens.kobert_hint.ENTRIES", len(parse(made_model(), name="m").pieces))
    (tmp_path / name).write_text(json.dumps(content))
    for call in (lambda: plan(tmp_path, ["국회의원"]), lambda: suggested(tmp_path, ["국회의원 국회의원"])):
        with pytest.raises(UserError) as refused:
            call()
        assert f"pretune tokens import-kobert {tmp_path}" in refused.value.hint


@pytest.mark.slow
def test_korean_corpora_whole(kobert: Path, shared_assets: Path) -> None:
    """Every line of the Korean corpora: the same ids."""
    pytest.importorskip("sentencepiece")
    found = compare(kobert, _lines(shared_assets, step=1))
    assert (found.lines > 350_000, found.differing) == (True, 0)


def test_hostile_lines(kobert: Path, shared_assets: Path) -> None:
    """Seeded lines of any characters, Hangul in every form, pieces, white space and long joins: the same ids."""
    pytest.importorskip("sentencepiece")
    some = random.Random(7)
    real = list(_lines(shared_assets, step=400))
    every = [
        chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000 and not unicodedata.combining(chr(code))
    ]
    hangul = [
        chr(code)
        for first, last in ((0x1100, 0x1200), (0x3131, 0x318F), (0x3200, 0x3280), (0xFFA0, 0xFFDD))
        for code in range(first, last)
    ]
    words = list(Tokenizer.from_file(str(kobert / "tokenizer.json")).get_vocab())
    hard = [word for word in words if word[0] != "["]
    lines: list[str] = []
    for _ in range(1500):
        lines += [
            "".join(some.choices(every, k=some.randrange(9))),
            "".join(
                some.choice(hangul) if some.random() < 0.6 else chr(some.randrange(0xAC00, 0xD7A4)) for _ in range(12)
            ),
            "".join(some.choices(hard, k=some.randrange(25))),
            unicodedata.normalize("NFD", some.choice(real)),
            "".join(some.choice([*".ㅋ0?!~～ 가\t9", "www", "지", "사ㄳ"]) * some.randrange(1, 20) for _ in range(6)),
        ]
    lines += ["▁모델▁을", "\u200b가", "～~", "ㄷㅔ ㄱㅡ", "사ㄳ", "﻿가"]
    lines += [
        "".join(f"{word}{letter}" for word in some.choices(real, k=30) for letter in some.choices(every))
        for _ in range(60)
    ]
    assert compare(kobert, lines).differing == 0


def _between(codes: Iterable[int]) -> Iterator[str]:
    return (f"가{chr(code)}나 {chr(code)}" for code in codes if not 0xD800 <= code < 0xE000)


def test_characters(kobert: Path) -> None:
    """Characters of Unicode between two syllables, all that a map is likely to name: the same ids."""
    pytest.importorskip("sentencepiece")
    codes = {*range(1, 0x3400), *range(0xF900, 0x10000), *range(1, 0x110000, 97), *map(ord, "\U0001f23b㋿힣ꟲ🅬")}
    assert compare(kobert, _between(sorted(codes))).differing == 0


@pytest.mark.slow
def test_every_character(kobert: Path) -> None:
    """Each character of Unicode between two syllables: the same ids."""
    pytest.importorskip("sentencepiece")
    assert compare(kobert, _between(range(1, 0x110000))).differing == 0


def test_marks_out_of_order_may_differ(kobert: Path) -> None:
    """What docs/kobert.md says of combining marks: in canonical order the same ids, out of it not always."""
    pytest.importorskip("sentencepiece")
    assert compare(kobert, ["가\u0327\u0301", "e\u0301 각\u0308"]).differing == 0
    assert compare(kobert, ["가\u0301\u0327"]).differing == 1


def test_plain_transformers(kobert: Path, tmp_path: Path) -> None:
    """AutoTokenizer loads it where neither sentencepiece nor gluonnlp can be imported: ids, pairs, offsets, decoding."""
    code = f"""
import sys
for name in ("sentencepiece", "gluonnlp", "mxnet"):
    sys.modules[name] = None
from transformers import AutoTokenizer, PreTrainedTokenizerFast
for cls in (AutoTokenizer, PreTrainedTokenizerFast):
    for folder in ({str(kobert)!r}, {str(tmp_path / "again")!r}):
        t = cls.from_pretrained(folder)
        assert (len(t), t.model_max_length, t.padding_side) == (8002, 512, "right")
        assert (t.unk_token_id, t.pad_token_id, t.cls_token_id, t.sep_token_id, t.mask_token_id) == (0, 1, 2, 3, 4)
        pair = t("한국어 모델을", "공유합니다.")
        assert pair.input_ids == [2, 4958, 6855, 2046, 7088, 3, *t("공유합니다.").input_ids[1:]]
        assert pair.token_type_ids == [0] * 6 + [1] * (len(pair.input_ids) - 6)
        text = "  재즈적 취향이  강한\\t1,000원 각ㄳ 😀."
        e = t(text, return_offsets_mapping=True, add_special_tokens=False)
        spans = [text[a:b].strip() for a, b in e.offset_mapping]
        assert [s for s in spans if s] == ["재", "즈", "적", "취", "향", "이", "강한", "1,000", "원", "각", "ㄳ", "😀", "."], spans
        assert t.convert_tokens_to_ids(t.tokenize(text)) == e.input_ids
        plain = "한국어 모델을 공유합니다. 1,000원"
        assert t.decode(t(plain).input_ids, skip_special_tokens=True) == plain
        assert t("").input_ids == [2, 3]
        assert t("수도는 [MASK] 이다").input_ids.count(4) == 1
        t.save_pretrained({str(tmp_path / "again")!r})
"""
    pytest.importorskip("transformers")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
