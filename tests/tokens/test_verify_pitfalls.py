"""Each of the 23 pitfalls as a user falls into it with transformers, and a clean twin that is silent."""

import json
import shutil
import unicodedata

import pytest

from pretune.tokens.verify import optimizer_faults, verify
from tokens.placed import folder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tokens.verified import bert, edit, loaded, names, pitfalls, saved  # noqa: E402 - needs both

AddedToken = transformers.AddedToken
KOREAN = ("국회의원", "국회", "코로나", "##19", "##는", "##은", "##의", "##에서", "##의원", "는", "은", "의", "에서")
ENGLISH = (
    "recovery",
    "discovered",
    "cover",
    "cat",
    "re",
    "##y",
    "disc",
    "##over",
    "##ed",
    "education",
    "dog",
    "s",
    "##s",
)


def resized(model, tokenizer):
    """The model with a row an id, the new rows and biases given values of their own."""
    rows = model.config.vocab_size
    model.resize_token_embeddings(len(tokenizer))
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight[rows:].normal_(0, 0.05)
        model.cls.predictions.bias[rows:] = -3
    return model


def tokenizer_of(path, name):
    """A made tokenizer of a family, loaded by transformers."""
    return transformers.AutoTokenizer.from_pretrained(folder(path, name))


def test_01_ids_without_rows(tmp_path):
    """add_tokens and no resize; with the resize there is nothing to say of rows."""
    source = bert(tmp_path / "m")
    tokenizer, model = loaded(source)
    tokenizer.add_tokens(["<ent>"], special_tokens=True)
    assert ("id-without-row", 1) in names(saved(tmp_path / "bad", tokenizer, model))
    good = saved(tmp_path / "good", tokenizer, resized(model, tokenizer))
    assert names(good) == names(good, source) == set()


def test_02_a_padded_table_is_cut(tmp_path):
    """resize(len(tokenizer)) where there were more rows; kept, nothing is said."""
    source = bert(tmp_path / "m", padded=64)
    tokenizer, model = loaded(source)
    tokenizer.add_tokens(["<ent>"], special_tokens=True)
    good = saved(tmp_path / "good", tokenizer, model)
    model.resize_token_embeddings(len(tokenizer))
    assert ("table-shrunk", 2) in names(saved(tmp_path / "bad", tokenizer, model), source)
    assert names(good, source) == set()


def test_03_vocab_size_set_by_hand(tmp_path):
    """The config says more rows than there are; then ignore_mismatched_sizes makes the table anew."""
    source = bert(tmp_path / "m")
    tokenizer, model = loaded(source)
    model.config.vocab_size += 1
    bad = saved(tmp_path / "bad", tokenizer, model)
    assert ("size-misstated", 3) in names(bad)
    anew = transformers.BertForMaskedLM.from_pretrained(bad, ignore_mismatched_sizes=True)
    assert ("table-reinitialised", 3) in names(saved(tmp_path / "anew", tokenizer, anew), source)
    assert names(source, source) == set()


def test_03_a_row_that_was_there_changed(tmp_path):
    """One row is an error; all of them a little is training, a note."""
    source = bert(tmp_path / "m")
    tokenizer, model = loaded(source)
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight[200] += 1
    assert ("rows-changed", 3) in names(saved(tmp_path / "one", tokenizer, model), source)
    tokenizer, model = loaded(source)
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight *= 1.01
    assert names(saved(tmp_path / "all", tokenizer, model), source) == set()


def test_04_new_output_biases_are_zero(tmp_path):
    """What resize_token_embeddings leaves a tied bias at."""
    source = bert(tmp_path / "m")
    tokenizer, model = loaded(source)
    tokenizer.add_tokens([f"<e{n}>" for n in range(10)], special_tokens=True)
    model.resize_token_embeddings(len(tokenizer))
    bad = saved(tmp_path / "bad", tokenizer, model)
    assert ("output-bias-zero", 4) in names(bad)
    assert ("output-bias-zero", 4) in names(bad, source)
    with torch.no_grad():
        model.cls.predictions.bias[-10:] = -3
    assert names(saved(tmp_path / "good", tokenizer, model)) == set()


