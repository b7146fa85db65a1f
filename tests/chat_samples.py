"""Chat templates in the forms that are published, from memory of their formats, and small decoder folders that hold them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from small_model import BERT_SPECIALS, healthy_tokenizer, words

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}"
    "{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
    "{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
LLAMA3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
EXAONE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}{{ '[|system|][|endofturn|]\n' }}{% endif %}"
    "{{ '[|' + message['role'] + '|]' + message['content'] }}{% if message['role'] == 'user' %}{{ '\n' }}"
    "{% else %}{{ '[|endofturn|]\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '[|assistant|]' }}{% endif %}"
)
ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)
PHI3 = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' ~ message.role ~ '|>\n' ~ message.content ~ '<|end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
)
DEEPSEEK = (
    "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}"
    "{% set ns = namespace(is_first=false, system_prompt='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}"
    "{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}"
    "{%- for message in messages %}{%- if message['role'] == 'user' %}{{'<｜User｜>' + message['content']}}{%- endif %}"
    "{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}"
    "{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}"
    "{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endfor -%}"
    "{% if add_generation_prompt %}{{'<｜Assistant｜><think>\\n'}}{% endif %}"
)
MARKED = (
    "{%- for message in messages %}\n    {%- if message.role == 'assistant' %}\n"
    "        {{- '<|im_start|>assistant\\n' }}\n        {%- generation %}\n        {{- message.content + '<|im_end|>' }}\n"
    "        {%- endgeneration %}\n        {{- '\\n' }}\n    {%- else %}\n"
    "        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}\n    {%- endif %}\n{%- endfor %}\n"
)
MACROS = (
    "{%- macro opening(role, mark='<|im_start|>') -%}{{ mark }}{{ role }}{{ '\\n' }}{%- endmacro -%}\n"
    "{%- macro text_of(content) -%}{%- if content is string -%}{{ content }}{%- else -%}{%- for part in content -%}"
    "{%- if part['type'] == 'text' -%}{{ part['text'] }}{%- endif -%}{%- endfor -%}{%- endif -%}{%- endmacro -%}\n"
    "{%- macro turn(message) -%}{{ opening(message.role) }}{{ text_of(message.content) | trim }}{{ '<|im_end|>' }}{%- endmacro -%}\n"
    "{%- set roles = {'system': 0, 'user': 1, 'assistant': 2} -%}\n"
    "{%- for message in messages if message.role in roles -%}\n{{ turn(message) }}{% if not loop.last %}{{ '\\n' }}{% endif %}\n"
    "{%- endfor -%}\n{%- for i in range(3) -%}{%- if i == 1 -%}{%- continue -%}{%- elif i == 2 -%}{%- break -%}{%- endif -%}{%- endfor -%}\n"
    "{%- set tail -%}{{ 'x' | upper }}{%- endset -%}\n"
)
PUBLISHED = {
    "chatml": CHATML,
    "llama2": LLAMA2,
    "llama3": LLAMA3,
    "gemma": GEMMA,
    "mistral": MISTRAL,
    "exaone": EXAONE,
    "zephyr": ZEPHYR,
    "phi3": PHI3,
    "deepseek": DEEPSEEK,
    "marked": MARKED,
    "macros": MACROS,
}

CHATML_MARKERS = ("<|im_start|>", "<|im_end|>")
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "num_key_value_heads": 2,
}


def decoder(
    make_model: Callable[..., Path],
    *,
    template: str | None = CHATML,
    markers: tuple[str, ...] = CHATML_MARKERS,
    eos: str = "<|im_end|>",
    pad: str | None = "[PAD]",
    model_type: str = "llama",
    config: Mapping[str, Any] | None = None,
    generation: Mapping[str, Any] | None = None,
    tokenizer_config: Mapping[str, Any] | None = None,
    post_processor: Mapping[str, Any] | None = None,
    name: str = "decoder",
) -> Path:
    """A decoder's folder without weights: config, tokenizer with `<s>`, `</s>` and the markers as tokens, chat template.

    Args:
        make_model: the fixture.
        template: goes into tokenizer_config.json; None: none.
        markers: further special tokens, behind `<s>` and `</s>`.
        eos: the tokenizer's; the config gets its id.
        pad: the tokenizer's; None: none.
        model_type: config.json's.
        config: keys that replace or, as `...`, remove some.
        generation: generation_config.json; None: no such file.
        tokenizer_config: the same for tokenizer_config.json.
        post_processor: of tokenizer.json; None: no special token is added.
        name: the folder's.
    """
    specials = (*BERT_SPECIALS, "<s>", "</s>", *markers)
    vocabulary = words(specials)
    roles = {"bos_token": "<s>", "eos_token": eos, "unk_token": "[UNK]", "pad_token": pad}
    told: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 10**30, **roles}
    told |= {"chat_template": template} if template is not None else {}
    ids = {"bos_token_id": vocabulary.index("<s>"), "pad_token_id": vocabulary.index(pad) if pad else None}
    ids |= {"eos_token_id": vocabulary.index(eos)} if eos in vocabulary else {}
    sizes = SIZES | {"max_position_embeddings": 128}
    if model_type == "gpt2":
        sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}
    removed = dict.fromkeys(
        ("hidden_dropout_prob", "attention_probs_dropout_prob", "layer_norm_eps", "type_vocab_size"), ...
    )
    bert = {"hidden_act": ..., **dict.fromkeys((*SIZES, "max_position_embeddings"), ...)}
    architecture = {"gpt2": "GPT2LMHeadModel", "llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM"}[model_type]
    return make_model(
        "bert",
        name=name,
        weights=False,
        vocabulary=vocabulary,
        config={
            **removed,
            **bert,
            "model_type": model_type,
            "architectures": [architecture],
            **sizes,
            **ids,
            "vocab_size": len(vocabulary),
            **(config or {}),
        },
        tokenizer_config=dict.fromkeys(
            ("do_lower_case", "strip_accents", "tokenize_chinese_chars", "sep_token", "cls_token", "mask_token"), ...
        )
        | told
        | dict(tokenizer_config or {}),
        special_tokens_map=None,
        tokenizer_json=healthy_tokenizer(vocabulary, specials=specials)
        | {"post_processor": dict(post_processor) if post_processor else None},
        files={"generation_config.json": dict(generation)} if generation is not None else None,
    )


def adds_bos(index: int) -> dict[str, Any]:
    """A post-processor that puts `<s>` with this id in front of every text, as Llama's does."""
    return {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"Sequence": {"id": "B", "type_id": 1}},
        ],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [index], "tokens": ["<s>"]}},
    }
