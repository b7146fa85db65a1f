"""Rules on secrets, others' code, what is saved, devices and seeds of a script."""

import pytest

from ask_scripts import SETUP, asked, lines
from pretune.check.rules import py_safety, py_secrets, py_seed
from pretune.check.rules.py_safety import (
    certificate_not_checked,
    devices_chosen_too_late,
    download_unpickled,
    remote_code_not_pinned,
    whole_model_pickled,
    wrapped_names_saved,
)
from pretune.check.rules.py_secrets import looks_random, secret_in_the_source
from pretune.check.rules.py_seed import (
    seed_after_the_model,
    split_without_seed,
    torch_not_seeded,
    training_without_seed,
)

BODY = """\
model.train()
for batch in train_loader:
    optimizer.zero_grad()
    model(**batch).loss.backward()
    optimizer.step()
model.save_pretrained("out")
tokenizer.save_pretrained("out")
"""
LOOP = SETUP + BODY
ALL = (*py_secrets.RULES, *py_safety.RULES, *py_seed.RULES)
HUB = "hf_" + "QwErTyUiOpAsDfGhJkLzXcVbNmqwertyuI"
SLACK = "https://hooks.slack.com/services/" + "T04KQZWRM/B05HNPVXL/" + "q7Rm2Xz9Lw4Kd8Vn1Ys6Tb3C"
WANDB = "7f3a91c05be24d68a0f1937e5c8d2b46" + "90ae13f7"


def test_healthy_script_is_quiet() -> None:
    """Seeded at the top, saved as a folder, nothing secret."""
    assert [finding for rule in ALL for finding in asked(rule, LOOP)] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'from huggingface_hub import login\nlogin(token="{HUB}")\n', "a Hugging Face token of 37 characters stands here: hf_***"),
        (f'import requests\nrequests.post("{SLACK}", json={{"text": "학습 끝"}})\n', "a Slack webhook of 69 characters stands here: hooks.slack.com/services/***"),
        (f'import os\nos.environ["WANDB_API_KEY"] = "{WANDB}"\n', "the value of WANDB_API_KEY of 40 characters stands here: ***"),
        (f'import wandb\nwandb.login(key="{WANDB}")\n', "the value of key of 40 characters stands here: ***"),
        ('import openai\nopenai.api_key = "sk-proj-' + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY" + '"\n', "an OpenAI key of 40 characters stands here: sk-proj-***"),
        (f'TOKEN = "{HUB}"\n\ndef push(model):\n    model.push_to_hub("me/model", token=TOKEN)\n', "a Hugging Face token of 37"),
    ],
)  # fmt: skip
def test_secret_in_the_source(text: str, said: str) -> None:
    """Tokens, webhooks and keys are a warning each, shown by their beginning and length alone."""
    (finding,) = asked(secret_in_the_source, text)
    assert finding.level == "warning"
    assert finding.message.startswith(said)
    assert not any(secret[8:] in finding.message for secret in (HUB, SLACK[40:], WANDB))


@pytest.mark.parametrize(
    "text",
    [
        'from huggingface_hub import login\nlogin(token="hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")\n',
        'login("YOUR_TOKEN")\nlogin(token="hf_your_token_here")\n',
        'import os\nlogin(token=os.environ["HF_TOKEN"])\n',
        'requests.post("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX")\n',
        'revision = "5f3a91c05be24d68a0f1937e5c8d2b4690ae13f7"\n',
        'tokenizer.add_special_tokens({"pad_token": "<|endoftext|>"})\n',
        'os.environ["WANDB_API_KEY"] = "0000000000000000000000000000000000000000"\n',
    ],
)
def test_secret_in_the_source_quiet(text: str) -> None:
    """Placeholders, the environment, commits and special tokens are none."""
    assert asked(secret_in_the_source, text) == []