@pytest.mark.parametrize("words", [["hospitalization", "kwargs"], ["hospitalization"]])
def test_05_rows_that_say_nothing(tmp_path, words):
    """The mean of all rows for every word, or for one; with rows of their own there is nothing to say."""
    old = bert(tmp_path / "old")
    source = bert(tmp_path / "m", words=words)
    tokenizer, model = transformers.AutoTokenizer.from_pretrained(source), loaded(old)[1]
    model.resize_token_embeddings(len(tokenizer))
    with torch.no_grad():
        model.cls.predictions.bias[-len(words) :] = -3
    assert names(saved(source, model), old) == {("rows-say-nothing", 5)}
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight[-len(words) :].normal_(0, 0.05)
    assert names(saved(source, model), old) == set()


@pytest.mark.parametrize("tied", [True, False])
def test_06_an_optimizer_from_before(tmp_path, tied):
    """AdamW made, and used, before the resize; made after it, nothing is said."""
    _, model = loaded(bert(tmp_path / "m", config={"tie_word_embeddings": tied}))
    early = torch.optim.AdamW(model.parameters())
    assert optimizer_faults(model, early) == ()
    model(input_ids=torch.tensor([[5, 6]]), labels=torch.tensor([[5, 6]])).loss.backward()
    early.step()
    assert optimizer_faults(model, early) == ()
    model.resize_token_embeddings(model.config.vocab_size + 3)
    found = optimizer_faults(model, early)
    assert {fault.pitfall for fault in found} == {6}
    assert {fault.name for fault in found} >= {"optimizer-state-does-not-fit"}
    assert ("optimizer-holds-old-table" in {fault.name for fault in found}) is not tied
    assert optimizer_faults(model, torch.optim.AdamW(model.parameters())) == ()


def test_06_frozen_tables_are_no_fault(tmp_path):
    """Nor is an optimizer of other parameters."""
    _, model = loaded(bert(tmp_path / "m"))
    model.bert.embeddings.word_embeddings.weight.requires_grad_(requires_grad=False)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad])
    model.resize_token_embeddings(model.config.vocab_size + 3)
    assert optimizer_faults(model, optimizer) == ()
    assert optimizer_faults(model, torch.optim.SGD([torch.nn.Parameter(torch.zeros(2, 2))])) == ()


def test_07_case(tmp_path):
    """COVID in an uncased tokenizer: two paths, dead twins, one spelling alone."""
    tokenizer = tokenizer_of(tmp_path / "m", "wordpiece-uncased")
    tokenizer.add_tokens(["COVID", "Covid"])
    found = names(saved(tmp_path / "twins", tokenizer), tmp_path / "m")
    assert found >= {("two-paths", 7), ("dead-token", 7)}
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "m")
    tokenizer.add_tokens([AddedToken("COVID", normalized=False)])
    assert ("one-spelling", 7) in names(saved(tmp_path / "exact", tokenizer))
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "m")
    tokenizer.add_tokens([AddedToken("covid", single_word=True)])
    assert 7 not in pitfalls(saved(tmp_path / "good", tokenizer))


def test_07_an_entry_that_is_never_chosen(tmp_path):
    """A word in a Unigram vocabulary by hand with the lowest score."""
    source = folder(tmp_path / "m", "unigram")
    bad = folder(tmp_path / "bad", "unigram")
    spec = json.loads((bad / "tokenizer.json").read_text(encoding="utf-8"))
    spec["model"]["vocab"].append(["▁hospitalization", -1e6])
    (bad / "tokenizer.json").write_text(json.dumps(spec), encoding="utf-8")
    assert ("dead-token", 7) in names(bad, source)


def test_08_words_are_cut(tmp_path):
    """`cat` and `cover`, both entries, are added: recovery, discovered and education are no longer one token."""
    source = bert(tmp_path / "m", words=ENGLISH)
    tokenizer, model = loaded(source)
    assert tokenizer.add_tokens(["cat", "cover"]) == 2
    assert len(tokenizer) == model.config.vocab_size
    bad = saved(tmp_path / "bad", tokenizer, model)
    assert ("words-cut", 8) in names(bad)
    assert ("words-cut", 8) in names(bad, source)
    encoder = tokenizer.backend_tokenizer
    assert encoder.encode("recovery", add_special_tokens=False).tokens[:2] == ["re", "cover"]
    tokenizer, model = loaded(source)
    tokenizer.add_tokens([AddedToken("cat", single_word=True), AddedToken("cover", single_word=True)])
    assert 8 not in pitfalls(saved(tmp_path / "good", tokenizer, model), source)


