"""Finished texts as pretune says them, against the Korean catalogue: hardly an English word is left in any of them."""

import re
from pathlib import Path

import pytest

from pretune.core.language import say

RECORDED = Path(__file__).with_name("composed_texts.txt")
FEWEST = 0.95
"""Share of the recorded texts in which no English is left; the rest pass on words of libraries, files or papers."""
ENGLISH = frozenset(
    "a the is are was were be has have of and or not no in at on it its that which with for from by to than as "
    "where while but there this these they more fewer all any each every does do".split()
)
"""Words that stand in a sentence only: no name of a file, a key or a library is one of them."""


def left(text: str) -> list[str]:
    """English words of a sentence in a text, outside of quotes and code."""
    bare = re.sub(r"`[^`]*`|\"[^\"]*\"|'[^']*'", " ", text)
    return [word for word in re.findall(r"(?<![\w./\-=])[a-z]+(?![\w/=\-]|\.\w)", bare) if word in ENGLISH]


@pytest.fixture
def _korean(monkeypatch) -> None:
    monkeypatch.setenv("PRETUNE_LANG", "ko")


@pytest.mark.usefixtures("_korean")
def test_hardly_any_english_is_left() -> None:
    """Of the recorded texts, one of each kind, nearly all come out in Korean alone."""
    texts = [line for line in RECORDED.read_text(encoding="utf-8").splitlines() if not line.startswith("# ")]
    english = [(text, say(text)) for text in texts if say(text) == text or left(say(text))]
    assert len(english) <= (1 - FEWEST) * len(texts), english


@pytest.mark.usefixtures("_korean")
def test_korean_reads_as_one_sentence() -> None:
    """No sentence stands where a noun belongs, no bracket is doubled, no particle is cut off by a space."""
    texts = RECORDED.read_text(encoding="utf-8").splitlines()
    glitch = re.compile(r"입니다입니다|습니다개|[가-힣]개개|\(\(|니다[가-힣]|\w [은는을를](?: |$)|[가-힣] {2,}")
    odd = [(text, say(text)) for text in texts if glitch.search(say(text))]
    assert odd == []


@pytest.mark.usefixtures("_korean")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clip_grad_norm_ comes after step() at line 22", "clip_grad_norm_이 22번째 줄의 step()보다 뒤에 옵니다"),
        (
            "8 of 800 sampled train rows (also :512 and :524) repeat an earlier row, label and all (1.0 %)",
            "train 표본 800행 중 8행(:512, :524에도)이 앞의 행을 라벨까지 되풀이합니다(1.0 %)",
        ),
        ("output_dir is [] (list), expected str or null", "output_dir가 [](list)입니다. 필요한 것: str 또는 null"),
        (
            'optim is "adam" but transformers 5.23 knows 12 others (sgd, lion, …)',
            'optim이 "adam"인데, transformers 5.23에서 쓸 수 있는 값은 다음과 같습니다: sgd, lion 등 12가지',
        ),
        (
            "klue/bert-base reads this corpus: 0.9 % of words unknown, 25 % whole",
            "klue/bert-base는 이 코퍼스를 읽습니다: 미등록 단어 0.9 %, 온전한 단어 25 %",
        ),
        (
            "gradient_accumulation_steps 8 makes loss and gradient 8 times too large: A does not divide the loss of x-y heads",
            "gradient_accumulation_steps 8이 손실과 그래디언트를 8배로 키웁니다: A는 x-y 헤드의 손실을 나누지 않습니다",
        ),
        ("the name is now eval_strategy", "이제 이름은 eval_strategy입니다"),
        ("after 1 min 24 s, on vm", "1분 24초 만에, vm에서"),
        ("separator is last token here", "여기서는 separator가 last token과 같습니다"),
        (
            "t.py: runs with transformers 4.46 to 4.50 (Trainer(a=...) in line 9 came with 4.46, B in line 8 is gone since 4.51)",
            "t.py: transformers 4.46부터 4.50까지 실행됩니다(9번째 줄의 Trainer(a=...)는 4.46에 생겼고, 8번째 줄의 B는 4.51부터 없습니다)",
        ),
        ("--fix will: rename a_strategy to b_strategy", "--fix가 할 일: a_strategy의 이름을 b_strategy로 바꾸기"),
        (
            "answer_start misses its answer in 5 of 37 train rows: it counts UTF-8 bytes in 3, is off by +1 in 1",
            "train 37행 중 5행에서 answer_start가 정답에서 벗어납니다: UTF-8 바이트를 셈(3행), +1만큼 어긋남(1행)",
        ),
        ("4 train labels are outside 0..1, up to 2", "train 라벨 4개가 0..1 밖에 있습니다(가장 먼 값 2)"),
        (
            "To see a difference of .052 takes about 310 pairs, of .010 about 8,400 pairs; there are 60.",
            "차이 .052를 보려면 쌍 310개쯤, .010을 보려면 쌍 8,400개쯤이 필요합니다. 지금은 60개입니다.",
        ),
        ("layer 6 sif, centred *", "레이어 6 sif, 중심화 *"),
        ("A.weight is 2 x 384, would have to be 1 x 384", "A.weight는 2 x 384인데 1 x 384여야 합니다"),
        ("A.weight is 2 x 384, would have to be 1 x 256", "A.weight는 2 x 384인데 1 x 256이어야 합니다"),
        (
            "24 % of 9 words in train are unknown, 43 % of those in Latin: `가` is `[UNK]`",
            "train의 단어 9개 중 24 %를 모릅니다. 라틴 문자로 쓴 단어에서는 43 %입니다: `가`는 `[UNK]`가 됩니다",
        ),
        ("it has no token for 24 % of Hangul characters", "한글 글자의 24 %에 토큰이 없습니다"),
        (
            "1 new token keeps its first row: special, unknown until now, or never on its own in a text",
            "새 토큰 1개는 처음의 행을 유지합니다: 스페셜이거나, 지금까지 미등록이었거나, 텍스트에 홀로 나오지 않습니다",
        ),
        (
            "A: b.bias begin at random; c.bias are not used",
            "A: b.bias는 무작위 값에서 시작합니다; c.bias는 쓰이지 않습니다",
        ),
        ("loss 5.0879  lr 2.00e-04  1,182 tokens/s", "손실 5.0879  lr 2.00e-04  초당 토큰 1,182개"),
        ("declared", "선언됨"),
        ("new row", "새 행"),
        ("No such option '--foo'", "옵션 '--foo'가 없습니다"),
        ("2 threads", "스레드 2개"),
        (
            "3 of 37 train rows write Hangul decomposed (NFD), 8.1 %, while eval has none",
            "train 37행 중 3행이 한글을 풀어 적었습니다(NFD), 8.1 %, eval에는 없음",
        ),
    ],
)
def test_texts_are_put_together(text: str, expected: str) -> None:
    """Values that are places, rows, lists, names, clauses, words of ours, durations: a text of each kind."""
    assert say(text) == expected
