"""Extractive question answering: a passage is read for an answer. KorQuAD 1.0, KLUE-MRC, SQuAD 1.1 and 2.

    {"context": "서울은 대한민국의 수도이다.", "question": "수도는 어디인가?",
     "answers": [{"text": "서울", "answer_start": 0}]}

The passage is cut into windows that overlap (windows.py), the model says of each token how much it looks like the
first and the last of the answer, and the best pair over all windows is the answer (answers.py). Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.quantity import number
from pretune.train.answers import answers_of
from pretune.train.answers_files import files_of
from pretune.train.errors import error_rows
from pretune.train.examples import Examples
from pretune.train.metrics_reading import klue_mrc, korquad1, squad1, squad2
from pretune.train.questions import read_questions
from pretune.train.tasks import Prepared, Scores
from pretune.train.tasks.encode import limit_of, padding_of
from pretune.train.windows import cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.train.answers import Answers
    from pretune.train.metrics_reading import ReadingScores
    from pretune.train.questions import Questions
    from pretune.train.recipe import Recipe
    from pretune.train.windows import Windows

MAIN = {"korquad1": "f1", "squad1": "f1", "squad2": "f1", "klue_mrc": "rouge_w"}
"""The figure by which a model is chosen, by variant."""
ANSWERED_ONLY = ("korquad1", "squad1")
"""Variants that know no question without an answer."""
_SEEN = 2000
"""Questions that tell the language."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Questions to train and to be asked on; see tasks.Task."""

    recipe: Recipe
    train: Questions
    dev: Questions | None
    unanswerable: bool
    variant: str
    head: str = "QuestionAnswering"
    loss: str = "reading"
    outputs: tuple[str, ...] = ("start_logits", "end_logits")
    each_token: bool = True
    means: str = "question-answering"

    @property
    def main(self) -> str:
        """The variant's second figure, as papers report it."""
        return MAIN[self.variant]

    @property
    def config(self) -> Mapping[str, Any]:
        """Nothing: first and last token are the only two classes."""
        return {}

    @property
    def config_said(self) -> Mapping[str, Any]:
        """The same."""
        return {}

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Rows that cannot be used."""
        return self.train.skipped + (self.dev.skipped if self.dev else ())

    def prepare(self, tokenizer: Any, longest: int | None) -> Prepared:
        """Windows of both sets; dev's without labels."""
        unfit: Any = self.recipe.unfit
        limit = limit_of(tokenizer, longest, self.recipe.max_length)
        most, stride = limit or 384, self.recipe.stride
        windows = cut(self.train.rows, tokenizer, max_length=most, stride=stride, unfit=unfit)
        dev = None
        if self.dev is not None:
            dev = cut(self.dev.rows, tokenizer, max_length=most, stride=stride, labels=_placed(self.dev), unfit="skip")
        return Prepared(
            examples_of(windows, tokenizer),
            None if dev is None else examples_of(dev, tokenizer),
            tuple(self._said(windows, dev)),
            lambda row: self.train.rows[int(windows.example[row])].where,
            lambda outputs: self.score(dev, outputs),
        )

    def score(self, windows: Windows | None, outputs: Sequence[Any]) -> Scores:
        """EM and F1 of the variant from start and end logits, each (tokens,) of the dev windows."""
        assert windows is not None
        assert self.dev is not None
        recipe, questions = self.recipe, self.dev.rows
        answers = answers_of(
            questions,
            windows,
            (outputs[0], outputs[1]),
            null=self.unanswerable,
            n_best=recipe.n_best,
            max_answer_length=recipe.max_answer_length,
            null_threshold=recipe.null_threshold,
        )
        scores = self._scored(answers)
        errors = tuple(one._asdict() for one in error_rows(questions, answers.predictions(), scores))
        return Scores(self.variant, scores.figures, self.main, files_of(answers), errors)

    def _scored(self, answers: Answers) -> ReadingScores:
        golds = {one.id: one.texts for one in answers.questions}
        predictions = answers.predictions()
        if self.variant != "squad2":
            port = {"korquad1": korquad1, "squad1": squad1, "klue_mrc": klue_mrc}[self.variant]
            return port(predictions, golds)
        if answers.null_odds is None:
            return squad2(predictions, golds)
        ids = [one.id for one in answers.questions]
        odds = dict(zip(ids, answers.null_odds.tolist(), strict=True))
        best = dict(zip(ids, answers.best, strict=True))
        return squad2(best, golds, no_answer=odds, threshold=self.recipe.null_threshold)

    def _said(self, windows: Windows, dev: Windows | None) -> list[str]:
        asked = f"{number(len(self.train.rows))} questions in {number(len(windows))} windows"
        if dev is not None and self.dev is not None:
            asked += f", dev {number(len(self.dev.rows))} in {number(len(dev))}"
        none = sum(not one.answers for one in self.train.rows)
        said = [asked + (f"; {number(none)} questions have no answer" if none else "")]
        if windows.lost:
            said.append(
                f"{number(len(windows.lost))} answers are longer than what a window holds, the first {windows.lost[0]}"
            )
        left_out = windows.skipped + (dev.skipped if dev is not None else ())
        if left_out:
            said.append(f"{number(len(left_out))} questions do not fit a window, the first {left_out[0][0]}")
        plausible = self.train.plausible
        if plausible:
            said.append(f"{number(plausible)} impossible questions list plausible answers, which are not trained on")
        return said


def read(recipe: Recipe) -> Reading:
    """The questions of the recipe's files, and how they will be scored.

    Raises:
        UserError: files that are not there, or hold no questions.
    """
    data = recipe.setup.data
    columns = dict(data.columns)
    train = read_questions(data.train, purpose="train", unfit="skip", columns=columns)
    dev = read_questions(data.eval, purpose="eval", unfit="skip", columns=columns) if data.eval else None
    bare = any(not one.answers for split in (train, dev) if split for one in split.rows)
    unanswerable = bare if recipe.unanswerable is None else recipe.unanswerable
    variant = recipe.metric or _variant(dev or train, unanswerable=unanswerable)
    if variant in ANSWERED_ONLY and dev is not None:
        none = next((one for one in dev.rows if not one.answers), None)
        if none is not None:
            raise UserError(
                f"{none.where}: the question has no answer, which {variant} does not score",
                hint="--metric klue_mrc, or squad2",
            )
    return Reading(recipe, train, dev, unanswerable, variant)


def examples_of(windows: Windows, tokenizer: Any) -> Examples:
    """Windows as what is trained on."""
    import numpy as np

    labels = {}
    if windows.start_positions is not None:
        labels = {name: getattr(windows, name).astype(np.int64) for name in ("start_positions", "end_positions")}
    return Examples(windows.input_ids, windows.bounds, windows.token_type_ids, labels, **padding_of(tokenizer))


def _variant(questions: Questions, *, unanswerable: bool) -> str:
    """Korean data are scored as KorQuAD 1.0 or, with unanswerable questions, KLUE-MRC; others as SQuAD 1.1 or 2."""
    korean = sum(map(_korean, (one.question for one in questions.rows[:_SEEN])))
    if 2 * korean > min(len(questions.rows), _SEEN):
        return "klue_mrc" if unanswerable else "korquad1"
    return "squad2" if unanswerable else "squad1"


def _placed(questions: Questions) -> bool:
    """Whether it is known where every answer stands, without which there is no loss."""
    return all(one.answers[0].start is not None for one in questions.rows if one.answers)


def _korean(text: str) -> bool:
    return any("가" <= letter <= "힣" or "\u1100" <= letter <= "\u11ff" for letter in text)
