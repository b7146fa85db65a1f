"""What the classes and functions of training libraries are, by their canonical names. Knows no value and no trace.

Names say it, not the libraries: nothing is imported, and a class that somebody published under a name of this form is
taken for what its name says. Where another library has other things under such names, its package is left out.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ALTERNATE = (
    "from_pretrained", "from_config", "from_dict", "from_json_file", "from_json", "from_encoder_decoder_pretrained",
    "load_from_checkpoint", "for_model", "from_file", "from_model_id", "from_vision_text_pretrained", "from_pandas",
    "from_text_vision_configs", "from_csv", "from_text", "from_list", "from_generator", "from_parquet", "from_hub",
    "from_spark", "load_from_disk", "from_vocab", "_from_config", "__init__", "__new__", "_from_pretrained",
)  # fmt: skip
"""Class methods that make an object of their class."""
_OTHER_TOKENIZERS = {
    "tokenizers", "nltk", "keras", "tensorflow", "tf_keras", "torchtext", "konlpy", "sacremoses", "sentencepiece",
    "spacy", "sklearn", "youtokentome", "allennlp", "mosestokenizer", "soynlp", "mecab", "tiktoken", "bertviz",
    "kiwipiepy", "textblob", "tensorflow_text", "paddlenlp", "jieba", "underthesea", "gensim", "khaiii", "fasttext",
    "pyvi", "kss", "multilingual_clip",
}  # fmt: skip
"""Packages whose tokenizers are no pretrained model's."""
_OTHER_MODELS = {
    "pydantic", "django", "gensim", "sklearn", "odoo", "peewee", "flask_sqlalchemy", "mesa", "statsmodels", "lmfit",
    "hmmlearn", "spacy", "openai", "anthropic", "google", "langchain", "vertexai", "streamlit", "pandas", "wandb",
    "dataclasses", "typing", "docx", "PyQt5", "pyspark", "builtins", "requests", "os", "json", "re", "lightgbm",
    "xgboost", "catboost", "fasttext",
}  # fmt: skip
_TRAINING_CONFIGS = {
    "SFTConfig", "DPOConfig", "PPOConfig", "ORPOConfig", "KTOConfig", "RewardConfig", "CPOConfig", "GRPOConfig",
    "RLOOConfig", "BCOConfig", "OnlineDPOConfig", "NashMDConfig", "XPOConfig", "PRMConfig", "GKDConfig",
    "AlignPropConfig", "DDPOConfig", "IterativeSFTConfig",
}  # fmt: skip
_OPTIMIZERS = {
    "AdamW", "Adam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "SparseAdam", "LBFGS",
    "ASGD", "Rprop", "Adafactor", "BertAdam", "FusedAdam", "FusedLAMB", "FusedSGD", "LAMB", "Lamb", "Lion",
    "Lion8bit", "AdamW8bit", "Adam8bit", "PagedAdamW", "PagedAdamW8bit", "PagedAdamW32bit", "PagedAdam8bit",
    "DeepSpeedCPUAdam", "AdamP", "SGDP", "Ranger", "MADGRAD", "AdaBelief", "DiffGrad", "NovoGrad", "Yogi",
    "OpenAIAdam", "SAM", "Sophia", "SophiaG", "Prodigy", "CAME", "AdEMAMix", "Muon", "GaLoreAdamW", "GaLoreAdamW8bit",
    "AdamWScheduleFree", "LayerwiseDecayAdam", "PlainRAdam",
}  # fmt: skip
_SCHEDULERS = {
    "WarmupLinearSchedule", "WarmupCosineSchedule", "WarmupConstantSchedule", "ConstantLRSchedule", "WarmupLinearLR",
    "CosineAnnealingWarmupRestarts", "CosineAnnealingWarmUpRestarts", "GradualWarmupScheduler",
    "LinearWarmupCosineAnnealingLR", "CosineScheduler", "NoamLR", "NoamScheduler",
    "WarmupCosineWithHardRestartsSchedule", "CosineLRScheduler",
}  # fmt: skip
_DATASETS = {
    "load_dataset", "load_from_disk", "concatenate_datasets", "interleave_datasets", "Dataset", "DatasetDict",
    "IterableDataset", "IterableDatasetDict", "TensorDataset", "Subset", "ConcatDataset", "random_split",
    "ChainDataset", "LineByLineTextDataset", "TextDataset", "GlueDataset", "SquadDataset", "LineByLineWithRefDataset",
    "SentencesDataset", "TextDatasetForNextSentencePrediction", "LineByLineWithSOPTextDataset",
    "NoDuplicatesDataLoader",
}  # fmt: skip
_LOADERS = {
    "DataLoader", "BucketIterator", "Iterator", "StatefulDataLoader", "NoDuplicatesDataLoader", "GeoDataLoader",
    "MpDeviceLoader", "DataLoaderX", "MultiEpochsDataLoader",
}  # fmt: skip
_MODEL = re.compile(
    r"^(?:TF|Flax|Auto|Peft|Fast|AutoPeft)?[A-Za-z0-9]*"
    r"(?:Model|For[A-Z][A-Za-z0-9]*|WithLMHead|LMHeadModel|WithHeads|DoubleHeadsModel|WithValueHead|PreTraining)$"
)
_SCHEDULE = re.compile(r"^get_[a-z_]*schedule[a-z_]*$|^get_(?:lr_)?scheduler$")


@lru_cache(maxsize=4096)
def class_kind(name: str) -> str | None:
    """What a library's class, or what its function gives, is in the field; None: nothing that is known.

    Args:
        name: canonical and dotted: `transformers.BertTokenizerFast`, `transformers.get_scheduler`, also with a class
            method that makes an object: `transformers.AutoModel.from_pretrained`.
    """
    owner, _, last = name.rpartition(".")
    if last in _ALTERNATE and owner:
        return class_kind(owner)
    package = name.partition(".")[0]
    for test in (_of_training, _of_models, _of_data):
        found = test(package, owner, last)
        if found:
            return found
    return None


