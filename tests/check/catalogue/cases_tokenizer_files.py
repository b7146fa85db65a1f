"""Entries T20 to T42: lengths, segments, and tokenizer files that contradict each other or the class that reads them."""

from check.catalogue import korean, tokenizers_made
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.folders import Folder, bert, byte_roberta, electra, roberta

CASES: list[Case] = []
case = into(CASES)


def _long_reviews() -> list[korean.Row]:
    """Reviews, two of them longer than 128 tokens."""
    rows = korean.reviews()
    for number in (29, 41):
        more = " ".join(row["text"] for row in korean.reviews(10, start=64 + number))
        rows[number] = {**rows[number], "text": f"{rows[number]['text']} {more}"}
    return rows


@case("T20", "error", "LEN", says=r"128")
def no_longest_length(world: World, fault: bool) -> Keys:
    """model_max_length is the sentinel 1e30, truncation has no max_length, two rows exceed the 128 positions."""
    model = electra()
    assert model.tokenizer_config is not None
    if fault:
        model.tokenizer_config["model_max_length"] = int(1e30)
    return world.classify(model, _long_reviews(), encode={"truncation": True, "max_length": ...})


@case("T21", "error", "LEN", says=r"512.*128|128.*512")
def tokenizer_length_beyond_positions(world: World, fault: bool) -> Keys:
    """model_max_length 512, 128 positions, and rows in between."""
    model = bert()
    assert model.tokenizer_config is not None
    model.tokenizer_config["model_max_length"] = 512 if fault else 128
    return world.classify(model, _long_reviews(), encode={"truncation": True, "max_length": ...})


@case("T22", "error", "LEN", says=r"128")
def positions_start_after_the_pad_id(world: World, fault: bool) -> Keys:
    """max_length equals max_position_embeddings (130), but RoBERTa's positions start at 2."""
    model = roberta()
    return world.classify(model, _long_reviews(), encode={"max_length": 130 if fault else 128})


@case("T23", "error", "TOK CFG LEN", says=r"token_type|type_vocab_size|segment")
def second_segment_without_a_row(world: World, fault: bool) -> Keys:
    """The tokenizer gives segments 0 and 1 for a pair, the model has one segment row."""
    model = roberta()
    assert model.tokenizer_config is not None
    if fault:
        model.tokenizer = tokenizers_made.wordpiece_json(model.vocabulary or [], tokenizers_made.KLUE)
        del model.tokenizer_config["model_input_names"]
    return world.pairs(model)


@case("T24", "error", "VOC TOK", says=r"<subj>|5,?\d\d\d")
def declared_special_tokens_not_in_vocabulary(world: World, fault: bool) -> Keys:
    """Two more special tokens are declared, but no file gives them an id below the number of rows."""
    model = electra()
    assert model.tokenizer_config is not None
    assert model.special_tokens_map is not None
    if fault:
        more = ["<subj>", "</subj>"]
        model.tokenizer_config["additional_special_tokens"] = more
        model.special_tokens_map["additional_special_tokens"] = more
    return world.classify(model)


@case("T25", "warning", "TOK VOC", says=r"vocab\.txt|twice|duplicate")
def token_twice_in_the_vocabulary_file(world: World, fault: bool) -> Keys:
    """vocab.txt, the only vocabulary file, has one token on two lines."""
    model = bert()
    assert model.vocabulary is not None
    model.tokenizer = None
    if fault:
        model.vocabulary[100] = model.vocabulary[2000]
    return world.classify(model)


@case("T26", "error", "TOK VOC", says=r"unk")
def unknown_token_not_in_vocabulary(world: World, fault: bool) -> Keys:
    """unk_token is <unk>, the WordPiece vocabulary has [UNK]."""
    model = electra()
    if fault:
        assert model.tokenizer is not None
        assert model.tokenizer_config is not None
        assert model.special_tokens_map is not None
        model.tokenizer["model"]["unk_token"] = "<unk>"
        model.tokenizer_config["unk_token"] = model.special_tokens_map["unk_token"] = "<unk>"
    return world.mrc(model)


@case("T27", "warning", "TOK VOC", says=r"added_tokens_decoder")
def added_tokens_contradict_the_vocabulary(world: World, fault: bool) -> Keys:
    """added_tokens_decoder gives [MASK] and [SEP] each other's ids."""
    model = bert()
    assert model.tokenizer_config is not None
    order = list(tokenizers_made.BERT)
    if fault:
        order[3], order[4] = order[4], order[3]
    flags = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}
    model.tokenizer_config["added_tokens_decoder"] = {
        str(number): {"content": token, **flags} for number, token in enumerate(order)
    }
    return world.classify(model)


@case("T28", "error", "TOK", says=r"mask")
def no_mask_token(world: World, fault: bool) -> Keys:
    """Masked language modelling, and the tokenizer has no mask token."""
    model = bert("BertForMaskedLM")
    assert model.tokenizer_config is not None
    assert model.special_tokens_map is not None
    model.tokenizer_config["tokenizer_class"] = "PreTrainedTokenizerFast"
    if fault:
        model.tokenizer_config["mask_token"] = None
        del model.special_tokens_map["mask_token"]
    return world.fill(model)


