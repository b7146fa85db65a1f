"""The X entries of tokenizer files, config values, adapters, chats and sentence encoders."""

import json
from typing import Any

from check.catalogue import korean, tensors, tokenizers_made
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.folders import Folder, bert, electra, gpt2, llama, qwen2, roberta

CASES: list[Case] = []
case = into(CASES)


@case("X01", "warning", "TOK", says=r"special_tokens_map|<pad2>")
def special_tokens_map_disagrees(world: World, fault: bool) -> Keys:
    """special_tokens_map.json names another pad token than tokenizer_config.json."""
    model = llama(extra=("<pad>", "<pad2>"))
    assert model.special_tokens_map is not None
    if fault:
        model.special_tokens_map["pad_token"] = "<pad2>"
    return world.write(model)


@case("X02", "warning", "TOK VOC", says=r"added_tokens\.json|장소")
def old_added_tokens_file(world: World, fault: bool) -> Keys:
    """added_tokens.json holds ids that tokenizer.json lacks."""
    model = electra()
    if fault:
        model.files["added_tokens.json"] = {"[장소]": len(model.ids), "[인물]": len(model.ids) + 1}
    return world.classify(model)


@case("X03", "warning", "TOK", says=r"vocab\.json|merges\.txt")
def bpe_files_differ(world: World, fault: bool) -> Keys:
    """vocab.json is of another training than tokenizer.json."""
    model = _padded_gpt2()
    ids = dict(model.ids)
    if fault:
        first, last = list(ids)[300], list(ids)[700]
        ids[first], ids[last] = ids[last], ids[first]
    model.files |= {"vocab.json": ids, "merges.txt": _merges(model)}
    return world.write(model)


@case("X04", "warning", "TOK VOC", says=r"merge")
def merges_of_another_tokenizer(world: World, fault: bool) -> Keys:
    """Another tokenizer folder with the same vocabulary and its merges in another order."""
    model = _padded_gpt2()
    other = model.copy()
    assert other.tokenizer is not None
    if fault:
        merges = other.tokenizer["model"]["merges"]
        other.tokenizer["model"]["merges"] = merges[200:] + merges[:200]
    return world.write(model, tokenizer=world.tokenizer(other))


def _merges(model: Folder) -> str:
    assert model.tokenizer is not None
    pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in model.tokenizer["model"]["merges"]]
    return "#version: 0.2\n" + "\n".join(pairs) + "\n"


def _padded_gpt2() -> Folder:
    model = gpt2(extra=("<|padding|>",))
    assert model.tokenizer_config is not None
    model.tokenizer_config["pad_token"] = "<|padding|>"
    model.config["pad_token_id"] = model.ids["<|padding|>"]
    return model


@case("X16", "error", "VOC CFG MOD", says=r"vocab_size")
def config_says_fewer_rows(world: World, fault: bool) -> Keys:
    """config.vocab_size is below both the tokenizer and the rows."""
    model = bert()
    if fault:
        model.config["vocab_size"] -= 40
    return world.classify(model)


@case("X20", "error", "CFG MOD", says=r"num_attention_heads")
def heads_do_not_divide(world: World, fault: bool) -> Keys:
    """16 hidden units and 3 heads."""
    return world.classify(electra(), config={"num_attention_heads": 3} if fault else {})


@case("X21", "error", "CFG", says=r"num_hidden_layers|hidden_dropout_prob")
def config_value_is_a_word(world: World, fault: bool) -> Keys:
    """hidden_dropout_prob is the word "0.1"."""
    return world.classify(bert(), config={"hidden_dropout_prob": "0.2" if fault else 0.2})


@case("X22", "error", "CFG", says=r"1\.5|attention_probs_dropout_prob")
def dropout_out_of_range(world: World, fault: bool) -> Keys:
    """A dropout of 1.5 is accepted."""
    return world.classify(electra(), config={"attention_probs_dropout_prob": 1.5 if fault else 0.15})


@case("X22-negative", "error", "CFG", says=r"resid_pdrop")
def dropout_negative(world: World, fault: bool) -> Keys:
    """A dropout of -0.1 in a GPT-2."""
    return world.write(_padded_gpt2(), config={"resid_pdrop": -0.1 if fault else 0.05})


@case("X23", "warning", "CFG LEN", says=r"rope")
def rope_stretched(world: World, fault: bool) -> Keys:
    """rope_scaling of factor 8 given to a model that was not trained with it."""
    scaling = {"rope_scaling": {"rope_type": "linear", "factor": 8.0}}
    return world.write(llama(), config=scaling if fault else {})


@case("X24", "warning", "CFG", says=r"sliding_window")
def sliding_window_switched_on(world: World, fault: bool) -> Keys:
    """use_sliding_window=true with a window of 32."""
    over = {"use_sliding_window": True, "sliding_window": 32, "max_window_layers": 0}
    return world.chat(qwen2(), config=over if fault else {})


