"""Classes, similarities and entities scored as scikit-learn, seqeval and KLUE-baseline do it, in percent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def accuracy(predictions: Sequence[Any], labels: Sequence[Any]) -> float:
    """Percent of predictions that are their label; KLUE-NLI's figure.

    Source: klue_nli_acc in klue_baseline/metrics/functional.py of KLUE-baseline.

    Raises:
        UserError: none, or not as many of the one as of the other.
    """
    _paired(predictions, labels)
    return 100.0 * sum(bool(a == b) for a, b in zip(predictions, labels, strict=True)) / len(labels)


def f1(
    predictions: Sequence[Any],
    labels: Sequence[Any],
    *,
    average: Literal["macro", "micro"] = "macro",
    among: Sequence[Any] | None = None,
    absent: float = 0.0,
) -> float:
    """F1 of classes in percent; a class that neither predictions nor labels have counts `absent`.

    Args:
        predictions: classes.
        labels: true classes.
        average: `macro` the mean over classes, `micro` over decisions.
        among: classes that count; None: all that predictions or labels have. KLUE-TC (YNAT) is macro over these,
            KLUE-RE micro among all relations but no_relation.
        absent: scikit-learn's zero_division.

    Source: f1_score of scikit-learn.

    Raises:
        UserError: none, or not as many of the one as of the other.
    """
    _paired(predictions, labels)
    right = Counter(a for a, b in zip(predictions, labels, strict=True) if a == b)
    found, there = Counter(predictions), Counter(labels)
    classes = list(dict.fromkeys([*labels, *predictions])) if among is None else list(among)
    if average == "micro":
        total = sum(found[one] + there[one] for one in classes)
        return 100.0 * (2 * sum(right[one] for one in classes) / total if total else absent)
    scores = [2 * right[one] / (found[one] + there[one]) if found[one] + there[one] else absent for one in classes]
    return 100.0 * sum(scores) / len(scores)


def pearson(predictions: Sequence[float], scores: Sequence[float]) -> float:
    """Pearson's correlation times 100; not a number where either side is constant. KLUE-STS, STS-B.

    Source: klue_sts_pearsonr in klue_baseline/metrics/functional.py of KLUE-baseline.

    Raises:
        UserError: none, or not as many of the one as of the other.
    """
    import numpy as np

    _paired(predictions, scores)
    first, second = (np.asarray(one, np.float64) for one in (predictions, scores))
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return 100.0 * float((first * second).sum()) / size if size else float("nan")


def similar_f1(predictions: Sequence[float], scores: Sequence[float], *, threshold: float = 3.0) -> float:
    """F1 in percent of "alike": both sides are cut at the threshold, KLUE-STS's at 3.0 of 5.

    Source: klue_sts_f1 in klue_baseline/metrics/functional.py of KLUE-baseline.

    Raises:
        UserError: none, or not as many of the one as of the other.
    """
    return f1([one >= threshold for one in predictions], [one >= threshold for one in scores], among=[True])


def entity_macro_f1(predictions: Sequence[str], labels: Sequence[str]) -> float:
    """KLUE-NER's entity F1 in percent: mean over types, an entity is right when type, first and last place are.

    Strict IOB2: an entity begins with B-; an I- that continues none is no entity.

    Args:
        predictions: tags of all characters, one sentence after another, as KLUE-baseline joins them.
        labels: the true ones.

    Source: klue_ner_entity_macro_f1 in klue_baseline/metrics/functional.py (seqeval, mode strict, scheme IOB2).

    Raises:
        UserError: none, or not as many of the one as of the other.
    """
    return entity_f1(predictions, labels)


def entity_f1(
    predictions: Sequence[str], labels: Sequence[str], *, average: Literal["macro", "micro"] = "macro"
) -> float:
    """Entity F1 in percent, strict IOB2: `macro` the mean over types, `micro` over entities, as CoNLL is reported.

    Args:
        predictions: tags of all sentences joined, an O between them.
        labels: the true ones.
        average: over what.

    Source: f1_score of seqeval, mode strict, scheme IOB2.

    Raises:
        UserError: none, or not as many of the one as of the other.
    """
    _paired(predictions, labels)
    found, there = set(_entities(predictions)), set(_entities(labels))
    kinds = sorted({kind for kind, _, _ in found | there})
    if not kinds:
        return 0.0
    if average == "micro":
        return 100.0 * 2 * len(found & there) / (len(found) + len(there))
    counts = [Counter(kind for kind, _, _ in one) for one in (found & there, found, there)]
    return 100.0 * sum(2 * counts[0][kind] / (counts[1][kind] + counts[2][kind]) for kind in kinds) / len(kinds)


def character_macro_f1(predictions: Sequence[str], labels: Sequence[str], *, tags: Sequence[str]) -> float:
    """KLUE-NER's character F1 in percent: mean over all tags, O included, whatever its documentation says.

    A tag that neither side has counts 100, as KLUE-baseline's zero_division=True has it.

    Args:
        predictions: tags of all characters.
        labels: the true ones.
        tags: all tags of the task.

    Source: klue_ner_char_macro_f1 in klue_baseline/metrics/functional.py of KLUE-baseline.

    Raises:
        UserError: none, or not as many of the one as of the other.
    """
    return f1(predictions, labels, among=tags, absent=1.0)


def _entities(tags: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Type, first place and the place after the last of each entity."""
    begun: tuple[str, int] | None = None
    for at, tag in enumerate(tags):
        mark, _, kind = tag.partition("-")
        if begun is not None and not (mark == "I" and kind == begun[0]):
            yield (*begun, at)
            begun = None
        if mark == "B":
            begun = (kind, at)
    if begun is not None:
        yield (*begun, len(tags))


def _paired(predictions: Sequence[Any], labels: Sequence[Any]) -> None:
    if len(predictions) != len(labels) or len(labels) == 0:
        raise UserError(f"{len(predictions)} predictions and {len(labels)} labels, expected as many of both, and some")