@case("T30", "error", "TOK", says=r"tokenizer_class|RobertaTokenizer|byte")
def wordpiece_read_by_the_byte_level_class(world: World, fault: bool) -> Keys:
    """A WordPiece vocabulary under model_type roberta, and nothing names BertTokenizer."""
    model = roberta()
    if fault:
        assert model.tokenizer_config is not None
        del model.tokenizer_config["tokenizer_class"]
        del model.config["tokenizer_class"]
    return world.classify(model)


@case("T36", "warning", "TOK DAT", says=r"100|unspaced|space")
def long_runs_without_spaces(world: World, fault: bool) -> Keys:
    """Korean without spaces: runs longer than 100 letters become one [UNK] each."""
    rows = korean.reviews()
    for number in range(0, 48, 3):
        text = f"{rows[number]['text']} {rows[(number + 2) % 48]['text']} {rows[(number + 4) % 48]['text']}"
        rows[number] = {
            **rows[number],
            "text": text.replace(" ", "").replace(",", "").replace(".", "") if fault else text,
        }
    return world.classify(electra(), rows)


@case("T37", "warning", "TOK DAT", says=r"\[UNK\]|unk|outside|not in")
def letters_outside_the_vocabulary(world: World, fault: bool) -> Keys:
    """A third of the rows hold Hanja, emoji and syllables that the vocabulary lacks; the evaluation rows do not."""
    rows = korean.reviews()
    tails = ("정말 뷁스럽고 쀍했어요 😀😀", "大變 滿足 했습니다 👍", "먄 쟎아요 꿻꿻 🥲")
    for number in range(0, 48, 3):
        tail = tails[number // 3 % 3] if fault else "정말 그랬어요"
        rows[number] = {**rows[number], "text": f"{rows[number]['text']} {tail}"}
    return world.classify(bert(), rows, korean.reviews(16, start=48))


@case("T38", "note", "TOK LEN", says=r"truncation|padding|20")
def truncation_baked_into_the_file(world: World, fault: bool) -> Keys:
    """tokenizer.json cuts at 20 and pads to 20 by itself."""
    model = bert()
    assert model.tokenizer is not None
    if fault:
        model.tokenizer["truncation"] = {
            "direction": "Right",
            "max_length": 20,
            "strategy": "LongestFirst",
            "stride": 0,
        }
        pad = {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]", "pad_to_multiple_of": None}
        model.tokenizer["padding"] = {"strategy": {"Fixed": 20}, "direction": "Right", **pad}
    return world.classify(model)


@case("T39", "error", "TOK", says=r"pre_tokenizer|pre-tokenizer|rebuil")
def own_pre_tokenizer_dropped(world: World, fault: bool) -> Keys:
    """tokenizer.json cuts words at ▁ with its own pre-tokenizer; BertTokenizer rebuilds the pipeline without it."""
    model = _metaspace(bert())
    assert model.tokenizer_config is not None
    if not fault:
        model.tokenizer_config["tokenizer_class"] = "PreTrainedTokenizerFast"
        model.tokenizer_config["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    return world.classify(model)


def _metaspace(model: Folder) -> Folder:
    """The folder with pieces that begin with ▁ instead of continuing with ##, and a pre-tokenizer that makes them."""
    assert model.vocabulary is not None
    special = model.vocabulary[:25]
    plain = [token for token in model.vocabulary[25:] if not token.startswith("##")]
    pieces = [*(f"▁{token}" for token in plain if token[0].isalnum()), *plain]
    free = len(model.vocabulary) - len(special) - len(pieces) - 1
    pieces += [f"▁{word}" for word in tokenizers_made.korean_words()[400 : 400 + free]] + ["▁"]
    model.vocabulary = (special + pieces)[: model.config["vocab_size"]]
    model.vocabulary += [f"[spare{number}]" for number in range(model.config["vocab_size"] - len(model.vocabulary))]
    model.tokenizer = tokenizers_made.wordpiece_json(model.vocabulary)
    model.tokenizer["pre_tokenizer"] = {
        "type": "Metaspace",
        "replacement": "▁",
        "prepend_scheme": "always",
        "split": True,
    }
    model.tokenizer["model"]["continuing_subword_prefix"] = ""
    model.tokenizer["decoder"] = model.tokenizer["pre_tokenizer"]
    return model


@case("T40", "error", "TOK CFG LEN VOC", says=r"pad")
def pad_id_moves_the_positions(world: World, fault: bool) -> Keys:
    """config.pad_token_id is 7, the tokenizer pads with 1: RoBERTa's positions start at 8."""
    model = byte_roberta()
    if fault:
        model.config["pad_token_id"] = 7
    return world.classify(model)


@case("T42", "warning", "TOK", says=r"token_type_ids")
def segments_dropped_by_the_plain_class(world: World, fault: bool) -> Keys:
    """A pair task on two segments, but PreTrainedTokenizerFast of transformers 5 gives no token_type_ids."""
    model = bert()
    assert model.tokenizer_config is not None
    model.tokenizer_config["tokenizer_class"] = "PreTrainedTokenizerFast"
    if not fault:
        model.tokenizer_config["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    return world.pairs(model)
