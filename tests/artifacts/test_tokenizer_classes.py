"""The class that AutoTokenizer picks, and the table of what each class does."""

import pytest

from pretune.artifacts.tokenizer_classes import exists, for_model_type, pick, table_version, tokenizer_class


@pytest.mark.parametrize(
    ("declared", "model_type", "byte_level", "name"),
    [
        (None, None, False, "TokenizersBackend"),
        (None, "roberta", False, "RobertaTokenizer"),
        (None, "electra", False, "BertTokenizer"),
        (None, "no-such-type", False, "TokenizersBackend"),
        ("BertTokenizerFast", "roberta", False, "BertTokenizer"),
        ("PreTrainedTokenizerFast", "bert", False, "TokenizersBackend"),
        ("KoBERTTokenizer", "bert", False, "TokenizersBackend"),
        ("KoBERTTokenizer", None, False, "TokenizersBackend"),
        ("LlamaTokenizer", "llama", True, "TokenizersBackend"),
        ("LlamaTokenizer", "llama", False, "LlamaTokenizer"),
        ("ElectraTokenizer", "electra", False, "ElectraTokenizer"),
        ("BertJapaneseTokenizer", "bert", False, "BertJapaneseTokenizer"),
    ],
)
def test_pick(declared: str | None, model_type: str | None, byte_level: bool, name: str) -> None:
    """The declared class wins where it exists, the model type's where none is declared, else the generic one."""
    assert pick(declared, model_type, byte_level=byte_level)[0] == name


def test_names_on_the_hub_that_are_known_to_lie() -> None:
    """A hub name on transformers' own list takes the generic class whatever it declares."""
    assert pick("LlamaTokenizer", "llama", byte_level=False, label="deepseek-ai/deepseek-coder-1.3b")[0] == (
        "TokenizersBackend"
    )


def test_aliases_and_strangers() -> None:
    """An old name is the present class, a class in Python and one nobody knows are not in the table."""
    assert tokenizer_class("ElectraTokenizerFast").name == "BertTokenizer"
    assert tokenizer_class("PreTrainedTokenizerFast").name == "TokenizersBackend"
    assert not tokenizer_class("BertJapaneseTokenizer").known
    assert exists("BertJapaneseTokenizer")
    assert exists("ConvBertTokenizer")
    assert not exists("KoBERTTokenizer")
    assert for_model_type("no-such-type") is None


def test_defaults_of_bert() -> None:
    """BertTokenizer lower-cases unless told otherwise, looks for vocab.txt and returns segments."""
    bert = tokenizer_class("BertTokenizer")
    assert bert.options["do_lower_case"] is True
    assert bert.files == ("vocab.txt",)
    assert "token_type_ids" in bert.inputs
    assert bert.rebuilds
    assert bert.own_template


def test_table_is_of_the_installed_version() -> None:
    """The table was made from the transformers that the other tests compare with."""
    transformers = pytest.importorskip("transformers", reason="compares the table with the installed transformers")
    assert table_version() == transformers.__version__