def _of_training(package: str, owner: str, last: str) -> str | None:
    if last == "Trainer" and package in ("pytorch_lightning", "lightning", "lightning_fabric"):
        return "lightning_trainer"
    if last.endswith("Trainer") and package not in ("tokenizers", "chainer", "textattack", "builtins"):
        return "trainer"
    if last.endswith("TrainingArguments") or (last in _TRAINING_CONFIGS and package != "transformers"):
        return "training_arguments"
    if last in ("Accelerator", "Fabric", "LightningLite"):
        return "accelerator"
    if last in ("GradScaler", "ShardedGradScaler"):
        return "scaler"
    if "lr_scheduler" in owner.split(".") or last in _SCHEDULERS or _SCHEDULE.match(last):
        return "scheduler"
    parts = owner.split(".")
    if last in _OPTIMIZERS and package not in ("tensorflow", "keras", "tf_keras", "mxnet", "jax", "optax"):
        return "optimizer"
    if {"optim", "torch_optimizer", "pytorch_optimizer", "optimizers"} & set(parts) and last[:1].isupper():
        return "optimizer"
    if (package == "torch" and last.endswith("Loss")) or "losses" in parts:
        return "loss" if last[:1].isupper() else None
    return None


def _of_models(package: str, owner: str, last: str) -> str | None:
    if re.fullmatch(r"\w*(Tokenizer|TokenizerFast|TokenizerBase)", last):
        return None if package in _OTHER_TOKENIZERS else "tokenizer"
    if name_of_kobert(owner, last):
        return name_of_kobert(owner, last)
    if last.endswith("Config"):
        return _config(package, last)
    if re.match(r"(Default)?DataCollator|default_data_collator", last) or last.endswith(("DataCollator", "Collator")):
        return "collator"
    if last.endswith(("Processor", "FeatureExtractor", "ImageProcessor", "ImageProcessorFast")):
        return "processor" if package in ("transformers", "trl", "unsloth") else None
    if last in ("SentenceTransformer", "CrossEncoder", "SparseEncoder") and package != "builtins":
        return "model"
    if package in ("timm", "torchvision") and (last == "create_model" or "models" in owner.split(".")):
        return "model"
    if last in ("LightningModule", "PreTrainedModel", "GenerationMixin", "ModuleUtilsMixin"):
        return "model"
    if last == "pipeline" and package == "transformers":
        return "pipeline"
    if _MODEL.match(last) and last[:1].isupper() and package not in _OTHER_MODELS:
        return "model"
    if (
        package == "torch"
        and owner.startswith("torch.nn")
        and last[:1].isupper()
        and last not in ("Parameter", "Module")
    ):
        return "module"
    return None


def _config(package: str, last: str) -> str | None:
    if package == "peft" or last in ("LoraConfig", "PeftConfig", "AdaLoraConfig", "PromptTuningConfig"):
        return "peft_config"
    if last in ("BitsAndBytesConfig", "GPTQConfig", "AwqConfig", "QuantoConfig", "TorchAoConfig", "HqqConfig"):
        return "quantization_config"
    if last == "GenerationConfig":
        return "generation_config"
    return "config" if package in _CONFIGURED else None


_CONFIGURED = {
    "transformers", "pytorch_transformers", "pytorch_pretrained_bert", "kobert_transformers", "adapters", "optimum",
    "sentence_transformers",
}  # fmt: skip


def name_of_kobert(owner: str, last: str) -> str | None:
    """What the functions of the packages around KoBERT give."""
    if "kobert" not in owner.lower():
        return None
    if last in ("get_tokenizer", "get_kobert_tokenizer"):
        return "tokenizer"
    return (
        "model"
        if last in ("get_kobert_model", "get_pytorch_kobert_model", "get_distilkobert_model", "get_kobert_lm")
        else None
    )


def _of_data(package: str, owner: str, last: str) -> str | None:
    del owner
    if last in _LOADERS and (last != "Iterator" or package == "torchtext"):
        return "loader"
    if last in _DATASETS and package not in ("tensorflow", "tf", "typing"):
        return "dataset"
    if last == "LightningDataModule":
        return "datamodule"
    if (package == "evaluate" and last in ("load", "combine")) or last == "load_metric":
        return "metric"
    return None


def held_kind(name: str) -> str | None:
    """What an attribute of a trainer, collator or pipeline is by its name."""
    return {
        "model": "model", "tokenizer": "tokenizer", "processing_class": "tokenizer", "args": "training_arguments",
        "train_dataset": "dataset", "eval_dataset": "dataset", "data_collator": "collator",
    }.get(name)  # fmt: skip


def model_part_kind(name: str) -> str | None:
    """What an attribute of a model is by its name: `config`, a model inside it."""
    if name in ("config", "generation_config"):
        return name
    if name == "tokenizer":  # SentenceTransformer
        return "tokenizer"
    return "model" if name in _BACKBONES else None


_BACKBONES = {
    "bert", "roberta", "electra", "transformer", "base_model", "distilbert", "albert", "deberta", "longformer",
    "funnel", "encoder", "model", "module", "big_bird", "xlm_roberta", "gpt_neox", "backbone", "plm", "auto_model",
    "mpnet",
}  # fmt: skip


def spoken_kind(name: str) -> str | None:
    """What a variable may be by its name alone."""
    last = name.rpartition(".")[2].lower()
    if last.endswith("tokenizer") or last == "tok":
        return "tokenizer"
    return "model" if last in ("model", "net", "bert", "mymodel") or last.endswith("_model") else None
