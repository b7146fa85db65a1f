"""The official scripts' scores, step for step, to compare with: KorQuAD 1.0, SQuAD 1.1 and 2.0, KLUE-MRC.

Written after evaluate-v1.0.py of korquad.github.io, evaluate-v1.1.py and evaluate-v2.0.py of SQuAD-explorer, and
klue_baseline/metrics of KLUE-baseline: same steps, same order, faults kept. One question at a time, nothing shared.
"""

import difflib
import re
import string
from collections import Counter


def korquad_normal(text: str) -> str:
    """normalize_answer of KorQuAD."""
    for mark in ("'", '"', "《", "》", "<", ">", "〈", "〉", r"\(", r"\)", "‘", "’"):
        text = re.sub(mark, " ", text)
    text = "".join(one for one in text.lower() if one not in set(string.punctuation))
    return " ".join(text.split())


def korquad_f1(prediction: str, truth: str) -> float:
    """f1_score of KorQuAD, by characters."""
    found, gold = [], []
    for word in korquad_normal(prediction).split():
        found.extend(list(word))
    for word in korquad_normal(truth).split():
        gold.extend(list(word))
    same = sum((Counter(found) & Counter(gold)).values())
    if same == 0:
        return 0
    precision, recall = 1.0 * same / len(found), 1.0 * same / len(gold)
    return (2 * precision * recall) / (precision + recall)


def squad_normal(text: str) -> str:
    """normalize_answer of SQuAD."""
    text = "".join(one for one in text.lower() if one not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def squad1_f1(prediction: str, truth: str) -> float:
    """f1_score of SQuAD 1.1, by words."""
    found, gold = squad_normal(prediction).split(), squad_normal(truth).split()
    same = sum((Counter(found) & Counter(gold)).values())
    if same == 0:
        return 0
    precision, recall = 1.0 * same / len(found), 1.0 * same / len(gold)
    return (2 * precision * recall) / (precision + recall)


def version1(name: str, predictions: dict[str, str], answers: dict[str, list[str]]) -> dict[str, float]:
    """Evaluate of KorQuAD 1.0 and SQuAD 1.1."""
    normal, score = (korquad_normal, korquad_f1) if name == "korquad1" else (squad_normal, squad1_f1)
    exact = f1 = total = 0.0
    for key, truths in answers.items():
        total += 1
        if key not in predictions:
            continue
        exact += max(normal(predictions[key]) == normal(truth) for truth in truths)
        f1 += max(score(predictions[key], truth) for truth in truths)
    return {"exact_match": 100.0 * exact / total, "f1": 100.0 * f1 / total}


def squad2_f1(truth: str, prediction: str) -> float:
    """compute_f1 of SQuAD 2.0."""
    gold, found = (squad_normal(one).split() if one else [] for one in (truth, prediction))
    same = sum((Counter(gold) & Counter(found)).values())
    if len(gold) == 0 or len(found) == 0:
        return int(gold == found)
    if same == 0:
        return 0
    precision, recall = 1.0 * same / len(found), 1.0 * same / len(gold)
    return (2 * precision * recall) / (precision + recall)


def squad2(
    predictions: dict[str, str], answers: dict[str, list[str]], odds: dict[str, float], threshold: float
) -> dict[str, float]:
    """Main of SQuAD 2.0 with --na-prob-file and --na-prob-thresh."""
    raw: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for key, truths in answers.items():
        golds = [one for one in truths if squad_normal(one)] or [""]
        raw[0][key] = max(int(squad_normal(one) == squad_normal(predictions[key])) for one in golds)
        raw[1][key] = max(squad2_f1(one, predictions[key]) for one in golds)
    made = {}
    for name, scores in zip(("exact", "f1"), raw, strict=True):
        kept = {key: float(not answers[key]) if odds[key] > threshold else one for key, one in scores.items()}
        for prefix, keys in (
            ("", list(answers)),
            ("HasAns_", [key for key in answers if answers[key]]),
            ("NoAns_", [key for key in answers if not answers[key]]),
        ):
            made[prefix + name] = 100.0 * sum(kept[key] for key in keys) / len(keys)
            made[prefix + "total"] = len(keys)
        best = current = sum(1 for key in answers if not answers[key])
        best_at = 0.0
        for key in sorted(odds, key=lambda key: odds[key]):
            if key not in scores:
                continue
            current += scores[key] if answers[key] else (-1 if predictions[key] else 0)
            if current > best:
                best, best_at = current, odds[key]
        made[f"best_{name}"], made[f"best_{name}_thresh"] = 100.0 * best / len(scores), best_at
    return made


def klue_normal(text: str) -> str:
    """normalize_answer_for_klue_mrc."""
    text = re.sub(r"['\"《》<>〈〉]\(\)‘’", " ", text.lower())
    text = "".join(one for one in text if one not in set(string.punctuation))
    return " ".join(text.split())


def klue_rouge(prediction: str, truth: str) -> float:
    """rouge_w of compute_lcs_scores."""
    found, gold = klue_normal(prediction), klue_normal(truth)
    if not gold:
        return float(not found)
    match = difflib.SequenceMatcher(a=found, b=gold).find_longest_match(0, len(found), 0, len(gold))
    if match.size == 0 or not found:
        return 0.0
    precision, recall = match.size / len(found), match.size / len(gold)
    return 2 * precision * recall / (precision + recall)


def klue(predictions: dict[str, str], answers: dict[str, list[str]]) -> dict[str, float]:
    """KLUE-MRC's two figures."""
    exact = sum(
        max(float(klue_normal(one) == klue_normal(predictions[key])) for one in truths or [""])
        for key, truths in answers.items()
    )
    rouge = sum(max(klue_rouge(predictions[key], one) for one in truths or [""]) for key, truths in answers.items())
    return {"exact_match": 100.0 * exact / len(answers), "rouge_w": 100.0 * rouge / len(answers)}
