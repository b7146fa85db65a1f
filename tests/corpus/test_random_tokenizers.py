"""Whatever a tokenizer is put together from, the profile's figures are those of encoding each text whole."""

import json
import random
from collections import Counter

import pytest

from corpus.hostile import texts
from corpus.made_tokenizers import SENTENCES
from corpus.random_tokenizers import drawn
from pretune import check


def expected(tokenizer, strings):
    """By encoding every text whole."""
    model = json.loads(tokenizer.to_str())["model"]
    unknown = model.get("unk_id")
    if model["type"] != "Unigram":
        unknown = tokenizer.token_to_id(model["unk_token"]) if model.get("unk_token") else None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    found = [one.ids for one in tokenizer.encode_batch(strings, add_special_tokens=False)]
    ids = Counter(number for one in found for number in one)
    return {
        "tokens": ids.total(),
        "used": len(ids),
        "lengths": dict(Counter(map(len, found))),
        "unknown_tokens": 0 if unknown is None else ids[unknown],
        "unknown_texts": 0 if unknown is None else sum(unknown in one for one in found),
    }


def seeds():
    """A few in every run, many in a long one."""
    return [*range(16), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(16, 416))]


@pytest.mark.parametrize("seed", seeds())
def test_any_tokenizer_is_counted_as_if_encoded_whole(seed, tmp_path):
    """Tokens, ids used, lengths, unknown tokens and the texts they hit, end to end from a folder."""
    kind, tokenizer = drawn(seed)
    draw = random.Random(seed)
    words = " ".join(SENTENCES[:5]).split()
    strings = texts(120, seed=seed) + [" ".join(draw.choices(words, k=draw.randint(1, 30))) for _ in range(120)]
    (tmp_path / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}', encoding="utf-8")
    report = check.run(tokenizer=str(tmp_path), data=[{"text": text} for text in strings], select="DAT")
    (of,) = report.profile.tokenizers
    found = {name: getattr(of, name) for name in ("tokens", "used", "unknown_tokens", "unknown_texts")}
    found["lengths"] = {int(length): int(count) for length, count in of.lengths["text"].counts.items()}
    assert found == expected(tokenizer, strings), (kind, of.method)