def test_looks_random() -> None:
    """A repeated letter, a word, nothing at all: no secret; 32 hex digits are one."""
    assert not looks_random("")
    assert not looks_random("aaaaaaaaaaaaaaaa")
    assert not looks_random("your-token-goes-here")
    assert looks_random("7f3a91c05be24d68a0f1937e5c8d2b46")


@pytest.mark.parametrize(
    "text",
    [
        'import pickle\nfrom huggingface_hub import hf_hub_download\ndata = pickle.load(open(hf_hub_download("a/b", "x.pkl"), "rb"))\n',
        ('import torch\nfrom huggingface_hub import hf_hub_download\npath = hf_hub_download("a/b", "model.pt")\n'
        "state = torch.load(path, map_location='cpu', weights_only=False)\n"),
        'import pandas as pd\ndf = pd.read_pickle("https://example.org/rows.pkl")\n',
        ('import pickle\nfrom urllib.request import urlretrieve\nurlretrieve("https://example.org/v.pkl", "v.pkl")\n'
        'with open("v.pkl", "rb") as file:\n    vocab = pickle.load(file)\n'),
    ],
)  # fmt: skip
def test_download_unpickled(text: str) -> None:
    """A download that is unpickled is a warning."""
    (finding,) = asked(download_unpickled, text)
    assert finding.level == "warning"
    assert "unpickles what comes from" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        'import torch\nfrom huggingface_hub import hf_hub_download\ntorch.load(hf_hub_download("a/b", "model.pt"))\n',
        'import torch\ntorch.load("checkpoint.pt", weights_only=False)\n',
        'import pickle\nwith open("cache.pkl", "rb") as file:\n    rows = pickle.load(file)\n',
        'import json\nimport requests\nrows = json.loads(requests.get("https://example.org/x.json").text)\n',
    ],
)
def test_download_unpickled_quiet(text: str) -> None:
    """Tensors alone, files of one's own, JSON."""
    assert asked(download_unpickled, text) == []


@pytest.mark.parametrize(
    "call",
    [
        'AutoModel.from_pretrained("someone/model", trust_remote_code=True)',
        'AutoTokenizer.from_pretrained("monologg/kobert", trust_remote_code=True)',
        'AutoModel.from_pretrained("someone/model", trust_remote_code=True, revision="main")',
    ],
)
def test_remote_code_not_pinned(call: str) -> None:
    """Code of others without a commit is a warning, once a repository."""
    text = f"from transformers import AutoModel, AutoTokenizer\na = {call}\nb = {call}\n"
    (finding,) = asked(remote_code_not_pinned, text)
    assert finding.also == ("train.py:3:5",)
    assert "no commit is pinned" in finding.message


@pytest.mark.parametrize(
    "call",
    [
        'AutoModel.from_pretrained("klue/bert-base")',
        'AutoModel.from_pretrained("./my/model", trust_remote_code=True)',
        f'AutoModel.from_pretrained("a/b", trust_remote_code=True, revision="{WANDB}")',
        "AutoModel.from_pretrained(args.model, trust_remote_code=True)",
        'AutoModel.from_pretrained("a/b", trust_remote_code=args.trust)',
    ],
)
def test_remote_code_not_pinned_quiet(call: str) -> None:
    """Not asked for, a folder, pinned, or not known."""
    assert asked(remote_code_not_pinned, f"from transformers import AutoModel\n{call}\n") == []


@pytest.mark.parametrize(
    "text",
    ["import requests\nrequests.get(url, verify=False)\n", "import ssl\nssl._create_default_https_context = ssl._create_unverified_context\n",
     "import httpx\nhttpx.get('https://example.org', verify=False)\n"],
)  # fmt: skip
def test_certificate_not_checked(text: str) -> None:
    """Certificates that are not checked are a note."""
    assert [finding.level for finding in asked(certificate_not_checked, text)] == ["note"]