@case("X31", "error", "MOD CFG TRN SAF", says=r"quanti|adapter|LoRA|peft")
def quantised_and_fully_trained(world: World, fault: bool) -> Keys:
    """A model loaded in 4 bit is fine-tuned without an adapter."""
    lora = {"r": 16, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}
    keys: dict[str, Any] = (
        {"from_pretrained": {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}}
        if fault
        else {"peft": lora}
    )
    return world.write(llama(), training_args={"learning_rate": 2e-4}, **keys)


@case("X33-folder", "warning", "MOD", says=r"adapter")
def adapter_in_place_of_a_model(world: World, fault: bool) -> Keys:
    """The folder given as the model holds an adapter only."""
    model = llama()
    name = world.put(model)
    folder = world.root / name
    if fault:
        (folder / "model.safetensors").unlink()
        settings = {"peft_type": "LORA", "r": 8, "target_modules": ["q_proj"], "task_type": "CAUSAL_LM"}
        (folder / "adapter_config.json").write_text(
            json.dumps({**settings, "base_model_name_or_path": "someone/a-llama"})
        )
        stem = "base_model.model.model.layers.0.self_attn.q_proj.lora"
        tensors.write(
            folder / "adapter_model.safetensors", {f"{stem}_A.weight": (8, 16), f"{stem}_B.weight": (16, 8)}, zero={}
        )
    return world.write(name)


@case("X35", "note", "VOC", says=r"tie|tied")
def tied_embedding_in_modules_to_save(world: World, fault: bool) -> Keys:
    """Only embed_tokens of a tied model is in modules_to_save."""
    saved = ["embed_tokens"] if fault else ["embed_tokens", "lm_head"]
    lora = {"r": 16, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", "modules_to_save": saved}
    more = {} if fault else {"ensure_weight_tying": True}
    return world.chat(qwen2(), peft={**lora, **more}, training_args={"learning_rate": 2e-4})


@case("X37", "note", "VOC CHT", says=r"<\|im_")
def chat_tokens_of_a_base_model(world: World, fault: bool) -> Keys:
    """The chat tokens of a base model may be untrained, and LoRA on the attention leaves them so."""
    lora = {"r": 16, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}
    name = world.put(qwen2(), "Qwen2-0.5B-base" if fault else "Qwen2-0.5B-Instruct")
    return world.chat(name, peft=lora, training_args={"learning_rate": 2e-4})


@case("X39", "warning", "CHT", says=r"generation")
def template_without_generation(world: World, fault: bool) -> Keys:
    """assistant_only_loss needs {% generation %} in the template."""
    model = qwen2()
    assert model.tokenizer_config is not None
    if not fault:
        model.tokenizer_config["chat_template"] = (
            "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}{% if message['role'] == 'assistant' %}"
            "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{% else %}{{ message['content'] + '<|im_end|>' }}"
            "{% endif %}{{ '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
        )
    return world.chat(model, training_args={"assistant_only_loss": True})


@case("X40", "error", "CHT", says=r"system|System")
def system_turn_refused(world: World, fault: bool) -> Keys:
    """The template refuses a system turn, the rows have one."""
    model = qwen2()
    assert model.tokenizer_config is not None
    refuse = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    model.tokenizer_config["chat_template"] = refuse + tokenizers_made.CHATML
    return world.chat(model, korean.chats(system=fault))


def sentence_encoder(*, mode: str = "mean", longest: int = 96) -> Folder:
    """A BERT saved by sentence-transformers."""
    model = bert("BertModel")
    pooling = {f"pooling_mode_{name}": name == mode for name in ("cls_token", "mean_tokens", "max_tokens")}
    pooling["pooling_mode_mean_tokens"] = mode == "mean"
    pooling["pooling_mode_cls_token"] = mode == "cls"
    model.files |= {
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": 16, **pooling},
        "sentence_bert_config.json": {"max_seq_length": longest, "do_lower_case": False},
    }
    return model


@case("X43", "note", "CLS", says=r"mean|pooling")
def sentence_vector_read_at_cls(world: World, fault: bool) -> Keys:
    """A sentence encoder that pools by the mean is read at [CLS] by a classification head."""
    return world.classify(sentence_encoder()) if fault else world.similar(sentence_encoder(), model_class="AutoModel")


@case("X44", "warning", "CLS LEN", says=r"max_seq_length|256")
def sentence_length_beyond_positions(world: World, fault: bool) -> Keys:
    """sentence_bert_config.json says max_seq_length 256, the model has 128 positions."""
    return world.similar(sentence_encoder(longest=256 if fault else 128), model_class="AutoModel")


@case("X45", "error", "LEN LAB", says=r"stride")
def stride_longer_than_the_window(world: World, fault: bool) -> Keys:
    """Stride 30 with max_length 40 leaves no room beside the question."""
    return world.mrc(
        roberta(), encode={"max_length": 40, "stride": 30 if fault else 8, "return_overflowing_tokens": True}
    )
