"""What transformers' examples/pytorch/question-answering does to features and logits, step for step, to compare with.

Written after run_qa.py and utils_qa.py of transformers 4.57 and 5 (Apache-2.0): same calls, same order, same ties.
"""

from collections import defaultdict
from typing import Any

import numpy as np


def tokenized(tokenizer: Any, examples: dict[str, list], max_length: int, stride: int) -> Any:
    """The call of the tokenizer that both functions share."""
    right = tokenizer.padding_side == "right"
    questions = [question.lstrip() for question in examples["question"]]
    return tokenizer(
        questions if right else examples["context"],
        examples["context"] if right else questions,
        truncation="only_second" if right else "only_first",
        max_length=max_length,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        padding=False,
    )


def train_features(tokenizer: Any, examples: dict[str, list], max_length: int = 384, stride: int = 128) -> Any:
    """prepare_train_features."""
    found = tokenized(tokenizer, examples, max_length, stride)
    of_example, mapping = found.pop("overflow_to_sample_mapping"), found.pop("offset_mapping")
    wanted = 1 if tokenizer.padding_side == "right" else 0
    found["start_positions"], found["end_positions"] = [], []
    for window, offsets in enumerate(mapping):
        ids = found["input_ids"][window]
        cls = next((ids.index(t) for t in (tokenizer.cls_token_id, tokenizer.bos_token_id) if t in ids), 0)
        sequence = found.sequence_ids(window)
        answers = examples["answers"][of_example[window]]
        start, end = cls, cls
        if answers["answer_start"]:
            begins = answers["answer_start"][0]
            ends = begins + len(answers["text"][0])
            first = 0
            while sequence[first] != wanted:
                first += 1
            last = len(ids) - 1
            while sequence[last] != wanted:
                last -= 1
            if offsets[first][0] <= begins and offsets[last][1] >= ends:
                while first < len(offsets) and offsets[first][0] <= begins:
                    first += 1
                while offsets[last][1] >= ends:
                    last -= 1
                start, end = first - 1, last + 1
        found["start_positions"].append(start)
        found["end_positions"].append(end)
    return found


def validation_features(tokenizer: Any, examples: dict[str, list], max_length: int = 384, stride: int = 128) -> Any:
    """prepare_validation_features."""
    found = tokenized(tokenizer, examples, max_length, stride)
    of_example = found.pop("overflow_to_sample_mapping")
    wanted = 1 if tokenizer.padding_side == "right" else 0
    found["example_id"] = [examples["id"][at] for at in of_example]
    for window, offsets in enumerate(found["offset_mapping"]):
        sequence = found.sequence_ids(window)
        kept = [span if sequence[at] == wanted else None for at, span in enumerate(offsets)]
        found["offset_mapping"][window] = kept
    return found


def postprocess(
    examples: list[dict[str, Any]],
    features: list[dict[str, Any]],
    logits: tuple[Any, Any],
    *,
    v2: bool = False,
    n_best: int = 20,
    longest: int = 30,
    threshold: float = 0.0,
) -> tuple[dict[str, str], dict[str, list], dict[str, float]]:
    """postprocess_qa_predictions: predictions, n-best lists, null odds."""
    of_example = defaultdict(list)
    for at, feature in enumerate(features):
        of_example[feature["example_id"]].append(at)
    best: dict[str, str] = {}
    lists: dict[str, list] = {}
    odds: dict[str, float] = {}
    for example in examples:
        null = None
        found = []
        for at in of_example[example["id"]]:
            starts, ends, offsets = logits[0][at], logits[1][at], features[at]["offset_mapping"]
            score = starts[0] + ends[0]
            if null is None or null["score"] > score:
                null = {"offsets": (0, 0), "score": score, "start_logit": starts[0], "end_logit": ends[0]}
            for start in np.argsort(starts)[-1 : -n_best - 1 : -1].tolist():
                for end in np.argsort(ends)[-1 : -n_best - 1 : -1].tolist():
                    if max(start, end) >= len(offsets) or offsets[start] is None or offsets[end] is None:
                        continue
                    if end < start or end - start + 1 > longest:
                        continue
                    found.append(
                        {
                            "offsets": (offsets[start][0], offsets[end][1]),
                            "score": starts[start] + ends[end],
                            "start_logit": starts[start],
                            "end_logit": ends[end],
                        }
                    )
        if v2:
            found.append(null)
        kept = sorted(found, key=lambda one: one["score"], reverse=True)[:n_best]
        if v2 and not any(one["offsets"] == (0, 0) for one in kept):
            kept.append(null)
        for one in kept:
            a, b = one.pop("offsets")
            one["text"] = example["context"][a:b]
        if not kept or (len(kept) == 1 and kept[0]["text"] == ""):
            kept.insert(0, {"text": "empty", "start_logit": 0.0, "end_logit": 0.0, "score": 0.0})
        scores = np.array([one["score"] for one in kept])
        chances = np.exp(scores - np.max(scores))
        for one, chance in zip(kept, chances / chances.sum(), strict=True):
            one["probability"] = chance
        if v2:
            other = next(one for one in kept if one["text"])
            difference = null["score"] - other["start_logit"] - other["end_logit"]
            odds[example["id"]] = float(difference)
            best[example["id"]] = "" if difference > threshold else other["text"]
        else:
            best[example["id"]] = kept[0]["text"]
        lists[example["id"]] = [{k: v if k == "text" else float(v) for k, v in one.items()} for one in kept]
    return best, lists, odds
