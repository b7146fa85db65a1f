"""A sentencepiece model gets pieces and names, and nothing else of it changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.artifacts.sentencepiece_model import Piece, PieceType, parse
from pretune.core.errors import UserError
from pretune.tokens.sentencepiece_write import append_pieces, edit_model, rename_piece
from tokens.sentencepiece_made import made_model, message, pieces

WORD = Piece("▁코로나", -9.5, PieceType.NORMAL)


def test_nothing_to_do_changes_no_byte() -> None:
    """Without an edit the bytes are the same."""
    assert edit_model(made_model(unknown_field=True)) == made_model(unknown_field=True)


def test_appended_pieces_get_the_next_ids() -> None:
    """Pieces are appended behind the last, and the bytes around them stay."""
    before = made_model(unknown_field=True)
    after = append_pieces(before, [WORD, Piece("[E1]", 0.0, PieceType.USER_DEFINED)])
    assert parse(after, name="x").pieces[:-2] == parse(before, name="x").pieces
    assert parse(after, name="x").pieces[-2:] == (WORD, Piece("[E1]", 0.0, PieceType.USER_DEFINED))
    split = next(at for at in range(len(before)) if before[at] != after[at])
    added = len(after) - len(before)
    assert before[split:] == after[split + added :]


def test_a_renamed_piece_keeps_its_place() -> None:
    """A slot becomes a word: its id and everything else stay, its type becomes normal."""
    before = made_model()
    after = rename_piece(before, 4, "▁코로나", score=-9.5)
    found = parse(after, name="x").pieces
    assert found[4] == WORD
    assert found[:4] + found[5:] == parse(before, name="x").pieces[:4] + parse(before, name="x").pieces[5:]
    assert rename_piece(after, 4, "[MASK]", score=0.0, kind=PieceType.USER_DEFINED) == before
    assert parse(rename_piece(before, 6, "x"), name="x").pieces[6].score == parse(before, name="x").pieces[6].score


def test_fields_nobody_knows_stay_in_a_renamed_piece() -> None:
    """A piece's further fields are kept."""
    odd = message(1, message(1, b"old") + b"\x15\0\0\x80\xbf" + message(100, b"kept"))
    after = rename_piece(odd + made_model(), 0, "new")
    assert message(100, b"kept") in after
    assert parse(after, name="x").pieces[0] == Piece("new", -1.0, PieceType.NORMAL)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda data: rename_piece(data, 99, "x"), "has no piece 99: its ids end at 35"),
        (lambda data: rename_piece(data, -1, "x"), "has no piece -1"),
        (lambda data: append_pieces(data, [Piece("[UNK]", 0.0, 1)]), "has the piece '[UNK]' already"),
        (lambda data: append_pieces(data, [WORD, WORD]), "has the piece '▁코로나' already"),
        (lambda data: append_pieces(data, [Piece("", 0.0, 1)]), "'' cannot be a sentencepiece piece"),
        (lambda data: append_pieces(data, [Piece("a b", 0.0, 1)]), "a space is written ▁"),
        (lambda data: append_pieces(data, [Piece("a", float("nan"), 1)]), "nan cannot be the score of 'a'"),
        (lambda data: append_pieces(data, [Piece("\ud800", 0.0, 1)]), "no text that UTF-8 can write"),
        (lambda data: append_pieces(data[:-1], [WORD]), "is no sentencepiece model"),
        (lambda data: append_pieces(b"", [WORD]), "it holds no pieces"),
    ],
)
def test_refusals(edit: object, said: str) -> None:
    """What sentencepiece would not load is refused in one line."""
    with pytest.raises(UserError) as caught:
        edit(made_model())
    assert said in caught.value.message


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters=" \0", exclude_categories=["Cs"]), min_size=1),
            st.floats(-99, 0, width=32),
        ),
        unique_by=lambda row: row[0],
    )
)
def test_any_pieces_come_back(rows: list[tuple[str, float]]) -> None:
    """Whatever is appended is read back as it was."""
    known = {piece.text for piece in pieces()}
    new = [Piece(text, score, PieceType.NORMAL) for text, score in rows if text not in known]
    assert list(parse(append_pieces(made_model(), new), name="x").pieces[len(pieces()) :]) == new


def test_sentencepiece_loads_it_and_cuts_no_new_word() -> None:
    """The package itself encodes an appended and a renamed word as one piece, and other text as before."""
    sentencepiece = pytest.importorskip("sentencepiece")
    before = made_model()
    after = append_pieces(rename_piece(before, 6, "▁감염", score=-9.0), [WORD])
    old, new = (sentencepiece.SentencePieceProcessor(model_proto=data) for data in (before, after))
    assert new.encode("코로나 감염") == [len(pieces()), 6]
    assert new.encode("나다 ....") == old.encode("나다 ....")
    assert new.get_piece_size() == len(pieces()) + 1


def test_kobert_takes_words(shared_assets: object) -> None:
    """The real file takes a word in the place of a piece and behind the last."""
    sentencepiece = pytest.importorskip("sentencepiece")
    data = (shared_assets / "tokenizers/kobert/spiece.model").read_bytes()
    after = append_pieces(rename_piece(data, 7, "▁확진자"), [WORD])
    new = sentencepiece.SentencePieceProcessor(model_proto=after)
    assert new.encode("코로나 확진자 코로나") == [8002, 7, 8002]
    assert new.encode("한국어 모델을 공유합니다.") == [4958, 6855, 2046, 7088, 1050, 7843, 54]