@pytest.mark.parametrize(
    "text",
    [
        "import requests\nrequests.get(url)\n",
        "import requests\nrequests.get(url, verify='ca.pem')\n",
        "verify(model, verify=False)\n",
    ],
)
def test_certificate_not_checked_quiet(text: str) -> None:
    """Checked, checked against a file, another verify."""
    assert asked(certificate_not_checked, text) == []


CHOICE = 'os.environ["CUDA_VISIBLE_DEVICES"] = "1"\n'


@pytest.mark.parametrize(
    "before",
    [
        "print(torch.cuda.get_device_name(0))\n",
        "model.cuda()\n",
        "model.to('cuda:0')\n",
        "device = 'cuda' if torch.cuda.is_available() else 'cpu'\n",
    ],
)
def test_devices_chosen_too_late(before: str) -> None:
    """CUDA_VISIBLE_DEVICES behind the first use of CUDA is a warning."""
    (finding,) = asked(devices_chosen_too_late, f"import os\nimport torch\n{before}{CHOICE}")
    assert lines([finding]) == [4]


@pytest.mark.parametrize(
    "text",
    [f"import os\nimport torch\n{CHOICE}torch.cuda.get_device_name(0)\n", f"import os\nimport torch\nmodel.to(device)\n{CHOICE}",
     'import os\nimport torch\nmodel.cuda()\nos.environ["TOKENIZERS_PARALLELISM"] = "false"\n',
     f"import os\nimport torch\nif args.old:\n    model.cuda()\n{CHOICE}"],
)  # fmt: skip
def test_devices_chosen_too_late_quiet(text: str) -> None:
    """Before it, a device that is not known, another variable, a branch."""
    assert asked(devices_chosen_too_late, text) == []


@pytest.mark.parametrize("given", ["model", "model.to('cpu')", "nn.DataParallel(model)"])
def test_whole_model_pickled(given: str) -> None:
    """A model that is saved whole is a note."""
    assert [finding.level for finding in asked(whole_model_pickled, LOOP + f"torch.save({given}, 'model.pt')\n")] == [
        "note"
    ]


@pytest.mark.parametrize("given", ["model.state_dict()", "{'model': model.state_dict(), 'epoch': 3}", "predictions"])
def test_whole_model_pickled_quiet(given: str) -> None:
    """States and data are what torch.save is for."""
    assert asked(whole_model_pickled, LOOP + f"torch.save({given}, 'model.pt')\n") == []


WRAPPED = SETUP + "parallel = nn.DataParallel(model)\ntorch.save(parallel.state_dict(), 'best.pt')\n"
BARE = "fresh = AutoModelForSequenceClassification.from_pretrained('klue/bert-base')\nfresh.load_state_dict(torch.load('best.pt'))\n"


@pytest.mark.parametrize(
    "text",
    [
        WRAPPED + BARE,
        WRAPPED.replace("nn.DataParallel(model)", "nn.parallel.DistributedDataParallel(model, device_ids=[0])") + BARE,
        WRAPPED + "model.load_state_dict(torch.load('best.pt', map_location=device))\n",
    ],
)
def test_wrapped_names_saved(text: str) -> None:
    """A wrapper's state loaded into the bare model is an error where it is loaded."""
    (finding,) = asked(wrapped_names_saved, text)
    assert finding.level == "error"
    assert finding.also == ("train.py:20:1",)


@pytest.mark.parametrize(
    "text",
    [
        WRAPPED,
        WRAPPED.replace("parallel.state", "parallel.module.state") + BARE,
        WRAPPED + "parallel.load_state_dict(torch.load('best.pt'))\n",
        WRAPPED + BARE.replace("best.pt", "other.pt"),
        WRAPPED + BARE.replace("torch.load('best.pt')", "{k[7:]: v for k, v in other.items()}"),
    ],
)
def test_wrapped_names_saved_quiet(text: str) -> None:
    """Never loaded, saved without the wrapper, loaded into it, another file, names cut."""
    assert asked(wrapped_names_saved, text) == []


LATE = LOOP.replace("set_seed(42)\n", "").replace("model.train()\n", "set_seed(42)\nmodel.train()\n")


