"""Entries V01 to V10 and the X entries of their kind: added words, resized rows, LoRA, and rows that were never trained."""

from typing import Any

from check.catalogue import korean, tokenizers_made
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.folders import bert, electra, gpt2, llama, qwen2, roberta

CASES: list[Case] = []
case = into(CASES)
WORDS = ["펫시터", "글램핑존", "북스테이", "쑥라떼"]


@case("V01", "error", "VOC", says=r"resize|5,?\d\d\d")
def added_without_resize(world: World, fault: bool) -> Keys:
    """Four words added, the embedding not resized."""
    rows = [{**row, "text": f"{WORDS[number % 4]} {row['text']}"} for number, row in enumerate(korean.reviews())]
    return world.classify(bert(), rows, add_tokens=WORDS, **({} if fault else {"resize": True}))


@case("V02", "error", "VOC", says=r"resize|row|44|train\.jsonl")
def added_without_resize_and_rare(world: World, fault: bool) -> Keys:
    """The added word occurs in the last row only: the crash comes late."""
    rows = korean.reviews()
    rows[-1] = {**rows[-1], "text": f"도예공방 {rows[-1]['text']}"}
    return world.classify(electra(), rows, add_tokens=["도예공방"], **({} if fault else {"resize": True}))


@case("V03", "warning", "VOC", says=r"2,?048|shrink")
def resize_shrinks_a_padded_embedding(world: World, fault: bool) -> Keys:
    """A resize to len(tokenizer) throws away the spare rows of a padded embedding."""
    model = qwen2(rows=2048)
    return world.chat(model, add_tokens=["<ref>", "</ref>"], resize=True if fault else 2048)


@case("V04", "warning", "VOC TOK", says=r"집")
def added_word_splits_others(world: World, fault: bool) -> Keys:
    """The added word 집 is cut out of 국밥집, 빵집 and 찻집."""
    return world.classify(bert(), add_tokens=["집" if fault else "구옥리모델링"], resize=True)


@case("V05", "note", "VOC", says=r"already")
def added_word_was_there(world: World, fault: bool) -> Keys:
    """A word to add is in the vocabulary already."""
    there = list(tokenizers_made.korean_words()[3:5])
    return world.classify(bert(), add_tokens=there if fault else ["구옥리모델링", "도예공방"], resize=True)


@case("V06", "error", "VOC", says=r"row")
def saved_tokenizer_ahead_of_weights(world: World, fault: bool) -> Keys:
    """The saved tokenizer holds four added tokens, the saved checkpoint has no rows for them."""
    model = electra()
    rows = len(model.ids)
    if not fault:
        model = electra(vocab_size=rows + len(WORDS))
    model.tokenizer = _with_words(model.tokenizer, rows)
    return world.classify(model)


def _with_words(tokenizer: dict[str, Any] | None, rows: int) -> dict[str, Any]:
    """The tokenizer with the four words added after its `rows` ids."""
    assert tokenizer is not None
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": False}
    more = [{"id": rows + number, "content": word, **flags} for number, word in enumerate(WORDS)]
    return {**tokenizer, "added_tokens": [*tokenizer["added_tokens"], *more]}


LORA = {"r": 16, "lora_alpha": 32, "task_type": "CAUSAL_LM"}


@case("V07", "error", "VOC", says=r"modules_to_save|trainable_token_indices|embed")
def new_rows_frozen_by_lora(world: World, fault: bool) -> Keys:
    """LoRA with added tokens, and nothing trains their rows."""
    more = {} if fault else {"modules_to_save": ["embed_tokens", "lm_head"]}
    lora = {**LORA, "target_modules": ["q_proj", "v_proj"], **more}
    rows = [{"text": f"<장소> {row['text']}"} for row in korean.plain()]
    args = {"learning_rate": 2e-4}
    return world.write(llama(), rows, add_tokens=["<장소>", "<인물>"], resize=True, peft=lora, training_args=args)


@case("V08", "error", "VOC", says=r"q_proj|c_attn")
def lora_names_absent_modules(world: World, fault: bool) -> Keys:
    """target_modules q_proj and v_proj are not the names of a GPT-2 (c_attn)."""
    model = gpt2(extra=("<|padding|>",))
    assert model.tokenizer_config is not None
    model.tokenizer_config["pad_token"] = "<|padding|>"
    model.config["pad_token_id"] = model.ids["<|padding|>"]
    lora = {**LORA, "target_modules": ["q_proj", "v_proj"] if fault else ["c_attn"]}
    return world.write(model, peft=lora, training_args={"learning_rate": 2e-4})


@case("V08-encoder", "error", "VOC", says=r"query|q_lin")
def lora_names_absent_in_an_encoder(world: World, fault: bool) -> Keys:
    """target_modules q_lin and v_lin are DistilBERT's, this is RoBERTa (query, value)."""
    lora = {"r": 8, "task_type": "SEQ_CLS", "target_modules": ["q_lin", "v_lin"] if fault else ["query", "value"]}
    return world.classify(roberta(), peft=lora, training_args={"learning_rate": 2e-4})


@case("V09", "error", "VOC CFG MOD", says=r"vocab_size")
def vocab_size_set_by_hand(world: World, fault: bool) -> Keys:
    """vocab_size was set to len(tokenizer) after three words were added, the weights were not resized."""
    model = bert()
    rows = len(model.ids)
    if fault:
        model.tokenizer = _with_words(model.tokenizer, rows)
        model.config["vocab_size"] = rows + len(WORDS)
    return world.classify(model)


@case("V10", "warning", "VOC TOK DAT", says=r"\[subj\]|\[/subj\]|\[obj\]|marker")
def markers_never_added(world: World, fault: bool) -> Keys:
    """Every row has entity markers that were never added: each falls into pieces."""
    names = korean.names(48)
    rows = []
    for number, row in enumerate(names):
        words = row["tokens"]
        text = f"[subj]{words[0]}[/subj] {words[1]} [obj]{words[2]}[/obj] {' '.join(words[3:])}"
        rows.append({"text": text, "label": number % 2})
    marks = ["[subj]", "[/subj]", "[obj]", "[/obj]"]
    return world.classify(roberta(), rows, **({} if fault else {"add_special_tokens": marks, "resize": True}))


@case("X14", "note", "VOC TOK DAT", says=r"unused")
def unused_slots_typed_in_the_text(world: World, fault: bool) -> Keys:
    """[unused3] is written in the rows, but it is no special token: it falls into pieces."""
    rows = [{**row, "text": f"[unused3] {row['text']} [unused4]"} for row in korean.reviews()]
    more = {} if fault else {"add_special_tokens": ["[unused3]", "[unused4]"]}
    return world.classify(bert(), rows, **more)


@case("X32", "warning", "VOC TRN", says=r"task_type|classifier|modules_to_save")
def lora_head_not_saved(world: World, fault: bool) -> Keys:
    """LoRA on a classifier without task_type: the new head is frozen and not saved."""
    lora = {"r": 8, "target_modules": ["query", "value"], **({} if fault else {"task_type": "SEQ_CLS"})}
    return world.classify(bert(), peft=lora, training_args={"learning_rate": 2e-4})
