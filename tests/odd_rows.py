"""Rows of each kind with all that is odd in them, and what two ways of looking at them must agree on."""

import unicodedata

ODD = [
    "하늘이 맑아서 산책하기 좋았다",
    "하늘이  맑아서 산책하기 좋았다",
    unicodedata.normalize("NFD", "하늘이 맑아서 산책하기 좋았다"),
    "",
    "  \t",
    "\u200b\ufeff",
    "\x1c",
    "a\x00b\x0bc",
    "영화 &amp; 음악<br />끝",
    "<B CLASS='x'>굵게</b>",
    "줄\\n바꿈 \\\\n \\u00e9",
    "\xa0빈칸",
    "lost \ufffd",
    "half \ud83d a pair",
    "재밌다".encode().decode("latin-1"),
    "안녕하세요 반갑습니다".encode("cp949").decode("latin-1"),
    "안녕하세요 만나서 반갑습니다 정말로".encode().decode("cp949", "ignore"),
    "가" * 130,
    "STRASSE straße Straße",
    "ΣΊΣΥΦΟΣ σίσυφος",
    "İstanbul ıstanbul",
    "👩\u200d👩\u200d👧 괜찮다",
    "ab\u200dc",
    "NA",
    "null",
    "１２３ ＡＢＣ ａｂｃ",
    "e\u0301 é É",
    "졓다고졓앚",
    "same text, long enough to count",
    "same text, long enough to count",
    "굿",
    "굿",
]


def rows_of(kind):
    """Rows of a kind with all that is odd in them."""
    if kind == "classification":
        return [{"text": text, "label": n % 3} for n, text in enumerate(ODD)] + [
            {"text": None, "label": 1},
            {"text": 7, "label": None},
            {"text": ["x"], "label": 2},
            {"text": ODD[0], "label": 2},
        ]
    if kind == "mixed":
        labels = [0, 1.0, "1", "긍정", None, [0, 1], [1, 0, 1], {"a": 1}, True, float("nan"), " ", ["x"]]
        return [{"text": text, "label": labels[n % len(labels)]} for n, text in enumerate(ODD * 2)]
    if kind == "pair":
        return [
            {"sentence1": text, "sentence2": ODD[-n] if n % 4 else None, "label": str(n % 2)}
            for n, text in enumerate(ODD)
        ]
    if kind == "sts":
        return [
            {"sentence1": text, "sentence2": ODD[-n], "score": n / 7 if n % 5 else None} for n, text in enumerate(ODD)
        ]
    if kind == "text":
        return [{"text": text} for text in ODD]
    if kind == "chat":
        return [
            {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": ODD[-n]}]}
            for n, text in enumerate(ODD)
        ] + [{"messages": []}, {"messages": [{"role": "user", "content": "<br"}, {"role": "user", "content": " >"}]}]
    if kind == "tagging":
        return [
            {"tokens": text.split(" "), "ner_tags": (["B-PER", "I-PER", "O", "I-LOC", None] * 9)[: n % 7]}
            for n, text in enumerate(ODD)
        ] + [{"tokens": ["", 3, "x"], "ner_tags": [0, 1, 2]}, {"tokens": [], "ner_tags": []}]
    contexts = ["서울은 대한민국의 수도이다. " + text for text in ODD]
    starts = [9, 10, None, -1, 0]
    return [
        {
            "id": str(n % 40),
            "question": f"질문 {n}?",
            "context": contexts[n % 9],
            "answers": [{"text": ("수도", "수 도", "", " 수도", "부산")[n % 5], "answer_start": starts[n % 5]}]
            * (n % 3),
            **({"is_impossible": n % 2 == 0} if n % 4 else {}),
        }
        for n in range(60)
    ] + [{"id": "x", "question": None, "context": "c"}, {"id": "x", "question": "q", "context": ""}]


KINDS = ("classification", "mixed", "pair", "sts", "text", "chat", "tagging", "squad")


def compared(facts):
    """What must be the same in both ways; heads and levels apart."""
    found = {}
    for split in (facts.train, facts.eval):
        found[split.name] = {
            "rows": split.rows,
            "total": split.total,
            "broken": split.broken,
            "files": split.files,
            "runs": split.runs,
            "sampled": split.sampled,
            "hits": {
                name: (h.count, dict(h.kinds), h.total, h.longest, [(hit.where, hit.said) for hit in h.first])
                for name, h in sorted(split.hits.items())
            },
            "labels": split.labels.to_json(),
        }
    return found


CSV = (
    'text,label\n가,1\n"나, 그리고",0\n다,1,더\n라\n\n"마\n바,1\n사",0\n"마\n바,0\n사",0\nNA,1\n가,0\n'
    + "하늘이 맑아서 산책하기 좋았다,1\n" * 3
)