@pytest.mark.parametrize(
    "text",
    [LATE, LATE.replace("set_seed(42)", "torch.manual_seed(42)"),
     LATE.replace("set_seed(42)\n", "def seed_everything(seed):\n    torch.manual_seed(seed)\nseed_everything(1)\n")],
)  # fmt: skip
def test_seed_after_the_model(text: str) -> None:
    """A seed behind a model with a new head is a warning at the seed."""
    (finding,) = asked(seed_after_the_model, text)
    assert finding.level == "warning"
    assert "whose head is drawn at random" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        LATE.replace("klue/bert-base", "./checkpoint-500"),
        LATE.replace("klue/bert-base", "snunlp/KR-FinBert-SC-sentiment"),
        LATE.replace("AutoModelForSequenceClassification", "AutoModelForMaskedLM"),
        LOOP.replace("set_seed(42)\n", ""),
    ],
)
def test_seed_after_the_model_quiet(text: str) -> None:
    """Before it, a head that is loaded, no new head, no seed."""
    assert asked(seed_after_the_model, text) == []


@pytest.mark.parametrize(
    "text",
    [LOOP.replace("set_seed(42)\n", ""), LOOP.replace("set_seed(42)\n", "seed = 42\n"),
     LOOP.replace("set_seed(42)\n", "").replace("for batch", "for epoch in range(3):\n  for batch").replace("\n    ", "\n      ")],
)  # fmt: skip
def test_training_without_seed(text: str) -> None:
    """A loop without any seed is a note."""
    assert [finding.level for finding in asked(training_without_seed, text)] == ["note"]


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        LOOP.replace("set_seed(42)", "torch.manual_seed(1)"),
        LOOP.replace("set_seed(42)", "import pytorch_lightning as pl\npl.seed_everything(1)"),
    ],
)
def test_training_without_seed_quiet(text: str) -> None:
    """Seeded by any of the usual calls."""
    assert asked(training_without_seed, text) == []


@pytest.mark.parametrize(
    "seed",
    [
        "import random\nrandom.seed(42)",
        "import numpy as np\nnp.random.seed(42)",
        "from numpy.random import seed\nseed(1)",
    ],
)
def test_torch_not_seeded(seed: str) -> None:
    """Other generators seeded, torch's not: a note."""
    assert [finding.level for finding in asked(torch_not_seeded, LOOP.replace("set_seed(42)", seed))] == ["note"]


@pytest.mark.parametrize("text", [LOOP, LOOP.replace("set_seed(42)\n", ""), "import random\nrandom.seed(1)\n"])
def test_torch_not_seeded_quiet(text: str) -> None:
    """All seeded, none, or nothing that trains."""
    assert asked(torch_not_seeded, text) == []


SPLIT = "from sklearn.model_selection import train_test_split\ntrain, valid = train_test_split(df, test_size=0.1)\n"


@pytest.mark.parametrize(
    "text",
    [SPLIT, SPLIT.replace("test_size=0.1", "test_size=0.1, stratify=df['label']"),
     "from datasets import load_dataset\nparts = load_dataset('nsmc', split='train').train_test_split(test_size=0.1)\n"],
)  # fmt: skip
def test_split_without_seed(text: str) -> None:
    """A split that is drawn anew in each run is a note."""
    assert [finding.level for finding in asked(split_without_seed, text)] == ["note"]


@pytest.mark.parametrize(
    "text",
    [SPLIT.replace("test_size=0.1", "test_size=0.1, random_state=42"), "import numpy as np\nnp.random.seed(1)\n" + SPLIT,
     SPLIT.replace("test_size=0.1", "shuffle=False"), "from transformers import set_seed\nset_seed(1)\n" + SPLIT],
)  # fmt: skip
def test_split_without_seed_quiet(text: str) -> None:
    """A seed of its own, one for numpy, or no drawing."""
    assert asked(split_without_seed, text) == []
