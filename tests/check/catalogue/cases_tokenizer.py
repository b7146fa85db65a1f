"""Entries T01 to T19: a tokenizer that is not the model's, cannot read the language, or marks and pads wrongly."""

import random
import unicodedata

from check.catalogue import korean, tokenizers_made
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.folders import Folder, bert, byte_roberta, electra, english_bert, gpt2, llama, qwen2, roberta

CASES: list[Case] = []
case = into(CASES)


@case("T01", "error", "TOK VOC CFG", says=r"\[?(pad|PAD|cls|CLS)")
def special_ids_crossed(world: World, fault: bool) -> Keys:
    """A BERT tokenizer (pad 0, unk 1, cls 2) beside a RoBERTa of the same vocabulary size (cls 0, pad 1, sep 2)."""
    model = roberta()
    return world.classify(model, tokenizer=world.tokenizer(bert() if fault else model))


@case("T02", "error", "VOC", says=r"5,?\d\d\d|row")
def tokenizer_bigger_than_embedding(world: World, fault: bool) -> Keys:
    """The tokenizer has thousands of ids, the embedding 251 rows."""
    model = english_bert()
    rows = korean.english() if not fault else korean.reviews()
    return world.classify(model, rows, tokenizer=world.tokenizer(electra() if fault else model))


@case("T03", "error", "VOC TOK")
def smaller_tokenizer_of_another_vocabulary(world: World, fault: bool) -> Keys:
    """Another vocabulary with fewer ids and other special ids: every id is valid, so nothing fails."""
    other = roberta()
    vocabulary = tokenizers_made.wordpieces(tokenizers_made.KLUE, unused=4, whole=250)
    other.vocabulary, other.tokenizer = vocabulary, tokenizers_made.wordpiece_json(vocabulary, tokenizers_made.KLUE)
    model = electra()
    return world.classify(model, tokenizer=world.tokenizer(other if fault else model))


@case("T04", "error", "TOK", says=r"\d+ ?%|\[UNK\]|Hangul|unk")
def vocabulary_of_another_language(world: World, fault: bool) -> Keys:
    """An English uncased model and its tokenizer, with Korean reviews."""
    rows = korean.reviews(40) if fault else korean.english(40)
    return world.classify(english_bert(), rows)


@case("T04-english-cased", "error", "TOK")
def no_hangul_in_a_pair_task(world: World, fault: bool) -> Keys:
    """A vocabulary with Latin letters only reads Korean questions."""
    model = english_bert() if fault else bert()
    return world.mrc(model)


def _shuffled(folder: Folder) -> Folder:
    """The folder with every ordinary token at another id."""
    other = folder.copy()
    assert other.vocabulary is not None
    ordinary = other.vocabulary[25:]
    random.Random(3).shuffle(ordinary)
    other.vocabulary = other.vocabulary[:25] + ordinary
    other.tokenizer = tokenizers_made.wordpiece_json(other.vocabulary)
    return other


@case("T05", "error", "TOK VOC")
def same_size_other_order(world: World, fault: bool) -> Keys:
    """Same size and same special ids, but other ids for the words."""
    model = bert()
    return world.classify(model, tokenizer=world.tokenizer(_shuffled(model) if fault else model))


@case("T06", "warning", "TOK", says=r"vocab\.txt")
def vocabulary_edited_in_one_file(world: World, fault: bool) -> Keys:
    """Six [unused] slots renamed in vocab.txt only; the fast tokenizer never reads it."""
    model = electra()
    words = ["전기차", "배터리팩", "충전소", "하이브리드", "자율주행", "주행거리"]
    assert model.vocabulary is not None
    place = model.vocabulary.index("[unused3]")
    model.vocabulary[place : place + 6] = words
    if not fault:
        model.tokenizer = tokenizers_made.wordpiece_json(model.vocabulary)
    return world.classify(model)


@case("T07", "error", "TOK", says=r"do_lower_case|lowercase|lower")
def lower_case_on_cased_hangul(world: World, fault: bool) -> Keys:
    """do_lower_case in tokenizer_config.json and tokenizer.json of a cased Hangul vocabulary."""
    model = electra()
    if fault:
        model.tokenizer = tokenizers_made.wordpiece_json(model.vocabulary or [], lower=True)
        model.tokenizer_config = tokenizers_made.wordpiece_config(lower=True)
    return world.classify(model)


@case("T07-keyword", "error", "TOK", says=r"do_lower_case|lowercase|lower")
def lower_case_by_keyword(world: World, fault: bool) -> Keys:
    """do_lower_case=True given to the tokenizer's from_pretrained."""
    return world.mrc(bert(), tokenizer_kwargs={"do_lower_case": fault})


@case("T08", "error", "TOK", says=r"strip_accents")
def strip_accents_on_hangul(world: World, fault: bool) -> Keys:
    """strip_accents alone decomposes every syllable."""
    model = roberta()
    assert model.tokenizer is not None
    assert model.tokenizer_config is not None
    if fault:
        model.tokenizer["normalizer"]["strip_accents"] = True
        model.tokenizer_config["strip_accents"] = True
    return world.tag(model)


