"""Entries C01 to C34: edits of the config, classes and keywords that do not fit the checkpoint, the labels or the data."""

from check.catalogue import korean
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.folders import Folder, bert, byte_roberta, electra, gpt2, llama, qwen2, roberta

CASES: list[Case] = []
case = into(CASES)


@case("C01", "warning", "CFG MOD", says=r"num_attention_heads.*(8|4)")
def other_number_of_heads(world: World, fault: bool) -> Keys:
    """num_attention_heads 4 -> 8 fits every shape and computes another attention."""
    return world.classify(electra(), config={"num_attention_heads": 8} if fault else {})


@case("C01-update", "warning", "CFG MOD", says=r"num_attention_heads")
def other_number_of_heads_by_update(world: World, fault: bool) -> Keys:
    """The same by config.update."""
    return world.mrc(bert(), config_update={"num_attention_heads": 2} if fault else {})


@case("C02", "error", "MOD CFG", says=r"hidden_size|24.*16|16.*24")
def hidden_size_disagrees_with_weights(world: World, fault: bool) -> Keys:
    """config.json says hidden_size 24, the tensors have 16."""
    model = roberta()
    if fault:
        model.config["hidden_size"] = 24
    return world.classify(model)


@case("C03", "error", "MOD CFG", says=r"num_hidden_layers|layer")
def more_layers_than_saved(world: World, fault: bool) -> Keys:
    """num_hidden_layers 2 -> 3: one layer starts at random."""
    return world.classify(electra(), config={"num_hidden_layers": 3} if fault else {})


@case("C03-decoder", "error", "MOD CFG", says=r"n_layer|num_hidden_layers|layer")
def more_decoder_layers_than_saved(world: World, fault: bool) -> Keys:
    """n_layer 2 -> 5 in a GPT-2's config.json."""
    model = _padded_gpt2()
    if fault:
        model.config["n_layer"] = 5
    return world.write(model)


@case("C04", "warning", "MOD CFG", says=r"num_hidden_layers|layer")
def fewer_layers_than_saved(world: World, fault: bool) -> Keys:
    """num_hidden_layers 2 -> 1: a trained layer is left out."""
    return world.mrc(bert(), config={"num_hidden_layers": 1} if fault else {})


@case("C05", "warning", "CFG", says=r"hidden_act")
def other_activation(world: World, fault: bool) -> Keys:
    """hidden_act gelu -> silu."""
    return world.classify(roberta(), config={"hidden_act": "silu"} if fault else {})


@case("C06", "warning", "CFG", says=r"layer_norm_eps")
def coarse_layer_norm(world: World, fault: bool) -> Keys:
    """layer_norm_eps 1e-12 -> 0.05."""
    return world.classify(bert(), config={"layer_norm_eps": 0.05} if fault else {})


@case("C07", "error", "MOD CFG", says=r"ignore_mismatched_sizes|intermediate")
def body_reinitialised(world: World, fault: bool) -> Keys:
    """intermediate_size 48 -> 64 with ignore_mismatched_sizes: every feed-forward starts at random."""
    config = {"config": {"intermediate_size": 64}} if fault else {}
    return world.classify(electra(), from_pretrained={"ignore_mismatched_sizes": True} if fault else {}, **config)


@case("C13", "error", "CFG", says=r"hidden_dropout_pr[^o]|classifier_droput|did you mean|classifier_dropout")
def misspelt_config_key(world: World, fault: bool) -> Keys:
    """classifier_droput is no config key (classifier_dropout): it has no effect."""
    return world.classify(bert(), config={"classifier_droput" if fault else "classifier_dropout": 0.3})


@case("C13-labels", "error", "CFG", says=r"num_label[^s]|num_labels")
def misspelt_number_of_labels(world: World, fault: bool) -> Keys:
    """num_label=4 is no config key (num_labels)."""
    rows = [{**row, "label": number % 4} for number, row in enumerate(korean.reviews())]
    return world.classify(electra(), rows, config={"num_label" if fault else "num_labels": 4})