def test_09_particles(tmp_path):
    """는 loses its ##; a word that must stand alone is not found before it."""
    source = bert(tmp_path / "m", words=KOREAN)
    tokenizer, model = loaded(source)
    tokenizer.add_tokens(["코로나19", "의원"])
    bad = saved(tmp_path / "bad", tokenizer, resized(model, tokenizer))
    assert names(bad) >= {("ending-torn-off", 9), ("words-cut", 8)}
    tokenizer, model = loaded(source)
    tokenizer.add_tokens([AddedToken("코로나19", single_word=True)])
    assert ("hidden-by-particle", 9) in names(saved(tmp_path / "alone", tokenizer, resized(model, tokenizer)))
    good = bert(tmp_path / "good", words=(*KOREAN, "코로나19", "의원"))
    assert names(good) == set()


@pytest.mark.parametrize("name", ["unigram", "llama2", "gpt2"])
def test_09_11_12_other_families(tmp_path, name):
    """A lone space token before the word; a special token in the same place is no fault."""
    tokenizer = tokenizer_of(tmp_path / "m", name)
    tokenizer.add_tokens([AddedToken("hospitalization", normalized=False)])
    found = names(saved(tmp_path / "bad", tokenizer), tmp_path / "m")
    assert ("lone-space", 11 if name == "gpt2" else 12) in found
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "m")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<ent>"]})
    assert names(saved(tmp_path / "good", tokenizer), tmp_path / "m") == set()


@pytest.mark.parametrize(("name", "form", "pitfall"), [("gpt2", "Ġhospital", 11), ("unigram", "▁hospital", 12)])
def test_11_12_forms_that_never_match(tmp_path, name, form, pitfall):
    """A token spelled as the vocabulary spells its entries."""
    tokenizer = tokenizer_of(tmp_path / "m", name)
    tokenizer.add_tokens([AddedToken(form, normalized=False)])
    assert ("marked-form", pitfall) in names(saved(tmp_path / "bad", tokenizer))


def test_10_decomposed(tmp_path):
    """A token in NFD is never what people type; in NFC it is."""
    source = bert(tmp_path / "m", words=KOREAN)
    tokenizer, model = loaded(source)
    tokenizer.add_tokens([AddedToken(unicodedata.normalize("NFD", "의원"), normalized=False)])
    assert ("decomposed", 10) in names(saved(tmp_path / "bad", tokenizer, resized(model, tokenizer)))
    tokenizer, model = loaded(source)
    tokenizer.add_tokens(["의원"])
    assert 10 not in pitfalls(saved(tmp_path / "good", tokenizer, resized(model, tokenizer)))


def test_12_a_space_is_swallowed(tmp_path):
    """With lstrip the ids are right, and decoding then lacks the space."""
    tokenizer = tokenizer_of(tmp_path / "m", "gpt2")
    tokenizer.add_tokens([AddedToken("hospitalization", lstrip=True)])
    assert ("space-lost", 11) in names(saved(tmp_path / "bad", tokenizer))


def test_13_a_slot_used_as_a_marker(tmp_path):
    """[unused5] is trained and text never reaches it; added as a special token it does."""
    source = bert(tmp_path / "m", words=[f"[unused{n}]" for n in range(8)])
    tokenizer, model = loaded(source)
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight[tokenizer.convert_tokens_to_ids("[unused5]")] += 1
    bad = saved(tmp_path / "bad", tokenizer, model)
    assert names(bad, source) == {("marker-is-split", 13)}
    tokenizer.add_special_tokens({"additional_special_tokens": ["[unused5]"]})
    assert names(saved(tmp_path / "good", tokenizer, model), source) == set()


def test_13_in_a_chat_template(tmp_path):
    """A slot that stands in the template; and one that only special_tokens_map.json names, which is not read."""
    source = bert(tmp_path / "m", words=[f"[unused{n}]" for n in range(8)])
    edit(source / "tokenizer_config.json", chat_template="{{ '[unused3]' + messages[0].content }}")
    assert names(source) == {("marker-is-split", 13)}
    edit(source / "tokenizer_config.json", chat_template=..., added_tokens_decoder={})
    assert names(source) == set()
    (source / "special_tokens_map.json").write_text(json.dumps({"additional_special_tokens": ["<ent>"]}))
    assert names(source) == {("marker-is-split", 13)}


