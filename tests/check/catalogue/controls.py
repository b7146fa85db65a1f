"""Healthy setups that look odd, or that everybody uses: nothing may be an error or a warning here."""

import json

from check.catalogue import korean, tokenizers_made
from check.catalogue.case import Case, Keys, World, into
from check.catalogue.cases_files import sharded, without_weights
from check.catalogue.cases_further import sentence_encoder
from check.catalogue.folders import bert, byte_roberta, electra, english_bert, gpt2, llama, qwen2, roberta, t5

CASES: list[Case] = []
case = into(CASES)
LORA = {
    "r": 16,
    "lora_alpha": 32,
    "lora_dropout": 0.05,
    "target_modules": ["q_proj", "v_proj"],
    "task_type": "CAUSAL_LM",
}
NAMES = {"id2label": {"0": "비추천", "1": "추천"}, "label2id": {"비추천": 0, "추천": 1}}


@case("t5-rows", "", "")
def t5_with_spare_rows(world: World, fault: bool) -> Keys:
    """A T5 has 32,100 ids and 32,128 rows."""
    return {"model": world.put(t5()), "training_args": {"learning_rate": 1e-4}}


@case("qwen-rows", "", "")
def qwen_with_spare_rows(world: World, fault: bool) -> Keys:
    """A Qwen has more rows than ids; pad and eos are different tokens."""
    return world.chat(qwen2(rows=1024), korean.chats(system=True))


@case("gpt2-one-token", "", "")
def gpt2_bos_is_eos_is_unk(world: World, fault: bool) -> Keys:
    """GPT-2 has one token for bos, eos and unk; a pad token is added and the rows resized."""
    return world.write(gpt2(), pad_token="<|padding|>", add_special_tokens=["<|padding|>"], resize=True)


@case("roberta-514", "", "")
def roberta_514_positions(world: World, fault: bool) -> Keys:
    """RoBERTa: max_position_embeddings 514 and 512 usable."""
    model = roberta(max_position_embeddings=514)
    assert model.tokenizer_config is not None
    model.tokenizer_config["model_max_length"] = 512
    return world.mrc(model, encode={"max_length": 512, "stride": 128})


@case("dropout", "", "")
def other_dropout(world: World, fault: bool) -> Keys:
    """Dropout is raised for a small data set."""
    config = {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.3}
    return world.classify(bert(), config=config)


@case("fresh-head", "", "")
def labels_of_a_fresh_head(world: World, fault: bool) -> Keys:
    """num_labels, id2label and label2id for a head that is new."""
    rows = korean.reviews(labels=("비추천", "추천"))
    return world.classify(electra(), rows, config={**NAMES, "num_labels": 2})


@case("head-replaced", "", "")
def head_replaced_on_purpose(world: World, fault: bool) -> Keys:
    """A head of 5 classes is replaced by one of 3, with ignore_mismatched_sizes for the head alone."""
    model = bert("BertForSequenceClassification", num_labels=5)
    del model.config["num_labels"]
    model.config["id2label"] = {str(number): f"별점 {number + 1}" for number in range(5)}
    model.config["label2id"] = {f"별점 {number + 1}": number for number in range(5)}
    rows = [{**row, "label": number % 3} for number, row in enumerate(korean.reviews())]
    names = {"0": "나쁨", "1": "보통", "2": "좋음"}
    config = {"num_labels": 3, "id2label": names, "label2id": {name: int(number) for number, name in names.items()}}
    return world.classify(model, rows, config=config, from_pretrained={"ignore_mismatched_sizes": True})


@case("harmless-numerics", "", "")
def harmless_numerics(world: World, fault: bool) -> Keys:
    """layer_norm_eps 1e-12 -> 1e-5 and gelu -> gelu_new change next to nothing."""
    return world.classify(bert(), config={"layer_norm_eps": 1e-5, "hidden_act": "gelu_new"})


@case("pad-id-on-bert", "", "")
def pad_id_of_a_bert(world: World, fault: bool) -> Keys:
    """A BERT's pad_token_id has no effect on its positions."""
    model = bert()
    del model.config["pad_token_id"]
    return world.classify(model)


@case("own-folder", "", "")
def tokenizer_copied(world: World, fault: bool) -> Keys:
    """The tokenizer lies in a folder of its own."""
    model = electra()
    return world.mrc(model, tokenizer=world.tokenizer(model))


@case("uncased-english", "", "")
def uncased_english(world: World, fault: bool) -> Keys:
    """An uncased English model on English text."""
    return world.classify(english_bert(), korean.english(), korean.english(16, start=48))