@case("C13b", "error", "CFG MOD", says=r"num_lables|num_labels")
def misspelt_model_keyword(world: World, fault: bool) -> Keys:
    """num_lables given to the model's from_pretrained reaches the constructor, which raises."""
    return world.classify(bert(), model_kwargs={"num_lables" if fault else "num_labels": 2})


@case("C14", "warning", "CFG", says=r"attention_dropout|attention_probs_dropout_prob")
def update_of_an_unknown_key(world: World, fault: bool) -> Keys:
    """config.update sets attention_dropout, which BERT calls attention_probs_dropout_prob."""
    return world.classify(bert(), config_update={"attention_dropout" if fault else "attention_probs_dropout_prob": 0.2})


@case("C15", "error", "MOD", says=r"electra|bert")
def nothing_of_the_body_loads(world: World, fault: bool) -> Keys:
    """config.json says electra, the tensors are named bert.*: the whole body is random."""
    model = bert("BertForMaskedLM")
    if fault:
        model.config |= {"model_type": "electra", "embedding_size": 16, "architectures": ["ElectraForPreTraining"]}
    return world.tag(model)


@case("C16", "warning", "MOD CLS", says=r"pooler")
def pooler_starts_at_random(world: World, fault: bool) -> Keys:
    """A classification head reads the pooler, the masked-language-model checkpoint has none."""
    return world.classify(bert("BertForMaskedLM" if fault else "BertForPreTraining"))


@case("C17", "error", "MOD LEN CFG", says=r"position")
def more_positions(world: World, fault: bool) -> Keys:
    """max_position_embeddings 128 -> 320 with ignore_mismatched_sizes: all positions start at random."""
    over = {"config": {"max_position_embeddings": 320}, "from_pretrained": {"ignore_mismatched_sizes": True}}
    return world.classify(electra(), **(over if fault else {}))


@case("C18", "error", "MOD VOC CFG", says=r"vocab_size|word_embeddings")
def vocabulary_raised_by_config(world: World, fault: bool) -> Keys:
    """vocab_size + 9 with ignore_mismatched_sizes re-initialises every word instead of resizing."""
    model = bert()
    over = {"config": {"vocab_size": len(model.ids) + 9}, "from_pretrained": {"ignore_mismatched_sizes": True}}
    return world.classify(model, **(over if fault else {}))


@case("C19", "error", "CFG TOK LEN", says=r"pad")
def pad_id_overridden_on_roberta(world: World, fault: bool) -> Keys:
    """pad_token_id is set to 3 on a RoBERTa whose tokenizer pads with 1."""
    return world.tag(
        byte_roberta(),
        tokenizer_kwargs={"add_prefix_space": True},
        **({"config": {"pad_token_id": 3}} if fault else {}),
    )


@case("C20", "warning", "TRN CFG MOD", says=r"float16|fp16|half")
def half_precision_training(world: World, fault: bool) -> Keys:
    """Loaded in float16 and trained without mixed precision."""
    return world.classify(bert(), from_pretrained={"dtype": "float16"} if fault else {})


@case("C20-bfloat16", "warning", "TRN CFG MOD", says=r"bfloat16|bf16")
def brain_float_training(world: World, fault: bool) -> Keys:
    """An encoder loaded in bfloat16 and fully fine-tuned at 3e-5: most updates are lost."""
    return world.mrc(electra(), from_pretrained={"torch_dtype": "bfloat16"} if fault else {})


@case("C20b", "warning", "TRN CFG MOD", says=r"float16|fp16|half")
def half_precision_said_by_the_config(world: World, fault: bool) -> Keys:
    """config.json says float16, which transformers 5 takes by itself."""
    model = roberta()
    if fault:
        model.config["dtype"], model.dtype = "float16", "F16"
    return world.classify(model)