@case("T09", "error", "TOK", says=r"do_lower_case|lower")
def class_default_wins_over_the_json(world: World, fault: bool) -> Keys:
    """tokenizer.json does not lower-case, tokenizer_config.json does not say do_lower_case: the class does."""
    model = bert("BertForMaskedLM")
    assert model.tokenizer_config is not None
    if fault:
        del model.tokenizer_config["do_lower_case"]
        del model.tokenizer_config["strip_accents"]
    return world.fill(model)


@case("T10", "error", "DAT TOK", says=r"NFD|NFC|decompos|jamo")
def decomposed_training_text(world: World, fault: bool) -> Keys:
    """The training text is NFD as a Mac wrote it, the evaluation text NFC."""
    train = korean.reviews()
    if fault:
        train = [{**row, "text": unicodedata.normalize("NFD", row["text"])} for row in train]
    return world.classify(electra(), train, korean.reviews(16, start=48))


@case("T11", "error", "TOK CLS", says=r"\[CLS\]|post_processor")
def no_post_processor(world: World, fault: bool) -> Keys:
    """post_processor is null and the class rebuilds none: no [CLS] and [SEP]."""
    model = electra()
    assert model.tokenizer is not None
    assert model.tokenizer_config is not None
    model.tokenizer_config["tokenizer_class"] = "PreTrainedTokenizerFast"
    model.tokenizer_config["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    if fault:
        model.tokenizer["post_processor"] = None
    return world.classify(model)


@case("T12", "note", "CHT TOK", says=r"twice")
def start_token_twice(world: World, fault: bool) -> Keys:
    """The chat template writes <s> and the tokenizer adds it again."""
    model = llama()
    assert model.tokenizer_config is not None
    template = tokenizers_made.INST
    model.tokenizer_config["chat_template"] = template if fault else template.replace("{{ bos_token }}", "")
    return world.chat(model)


@case("T13", "error", "CHT", says=r"<\|turn|<\|close|marker")
def template_markers_are_no_tokens(world: World, fault: bool) -> Keys:
    """The template writes markers that this vocabulary does not have."""
    model = qwen2()
    assert model.tokenizer_config is not None
    if fault:
        template = tokenizers_made.CHATML.replace("<|im_start|>", "<|turn_of|>").replace("<|im_end|>", "<|close_turn|>")
        model.tokenizer_config["chat_template"] = template
    return world.chat(model)


@case("T14", "error", "CHT", says=r"chat_template|chat template")
def no_chat_template(world: World, fault: bool) -> Keys:
    """Chats, but the tokenizer has no template."""
    model = qwen2()
    assert model.tokenizer_config is not None
    if fault:
        del model.tokenizer_config["chat_template"]
    return world.chat(model)


@case("T15", "warning", "TOK CHT TRN LEN", says=r"pad")
def no_pad_token(world: World, fault: bool) -> Keys:
    """A GPT-2 without a pad token, batches of 8."""
    model = gpt2(extra=("<|padding|>",))
    assert model.tokenizer_config is not None
    if not fault:
        model.tokenizer_config["pad_token"] = "<|padding|>"
        model.config["pad_token_id"] = model.ids["<|padding|>"]
    return world.write(model)


@case("T16", "warning", "TOK CHT LAB TRN", says=r"eos|</s>|end")
def pad_is_the_end_token(world: World, fault: bool) -> Keys:
    """pad_token is set to the eos token: the collator hides every end from the loss."""
    model = llama(extra=() if fault else ("<pad>",))
    keys = {"pad_token": "eos_token"} if fault else {}
    return world.write(model, append_eos=True, **keys)


@case("T17", "error", "TOK CFG CLS CHT", says=r"pad")
def decoder_classifier_pads_with_another_id(world: World, fault: bool) -> Keys:
    """config.pad_token_id is 0, the tokenizer pads with another id: the classifier reads a pad token."""
    model = llama()
    if fault:
        model.config["pad_token_id"] = 0
    return world.classify(model)


@case("T18", "warning", "CHT TOK CFG", says=r"eos|<\|im_end\|>")
def three_end_tokens(world: World, fault: bool) -> Keys:
    """The tokenizer ends with <|im_end|>, config.json and generation_config.json with <|endoftext|>."""
    model = qwen2()
    end = model.ids["<|endoftext|>"]
    assert model.generation_config is not None
    if fault:
        model.config["eos_token_id"] = end
        model.generation_config["eos_token_id"] = end
    return world.chat(model)


@case("T19", "warning", "TOK LEN CLS", says=r"padding_side|left")
def left_padding_on_an_encoder(world: World, fault: bool) -> Keys:
    """padding_side is left on an encoder with absolute positions."""
    return world.classify(bert(), tokenizer_kwargs={"padding_side": "left"} if fault else {})


@case("T31", "warning", "TOK LAB", says=r"add_prefix_space")
def split_words_without_prefix_space(world: World, fault: bool) -> Keys:
    """Byte-level BPE with add_prefix_space=false on words that are already split."""
    return world.tag(byte_roberta(), tokenizer_kwargs={"add_prefix_space": not fault})