@case("unused-renamed", "", "")
def unused_slots_renamed(world: World, fault: bool) -> Keys:
    """[unused] slots were renamed in tokenizer.json and vocab.txt alike; the weights are the original ones."""
    model = bert()
    assert model.vocabulary is not None
    model.vocabulary[7:10] = ["도자기", "펜션", "게스트하우스"]
    model.tokenizer = tokenizers_made.wordpiece_json(model.vocabulary)
    return world.classify(model)


@case("multiple-of-64", "", "")
def resized_to_a_multiple(world: World, fault: bool) -> Keys:
    """Markers are added and the rows resized to a multiple of 64."""
    rows = [{**row, "text": f"[장소] {row['text']}"} for row in korean.reviews()]
    return world.classify(roberta(), rows, add_special_tokens=["[장소]", "[/장소]"], resize={"pad_to_multiple_of": 64})


@case("lora", "", "")
def lora_on_a_llama(world: World, fault: bool) -> Keys:
    """LoRA r=16 on q_proj and v_proj of a bfloat16 Llama, learning rate 2e-4."""
    model = llama()
    model.dtype, model.config["torch_dtype"] = "BF16", "bfloat16"
    args = {"learning_rate": 2e-4, "bf16": True, "gradient_accumulation_steps": 2, "warmup_steps": 1}
    return world.write(model, peft=LORA, training_args=args, append_eos=True)


@case("lora-classifier", "", "")
def lora_on_a_classifier(world: World, fault: bool) -> Keys:
    """LoRA on an encoder classifier, with its task type."""
    lora = {"r": 8, "lora_alpha": 16, "target_modules": ["query", "value"], "task_type": "SEQ_CLS"}
    return world.classify(roberta(), peft=lora, training_args={"learning_rate": 3e-4})


@case("chat", "", "")
def chat_model(world: World, fault: bool) -> Keys:
    """A Llama 2 chat model with a pad token and a template that leaves <s> to the tokenizer."""
    model = llama()
    assert model.tokenizer_config is not None
    model.tokenizer_config["chat_template"] = tokenizers_made.INST.replace("{{ bos_token }}", "")
    return world.chat(model)


@case("sentence-transformers", "", "")
def sentence_transformers_folder(world: World, fault: bool) -> Keys:
    """A sentence encoder trained further on scores."""
    return world.similar(sentence_encoder(), model_class="AutoModel")


@case("sharded", "", "")
def sharded_checkpoint(world: World, fault: bool) -> Keys:
    """A checkpoint in three files."""
    model = llama()
    name, folder = without_weights(world, model)
    sharded(model, folder)
    return world.write(name)


@case("squad2", "", "")
def unanswerable_questions(world: World, fault: bool) -> Keys:
    """A third of the questions has no answer, as in SQuAD 2."""
    rows = korean.questions()
    for row in rows[::3]:
        row["answers"] = {"text": [], "answer_start": []}
    return world.mrc(electra(), rows)


@case("korquad-file", "", "")
def korquad_json(world: World, fault: bool) -> Keys:
    """KorQuAD as it is published: articles, paragraphs, questions."""
    articles = []
    for number in range(0, 27, 3):
        three = korean.questions(3, start=number)
        asked = [
            {
                "id": row["id"],
                "question": row["question"],
                "answers": [{"text": row["answers"]["text"][0], "answer_start": row["answers"]["answer_start"][0]}],
            }
            for row in three
        ]
        articles.append({"title": f"문서 {number}", "paragraphs": [{"context": three[0]["context"], "qas": asked}]})
    text = json.dumps({"version": "KorQuAD_v1.0_train", "data": articles}, ensure_ascii=False)
    return world.mrc(bert("BertForMaskedLM"), world.text(text, "KorQuAD_v1.0_train.json"))


@case("klue-ner", "", "")
def tags_of_letters(world: World, fault: bool) -> Keys:
    """KLUE-NER: tokens are single letters, spaces among them, each with its tag."""
    rows = []
    for row in korean.names():
        letters: list[str] = []
        tags: list[str] = []
        for word, tag in zip(row["tokens"], row["tags"], strict=True):
            letters += [*word, " "]
            tags += [tag, *[tag.replace("B-", "I-")] * (len(word) - 1), "O"]
        for number in range(1, len(tags) - 1):
            if letters[number] == " " and tags[number + 1].startswith("I-"):
                tags[number] = tags[number + 1]
        rows.append({"tokens": letters[:-1], "tags": tags[:-1]})
    return world.tag(roberta(), rows)