@case("C21", "warning", "MOD CFG", says=r"tie_word_embeddings|lm_head")
def tied_with_another_output_layer(world: World, fault: bool) -> Keys:
    """tie_word_embeddings=true, but the checkpoint holds an lm_head with other values than the embedding."""
    model = llama()
    model.config["tie_word_embeddings"] = fault
    return world.write(model)


@case("C21b", "error", "MOD CFG", says=r"lm_head|tie_word_embeddings")
def untied_without_an_output_layer(world: World, fault: bool) -> Keys:
    """tie_word_embeddings=false, but the checkpoint has no lm_head."""
    model = llama(tied=True)
    model.config["tie_word_embeddings"] = not fault
    return world.write(model)


@case("C22", "error", "CFG", says=r"rope_theta")
def other_rope(world: World, fault: bool) -> Keys:
    """rope_theta 1000000 -> 10000."""
    return world.chat(qwen2(), config={"rope_theta": 10000.0} if fault else {})


@case("C23", "error", "CFG", says=r"is_decoder")
def encoder_made_causal(world: World, fault: bool) -> Keys:
    """is_decoder=true makes BERT's attention causal."""
    return world.mrc(bert(), config={"is_decoder": True} if fault else {})


@case("C24", "error", "MOD CFG", says=r"type_vocab_size|token_type")
def more_segments(world: World, fault: bool) -> Keys:
    """type_vocab_size 1 -> 2 with ignore_mismatched_sizes re-initialises the segment row."""
    over = {"config": {"type_vocab_size": 2}, "from_pretrained": {"ignore_mismatched_sizes": True}}
    return world.classify(roberta(), **(over if fault else {}))


@case("C26", "warning", "CFG VOC", says=r"50,?256")
def end_id_outside_the_vocabulary(world: World, fault: bool) -> Keys:
    """eos_token_id 50256 was left over from GPT-2's own vocabulary."""
    model = _padded_gpt2()
    if fault:
        model.config["eos_token_id"] = 50256
    return world.write(model)


@case("C27", "error", "VOC CFG MOD", says=r"vocab_size")
def config_says_more_rows(world: World, fault: bool) -> Keys:
    """vocab_size of config.json is 64 more than the rows."""
    model = roberta()
    if fault:
        model.config["vocab_size"] += 64
    return world.tag(model)


@case("C28", "warning", "CFG", says=r"position_embedding_type|relative")
def relative_positions(world: World, fault: bool) -> Keys:
    """position_embedding_type=relative_key_query, which the checkpoint has no weights for."""
    return world.classify(bert(), config={"position_embedding_type": "relative_key_query"} if fault else {})


@case("C31", "error", "MOD", says=r"AutoModel")
def class_without_a_head(world: World, fault: bool) -> Keys:
    """AutoModel has no head and returns no loss."""
    return world.classify(electra(), model_class="AutoModel" if fault else "AutoModelForSequenceClassification")


@case("C32", "warning", "MOD CFG SAF", says=r"bitsandbytes|quantization")
def quantised_without_its_package(world: World, fault: bool) -> Keys:
    """config.json asks for bitsandbytes, the weights are float32 and the package is not installed."""
    model = llama()
    if fault:
        model.config["quantization_config"] = {
            "quant_method": "bitsandbytes",
            "load_in_8bit": True,
            "load_in_4bit": False,
        }
    return world.write(model)


@case("C33", "warning", "CFG TOK CLS CHT", says=r"pad_token_id|pad")
def decoder_classifier_without_a_pad_id(world: World, fault: bool) -> Keys:
    """A GPT-2 classifier: the tokenizer has a pad token, the config has no pad_token_id."""
    model = _padded_gpt2()
    if fault:
        del model.config["pad_token_id"]
    return world.classify(model)


def _padded_gpt2() -> Folder:
    model = gpt2(extra=("<|padding|>",))
    assert model.tokenizer_config is not None
    model.tokenizer_config["pad_token"] = "<|padding|>"
    model.config["pad_token_id"] = model.ids["<|padding|>"]
    return model
