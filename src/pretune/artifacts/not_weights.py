"""Recognises what lies where weights should be: a pointer, a web page, another format. Reads no format."""

import re

_SIZE = re.compile(rb"^size (\d{1,18})$", re.MULTILINE)
_MAGIC = (
    (b"PK\x03\x04", "a zip archive, as torch.save writes it"),
    (b"\x80\x02", "a pickle, as torch.save used to write it"),
    (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"),
    (b"GGUF", "a GGUF file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
)


def pointer_or_page(head: bytes, size: int) -> tuple[str, str] | None:
    r"""What stands in for the weights: a kind of trouble, and words that follow "<file> is".

    Args:
        head: the first bytes of the file; 512 are enough.
        size: bytes of the whole file.

    >>> pointer_or_page(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 90868376\n", 134)
    ('lfs-pointer', 'a git-LFS pointer of 134 bytes that stands for 90,868,376 bytes of weights')
    """
    if not size:
        return "empty", "empty (0 bytes)"
    text = head[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"version https://git-lfs"):
        found = _SIZE.search(text)
        stands_for = f" that stands for {int(found[1]):,} bytes of weights" if found else ""
        return "lfs-pointer", f"a git-LFS pointer of {size:,} bytes{stands_for}"
    if text.startswith(b"# xet version"):
        return "xet-pointer", f"a git-xet pointer of {size:,} bytes"
    lowered = text.lower()
    if lowered.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<error")):
        return "html", f"a web page of {size:,} bytes: the download was an error page or a login wall"
    if not text and size == len(head):
        return "empty", f"{size:,} bytes of white space"
    if not head.strip(b"\0") and len(head) > 8:
        return "not-weights", f"{size:,} bytes that begin with {len(head)} zeros: an unfinished download or copy"
    if size <= 4096 and _is_text(text):
        return "not-weights", f'text of {size:,} bytes: "{_opening(text)}"'
    return None


def other_format(head: bytes) -> str | None:
    r"""The name of the format that the first bytes tell, None when they tell none.

    >>> other_format(b"GGUF\x03\0\0\0")
    'a GGUF file'
    """
    for magic, words in _MAGIC:
        if head.startswith(magic):
            return words
    if head[257:262] == b"ustar":
        return "a tar archive"
    if len(head) > 9 and head[5:8] == b"\0\0\0" and head[8:10] == b'{"':
        return "a safetensors file"
    return None


def _is_text(data: bytes) -> bool:
    printable = sum(byte >= 32 or byte in b"\t\r\n" for byte in data)
    return len(data) > 4 and printable == len(data) and max(data) < 127


def _opening(text: bytes) -> str:
    words = " ".join(text[:80].decode("ascii", "replace").split())
    return words[:60] + ("…" if len(words) > 60 else "")