@case("klue-nli", "", "")
def three_named_labels(world: World, fault: bool) -> Keys:
    """Pairs with three named labels."""
    names = ["entailment", "neutral", "contradiction"]
    rows = [{**row, "label": names[number % 3]} for number, row in enumerate(korean.pairs())]
    ids = {name: number for number, name in enumerate(names)}
    over = {"num_labels": 3, "label2id": ids, "id2label": {str(number): name for name, number in ids.items()}}
    return world.pairs(roberta(), rows, config=over)


@case("sts-regression", "", "")
def scores_as_regression(world: World, fault: bool) -> Keys:
    """num_labels=1 with scores of 0 to 5 is a regression, as it should be."""
    rows = [{**row, "label": float(row.pop("score"))} for row in korean.similarities()]
    return world.pairs(electra(), rows, config={"num_labels": 1, "problem_type": "regression"})


@case("nsmc", "", "")
def nsmc_table(world: World, fault: bool) -> Keys:
    """A TSV whose columns are called id, document and label."""
    lines = [f"{9000 + number}\t{row['text']}\t{row['label']}" for number, row in enumerate(korean.reviews())]
    path = world.text("id\tdocument\tlabel\n" + "\n".join(lines) + "\n", "ratings_train.txt")
    return world.classify(bert(), path, data={"columns": {"text": "document"}})


@case("domain-adaptation", "", "")
def masked_language_model(world: World, fault: bool) -> Keys:
    """A RoBERTa's training is continued on plain text."""
    return world.fill(byte_roberta(), training_args={"learning_rate": 5e-5, "weight_decay": 0.01, "fp16": True})


@case("old-names", "", "")
def tensors_of_an_old_checkpoint(world: World, fault: bool) -> Keys:
    """An old checkpoint: LayerNorm.gamma and beta, and a position_ids buffer."""
    model = bert()
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    shapes = {}
    for name, shape in model.shapes.items():
        for new, before in old.items():
            name = name.replace(new, before)  # noqa: PLW2901
        shapes[name] = shape
    model.shapes = {**shapes, "bert.embeddings.position_ids": (1, 128)}
    return world.classify(model)


@case("trained-head", "", "")
def fine_tuned_further(world: World, fault: bool) -> Keys:
    """A fine-tuned classifier is trained further on the same labels."""
    model = bert("BertForSequenceClassification", num_labels=2)
    del model.config["num_labels"]
    model.config |= {**NAMES, "architectures": ["BertForSequenceClassification"]}
    return world.classify(model, korean.reviews(labels=("비추천", "추천")))


@case("few-rare-letters", "", "")
def a_few_rare_letters(world: World, fault: bool) -> Keys:
    """Two rows of 48 hold an emoji or a rare syllable."""
    rows = korean.reviews()
    rows[4] = {**rows[4], "text": f"{rows[4]['text']} 👍"}
    rows[31] = {**rows[31], "text": f"{rows[31]['text']} 쀍"}
    return world.classify(electra(), rows)


@case("multi-label", "", "")
def multi_label(world: World, fault: bool) -> Keys:
    """Multi-hot labels as floats with the problem type that they need."""
    rows = [
        {**row, "label": [float(number % 2), float(number % 3 == 0), float(number % 5 == 1)]}
        for number, row in enumerate(korean.reviews())
    ]
    return world.classify(bert(), rows, config={"num_labels": 3, "problem_type": "multi_label_classification"})


@case("usual-arguments", "", "")
def usual_arguments(world: World, fault: bool) -> Keys:
    """The arguments of a usual run of BERT."""
    args = {
        "load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": False, "warmup_steps": 2,
        "weight_decay": 0.01, "lr_scheduler_type": "cosine", "save_total_limit": 2, "fp16": True, "seed": 42, "report_to": "none",
        "eval_strategy": "steps", "eval_steps": 6, "save_strategy": "steps", "save_steps": 6, "per_device_eval_batch_size": 32,
        "dataloader_num_workers": 2, "max_grad_norm": 1.0,
    }  # fmt: skip
    return world.tag(bert(), training_args=args)


@case("max-steps-alone", "", "")
def max_steps_without_epochs(world: World, fault: bool) -> Keys:
    """A language model is trained for a number of steps."""
    return world.write(
        llama(), training_args={"max_steps": 200, "num_train_epochs": ..., "gradient_checkpointing": True}
    )


@case("no-data", "", "")
def model_alone(world: World, fault: bool) -> Keys:
    """Only a model is named."""
    return {"model": world.put(bert())}
