"""The curated part: config keys that one may change at will, and old keys that healthy checkpoints still carry."""

import re

FREE: tuple[str, ...] = (
    # regularisation and initialisation: they act in training only, and one changes them on purpose
    r"dropout|layerdrop|pdrop|^drop|initializer|^init_|_init$|init_std|^initialization",
    # what a call returns and caches, and how it is computed: same function, other speed or output
    r"^use_cache$|^output_|^return_|chunk_size|^use_mems|^attn_implementation|torchscript|onnx|deterministic|^init_device",
    r"reference_compile|^repad_logits|^_|pretraining_tp|slow_but_exact",
    # heads that a fine-tune brings itself
    r"^num_labels$|^id2label$|^label2id$|^problem_type$|^summary_|^classifier_|^cls_|^num_choices|^sparse_pred|^finetuning",
    # losses of the pre-training or of the router
    r"router_aux_loss|router_z_loss|router_jitter|jitter_noise|aux_loss|_coef$|loss_coef|label_smoothing",
    # special ids: the vocabulary rules look after them
    r"_token_id$|_token_index$|^forced_|^(sep|mask|lang)_(index|id)$|^(bos|eos|pad|unk|mask)_index$",
    # names and versions
    r"^architectures$|^transformers_version$|^dtype$|^torch_dtype$|^name_or_path$|^legacy$|^langs$|^vocab_list$",
)
"""Patterns (re.search) of keys that fit every shape and may still be changed without a word."""

LEGACY: frozenset[str] = frozenset(
    """
    _name_or_path name_or_path torch_dtype num_labels _num_labels output_attentions attn_implementation
    _attn_implementation _commit_hash auto_map quantization_config model_type architectures transformers_version
    tokenizer_class prefix task_specific_params finetuning_task pruned_heads tie_encoder_decoder
    tie_word_embeddings torchscript use_bfloat16 tf_legacy_loss cross_attention_hidden_size is_decoder
    add_cross_attention output_past gradient_checkpointing position_embedding_type bos_token_id eos_token_id
    pad_token_id sep_token_id mask_token_id cls_token_id unk_token_id decoder_start_token_id directionality
    pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type language
    rope_theta rope_scaling rope_parameters partial_rotary_factor max_length min_length pretraining_tp
    classifier_dropout per_layer_config tie_last_hidden_states adapters use_return_dict onnx_export
    unsloth_version
    n_ctx n_special predict_special_tokens n_positions net_structure_type gap_size num_memory_blocks down_scale_factor
    tie_weights_ static_position_embeddings normalize_before add_final_layer_norm extra_pos_embeddings add_bias_logits
    normalize_embedding force_bos_token_to_be_generated save_step
    """.split()
)
"""Keys of saved configs that transformers 5 drops, renames or takes for every type: no typo of anything."""

DERIVED: dict[str, dict[str, str]] = {
    # the decoder layer sets it on the config while it is built, so no config object shows it
    "falcon": {"num_ln_in_parallel_attn": "new_decoder_architecture ? 2 : 0"},
}
"""Left-out keys that are worked out outside the config class."""


OLD_ROPE = re.compile(r"^rope_|rotary|rope_theta|every_n_layers")
"""Old keys that set what `rope_parameters` and `layer_types` hold now: as silent as these."""


def is_free(key: str) -> bool:
    """Whether the key may be changed at will."""
    return any(re.search(pattern, key) for pattern in FREE)