def test_14_two_tokens_with_one_id(tmp_path):
    """Somebody popped entries; add_tokens counts on from the number of those left."""
    source = bert(tmp_path / "m", words=("[unused0]", "[unused1]", "alpha", "beta"))
    spec = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    whole = dict(spec["model"]["vocab"])
    for name in ("[unused0]", "[unused1]"):
        spec["model"]["vocab"].pop(name)
    (source / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    assert names(source) == set()
    tokenizer, model = loaded(source)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<ent>"]})
    assert tokenizer.convert_tokens_to_ids("<ent>") == whole["alpha"]
    assert ("id-shared", 14) in names(saved(tmp_path / "bad", tokenizer, model))


def test_14_an_entry_is_overwritten(tmp_path):
    """The name of an entry that text reaches is replaced by hand; that of a slot may be."""
    source = bert(tmp_path / "m", words=("[unused0]", "alpha", "beta"))
    for number, entry in enumerate(("alpha", "[unused0]")):
        out = tmp_path / str(number)
        shutil.copytree(source, out)
        spec = json.loads((out / "tokenizer.json").read_text(encoding="utf-8"))
        spec["model"]["vocab"]["gamma"] = spec["model"]["vocab"].pop(entry)
        (out / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
        assert (("entry-overwritten", 14) in names(out, source)) is (entry == "alpha")


def test_15_words_that_must_stand_alone_overlap(tmp_path):
    """`New` is passed over in `New Yorkers` because `New York` is longer."""
    source = bert(tmp_path / "m", words=ENGLISH)
    tokenizer, model = loaded(source)
    tokenizer.add_tokens([AddedToken("New", single_word=True), AddedToken("New York", single_word=True)])
    assert ("single-word-overlap", 15) in names(saved(tmp_path / "bad", tokenizer, resized(model, tokenizer)))
    tokenizer, model = loaded(source)
    tokenizer.add_tokens([AddedToken("New", single_word=True), AddedToken("York", single_word=True)])
    assert 15 not in pitfalls(saved(tmp_path / "good", tokenizer, resized(model, tokenizer)))


def test_16_special_tokens_are_lost(tmp_path):
    """add_special_tokens replaces the list that was there, unless told not to."""
    source = bert(tmp_path / "plain")
    tokenizer, model = loaded(source)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<a>", "<b>"]})
    source = saved(tmp_path / "m", tokenizer, resized(model, tokenizer))
    tokenizer, model = loaded(source)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<c>"]})
    bad = saved(tmp_path / "bad", tokenizer, resized(model, tokenizer))
    assert names(bad, source) & {("special-token-lost", 16), ("special-token-unlisted", 16)}
    tokenizer, model = loaded(source)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<c>"]}, replace_extra_special_tokens=False)
    assert names(saved(tmp_path / "good", tokenizer, resized(model, tokenizer)), source) == set()


def test_17_roles_set_late(tmp_path):
    """A new cls_token that the post-processor does not know, a new pad_token that the config does not."""
    source = bert(tmp_path / "m")
    tokenizer, model = loaded(source)
    tokenizer.add_special_tokens({"cls_token": "[START]", "pad_token": "[EMPTY]"})
    bad = saved(tmp_path / "bad", tokenizer, resized(model, tokenizer))
    assert names(bad) >= {("role-not-in-template", 17), ("role-id", 17)}
    tokenizer, model = loaded(source)
    tokenizer.add_special_tokens({"pad_token": "[EMPTY]"})
    model = resized(model, tokenizer)
    model.config.pad_token_id = tokenizer.pad_token_id
    assert 17 not in pitfalls(saved(tmp_path / "good", tokenizer, model))


def test_17_the_template_changed(tmp_path):
    """Nothing stands around a text any more, or another id."""
    source = bert(tmp_path / "m")
    shutil.copytree(source, tmp_path / "bad")
    edit(tmp_path / "bad" / "tokenizer.json", post_processor=None)
    assert names(tmp_path / "bad", source) == {("template-changed", 17)}
    spec = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    spec["post_processor"]["special_tokens"]["[CLS]"]["ids"] = [77]
    edit(tmp_path / "bad" / "tokenizer.json", post_processor=spec["post_processor"])
    assert ("template-id", 17) in names(tmp_path / "bad")


def test_18_special_tokens_in_user_text(tmp_path):
    """A note where there are further special tokens; none where they are cut, or there are none."""
    source = bert(tmp_path / "m")
    assert 18 not in pitfalls(source)
    tokenizer, model = loaded(source)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<ent>"]})
    found = verify(saved(tmp_path / "note", tokenizer, resized(model, tokenizer)))
    assert [(fault.name, fault.level) for fault in found.faults] == [("special-in-user-text", "note")]
    edit(tmp_path / "note" / "tokenizer_config.json", split_special_tokens=True)
    assert 18 not in pitfalls(tmp_path / "note")


def test_19_one_word_becomes_two(tmp_path):
    """What shifts the labels of words; an entry in the vocabulary does not."""
    source = bert(tmp_path / "m", words=ENGLISH)
    tokenizer, model = loaded(source)
    tokenizer.add_tokens(["hospital"])
    bad = saved(tmp_path / "bad", tokenizer, resized(model, tokenizer))
    assert ("word-ids-split", 19) in names(bad)
    assert names(bert(tmp_path / "good", words=(*ENGLISH, "hospital"))) == set()


def test_20_ids_in_another_order(tmp_path):
    """The same tokens in the order of another run; and another id than pretune wrote down."""
    from pretune.tokens.adding import plan

    source = bert(tmp_path / "m")
    made = []
    for order in (["<a>", "<b>"], ["<b>", "<a>"], ["<a>", "<b>"]):
        tokenizer, model = loaded(source)
        tokenizer.add_special_tokens({"additional_special_tokens": order})
        made.append(saved(tmp_path / str(len(made)), tokenizer, resized(model, tokenizer)))
    assert ("id-moved", 20) in names(made[1], made[0])
    assert ("id-moved", 20) not in names(made[2], made[0])
    plan(source, ["quickfox", "hospitalization"]).apply(tmp_path / "out")
    assert names(tmp_path / "out") == set()
    spec = json.loads((tmp_path / "out" / "tokenizer.json").read_text(encoding="utf-8"))
    table = spec["model"]["vocab"]
    table["quickfox"], table["hospitalization"] = table["hospitalization"], table["quickfox"]
    edit(tmp_path / "out" / "tokenizer.json", model=spec["model"])
    assert ("id-moved", 20) in names(tmp_path / "out")


def test_20_old_text_moves(tmp_path):
    """The normaliser was lost on the way."""
    source = folder(tmp_path / "m", "wordpiece-uncased")
    bad = folder(tmp_path / "bad", "wordpiece-uncased")
    edit(bad / "tokenizer.json", normalizer=None)
    assert ("old-text-moved", 20) in names(bad, source)


def test_21_a_stale_vocabulary_file(tmp_path):
    """vocab.txt from before the edit; the same lines as tokenizer.json are silent."""
    source = bert(tmp_path / "m", words=("quickfox",))
    table = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    lines = sorted(table, key=table.get)
    (source / "vocab.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert names(source) == set()
    (source / "vocab.txt").write_text("".join(f"{line}\n" for line in lines[:-1]), encoding="utf-8")
    assert names(source) == {("vocabulary-files-disagree", 21)}
    (source / "vocab.txt").write_text("".join(f"{line}\n" for line in lines[::-1]), encoding="utf-8")
    assert names(source) == {("vocabulary-files-disagree", 21)}


def test_22_an_adapter_with_full_tables(tmp_path):
    """LoRA after a resize stores both tables and fits no base; without them it does."""
    peft = pytest.importorskip("peft")
    source = bert(tmp_path / "m")
    tokenizer, model = loaded(source)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<ent>"]})
    lora = peft.LoraConfig(r=2, target_modules=["query"])
    small = peft.get_peft_model(loaded(source)[1], lora)
    small.save_pretrained(tmp_path / "good")
    assert names(tmp_path / "good", source) == set()
    big = peft.get_peft_model(resized(model, tokenizer), peft.LoraConfig(r=2, target_modules=["query"]))
    big.save_pretrained(tmp_path / "bad", save_embedding_layers=True)
    tokenizer.save_pretrained(tmp_path / "bad")
    assert ("adapter-does-not-fit", 22) in names(tmp_path / "bad", source)
    assert ("adapter-does-not-fit", 22) in names(tmp_path / "bad")  # adapter_config.json names the base's folder
    small.save_pretrained(tmp_path / "full", save_embedding_layers=True)
    assert names(tmp_path / "full", source) == {("adapter-holds-tables", 22)}


def test_23_padding_in_the_file(tmp_path):
    """A note, for those who use the tokenizers library itself."""
    source = bert(tmp_path / "m")
    assert 23 not in pitfalls(source)
    edit(
        source / "tokenizer.json",
        truncation={"direction": "Right", "max_length": 128, "strategy": "LongestFirst", "stride": 0},
    )
    assert [(fault.name, fault.level) for fault in verify(source).faults] == [("baked-truncation", "note")]
