"""Small Korean data sets as a trainee would bring them: reviews, sentence pairs, questions, names, chats.

Every sentence is made of parts written by hand, so that rows differ as real rows do. Knows no models and no faults.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

Row = dict[str, Any]

_PLACES = (
    "골목 안쪽 식당", "호숫가 펜션", "역 앞 미용실", "주말 도자기 수업", "동네 빵집", "새로 연 서점", "바닷가 캠핑장", "시장 국밥집",
    "아이 수영 강습", "온라인 영어 강의", "중고 노트북 가게", "한옥 게스트하우스", "공원 옆 카페", "자전거 대여점", "반려견 호텔", "전통 찻집",
)  # fmt: skip
_GOOD = (
    "직원분이 처음부터 끝까지 웃으며 설명해 주셨어요", "기다린 시간이 아깝지 않을 만큼 만족했습니다", "가격에 비해 구성이 알차서 놀랐어요",
    "부모님을 모시고 다시 오고 싶을 정도로 좋았습니다", "깨끗하고 조용해서 하루 종일 편하게 쉬었어요", "준비가 꼼꼼해서 불편한 점이 하나도 없었습니다",
    "기대보다 훨씬 훌륭해서 친구에게 바로 추천했어요", "작은 부탁도 빠르게 들어주셔서 정말 고마웠습니다", "맛과 분위기 모두 나무랄 데가 없네요",
    "덕분에 오랜만에 가족이 함께 즐거운 시간을 보냈어요",
)  # fmt: skip
_BAD = (
    "예약을 했는데도 사십 분을 밖에서 기다렸습니다", "사진과 너무 달라서 들어가자마자 실망했어요", "환불을 요청했더니 며칠째 답이 없습니다",
    "바닥에 먼지가 쌓여 있어서 앉기가 꺼려졌어요", "설명도 없이 요금을 두 배로 받아서 화가 났습니다", "소음이 심해서 한숨도 못 자고 돌아왔어요",
    "음식이 식어서 나왔고 사과 한마디 없었습니다", "다시는 찾지 않을 것 같고 돈이 아깝습니다", "직원끼리 떠드느라 손님은 뒷전이더라고요",
    "고장 난 물건을 보내 놓고 책임을 미루기만 하네요",
)  # fmt: skip
_WHEN = (
    "지난주에 다녀온", "비 오는 날 들른", "친구가 알려 준", "생일을 맞아 찾은", "출장길에 이용한", "석 달 동안 다닌", "우연히 알게 된",
)  # fmt: skip

_TOWNS = (
    ("강릉", "안목 해변", "커피 거리", "1980년대에 자판기 커피가 인기를 끌면서 생겨났다"),
    ("전주", "풍남동", "한옥 마을", "1930년대 무렵 일본 상인에 맞서 주민들이 집을 지으며 이루어졌다"),
    ("통영", "동호동", "벽화 마을", "2007년 철거를 막으려고 학생들이 담에 그림을 그리면서 알려졌다"),
    ("순천", "대대동", "갈대밭", "2006년 람사르 협약에 등록되면서 널리 소개되었다"),
    ("안동", "풍천면", "하회 마을", "2010년 세계 문화유산으로 지정되면서 찾는 이가 늘었다"),
    ("춘천", "명동", "닭갈비 골목", "1960년대 말 술안주로 팔던 음식이 퍼지면서 자리를 잡았다"),
    ("부산", "감천동", "문화 마을", "2009년 미술 사업이 시작되면서 새롭게 바뀌었다"),
    ("공주", "금성동", "산성", "475년 도읍을 옮긴 뒤 왕궁을 지키려고 쌓았다"),
    ("경주", "교동", "최부자 집", "1700년 무렵 지어져 열두 대에 걸쳐 살림을 이어 왔다"),
    ("목포", "유달동", "근대 거리", "1897년 항구가 열리면서 서양식 건물이 들어섰다"),
    ("담양", "학동리", "가로수 길", "1972년 묘목을 심기 시작하면서 만들어졌다"),
    ("제주", "구좌읍", "비자나무 숲", "1993년 천연기념물로 보호받으면서 정비되었다"),
)  # fmt: skip
_PEOPLE = (
    "김민준",
    "이서연",
    "박도윤",
    "최지우",
    "정하은",
    "강시우",
    "조예린",
    "윤태호",
    "장수아",
    "임건우",
    "한소희",
    "오재석",
)
_FIRMS = ("한빛전자", "대성물산", "누리은행", "푸른건설", "새벽출판", "동해식품", "가람제약", "미래통신")


def reviews(count: int = 48, *, start: int = 0, labels: tuple[Any, Any] = (0, 1)) -> list[Row]:
    """Reviews, every other one good (`labels[1]`). No two share both their place and what was felt."""
    made = []
    for number in range(start, start + count):
        good = number % 2
        felt = (_GOOD if good else _BAD)[(number // 2) % 10]
        place = _PLACES[(number // 2 + number // 20 * 3 + 5 * good) % 16]
        guest = f" {number}번째로 남긴 후기입니다." if number >= 160 else ""
        made.append({"text": f"{_WHEN[number % 7]} {place}, {felt}.{guest}", "label": labels[good]})
    return made


def pairs(count: int = 48, *, start: int = 0, labels: tuple[Any, ...] = (0, 1)) -> list[Row]:
    """Two sentences, and whether they speak of the same place."""
    made = []
    for number in range(start, start + count):
        same = number % 2
        place, other = _PLACES[number % 16], _PLACES[(number + (0 if same else 5)) % 16]
        first = f"{_WHEN[number % 7]} {place}에서 저녁까지 머물렀다."
        second = f"{_PEOPLE[number % 12]} 씨는 {other}에 {number + 2}번이나 다녀왔다."
        made.append({"sentence1": first, "sentence2": second, "label": labels[same]})
    return made


def similarities(count: int = 48, *, start: int = 0) -> list[Row]:
    """Two sentences and a score of 0 to 5."""
    rows = pairs(count, start=start)
    return [
        {"sentence1": row["sentence1"], "sentence2": row["sentence2"], "score": (number * 7 % 11) / 2}
        for number, row in enumerate(rows)
    ]


def paragraph(number: int, *, town: int | None = None) -> str:
    """A paragraph about a town; `number` may be any."""
    name, place, sight, story = _TOWNS[(number if town is None else town) % 12]
    return (
        f"{name}의 {_topic(sight)} {place}에 있으며 {story}. {_walker(number)} 씨가 쓴 안내서에 따르면 "
        f"해마다 {number * 3 + 12}만 명이 이곳을 찾는다. 마을 사람들은 길을 손보고 작은 가게를 열어 손님을 맞는다."
    )


def _walker(number: int) -> str:
    return _PEOPLE[(number * 5 + number // 12) % 12]


def _topic(word: str) -> str:
    """The word with 은 or 는."""
    closed = "가" <= word[-1] <= "힣" and (ord(word[-1]) - ord("가")) % 28 > 0
    return word + ("은" if closed else "는")


def questions(count: int = 27, *, start: int = 0) -> list[Row]:
    """Rows of machine reading comprehension, three questions a paragraph; from `start=27` on, of other towns."""
    made = []
    for number in range(start, start + count):
        about = number // 3
        town, place, sight, _ = _TOWNS[about % 12]
        context = paragraph(about)
        asked = (
            (f"{town}의 {_topic(sight)} 어디에 있는가?", place),
            (f"{town} {sight} 안내서를 쓴 사람은 누구인가?", _walker(about)),
            (f"{town} {sight}에는 해마다 몇 명이 오는가?", f"{about * 3 + 12}만 명"),
        )
        question, answer = asked[number % 3]
        answers = {"text": [answer], "answer_start": [context.index(answer)]}
        made.append({"id": f"q-{number}", "question": question, "context": context, "answers": answers})
    return made


def names(count: int = 36, *, start: int = 0) -> list[Row]:
    """Sentences split at spaces, one BIO tag a word."""
    made = []
    for number in range(start, start + count):
        town, place, sight, _ = _TOWNS[number % 12]
        pieces = [
            (_PEOPLE[(number * 7) % 12], "B-PER"), ("씨는", "O"), (_FIRMS[number % 8], "B-ORG"), ("직원과", "O"),
            (f"{number % 28 + 1}일", "O"), (town, "B-LOC"), *((word, "I-LOC") for word in place.split()),
            *((word, "O") for word in sight.split()), ("근처를", "O"), ("걸었다", "O"), (".", "O"),
        ]  # fmt: skip
        made.append({"tokens": [word for word, _ in pieces], "tags": [tag for _, tag in pieces]})
    return made


def plain(count: int = 40, *, start: int = 0) -> list[Row]:
    """Running text for language modelling."""
    return [{"text": paragraph(number)} for number in range(start, start + count)]


def chats(count: int = 32, *, start: int = 0, system: bool = False) -> list[Row]:
    """Chats of one question and one answer, each maybe opened by the system."""
    made = []
    for row in questions(count, start=start):
        turns = [
            {"role": "user", "content": row["question"]},
            {
                "role": "assistant",
                "content": f"{row['answers']['text'][0]}입니다. 더 궁금한 점이 있으면 말씀해 주세요.",
            },
        ]
        opening = [{"role": "system", "content": "당신은 여행을 돕는 친절한 안내원입니다."}] if system else []
        made.append({"messages": opening + turns})
    return made


def english(count: int = 48, *, start: int = 0) -> list[Row]:
    """English reviews."""
    places = (
        "the harbor cafe",
        "a rented cabin",
        "the night market",
        "our piano course",
        "this old hotel",
        "the bike shop",
    )
    good = (
        "was calm and worth every cent",
        "made the whole family happy",
        "felt better than the pictures",
        "had kind people",
    )
    bad = (
        "was loud until morning",
        "kept us waiting for an hour",
        "sent a broken thing and no answer",
        "felt cold and dirty",
    )
    made = []
    for number in range(start, start + count):
        felt = (good if number % 2 else bad)[number // 2 % 4]
        text = f"In week {number + 3} of our trip {places[number % 6]} {felt}, said guest number {number * 7 + 1}."
        made.append({"text": text, "label": number % 2})
    return made


def everything() -> Iterable[str]:
    """All text of these data sets, to make vocabularies from."""
    for rows in (reviews(96), pairs(96), questions(48), plain(96), chats(48, system=True)):
        for row in rows:
            for value in row.values():
                yield from _texts(value)
    for row in names(48):
        yield " ".join(row["tokens"])


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in islice(value, 8):
            yield from _texts(inner)
