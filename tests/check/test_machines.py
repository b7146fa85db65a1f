"""One check on several machines: shards put together, and a Dask cluster, are one run, byte for byte."""

import gzip
import io
import itertools
import json
import os
import random
import signal
import time
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from pretune import cli
from pretune.check import machines
from pretune.check.facts import Facts
from pretune.check.sources.setup import Data, Setup
from pretune.core.errors import UserError
from pretune.corpus import blocks, parts
from small_model import healthy_tokenizer

pytest.importorskip("polars")

WORDS = "나는 오늘 학교에 갔다 the model learns 한국어 문장을 만든다 질문 답변 대한민국의 수도는 안녕하세요 😀 大韓 naïve".split()


def texts(count, seed):
    """Texts of Korean and English words, of which some come twice."""
    chance = random.Random(seed)
    made = [" ".join(chance.choices(WORDS, k=chance.randrange(2, 25))) for _ in range(count)]
    return made + chance.choices(made[:100], k=count // 10)


def labelled(path, count, seed, broken=True):
    """A jsonl file with labels, broken lines, copies and conflicting labels."""
    chance = random.Random(seed)
    rows = [json.dumps({"text": text, "label": chance.choice(["pos", "neg"])}) for text in texts(count, seed)]
    for at in range(50, len(rows) if broken else 0, 100):
        rows[at] = "{broken"
    path.write_text("\n".join(rows), encoding="utf-8")


def squad(path, count, seed):
    """A SQuAD file."""
    chance = random.Random(seed)
    data = []
    for number, context in enumerate(texts(count, seed)):
        word = context.split()[0]
        asked = [
            {
                "id": f"{seed}-{number}-{at}",
                "question": f"{chance.choice(WORDS)}?",
                "answers": [{"text": word, "answer_start": at}],
            }
            for at in range(2)
        ]
        data.append({"title": "", "paragraphs": [{"context": context, "qas": asked}]})
    path.write_text(json.dumps({"version": "1", "data": data}), encoding="utf-8")


@pytest.fixture
def here(tmp_path, monkeypatch, make_model):
    """A folder with data of every kind and two models; blocks are small, so that shards have some each."""
    read = blocks.read_blocks
    monkeypatch.setattr("pretune.corpus.scan.read_blocks", partial(read, block_bytes=6_000))
    monkeypatch.chdir(tmp_path)
    make_model("bert", name="m")
    make_model("roberta", name="r")
    for at, name in enumerate(("a.jsonl", "b.jsonl", "dev.jsonl")):
        labelled(tmp_path / name, (300, 200, 80)[at], seed=(1, 2, 1)[at])
    squad(tmp_path / "train.json", 60, seed=1)
    squad(tmp_path / "dev.json", 20, seed=1)
    with gzip.open(tmp_path / "t.txt.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(texts(400, seed=4)) + "\n")
    return tmp_path


@pytest.fixture
def run(capsys):
    """Call `pretune check ...`: exit code, stdout, stderr."""

    def called(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main(["check", *map(str, arguments)])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return called


CHECKS = {
    "labels": (
        "m",
        "--data",
        "a.jsonl",
        "b.jsonl",
        "--eval",
        "dev.jsonl",
        "--task",
        "text-classification",
        "--tokenizer",
        "m",
        "--tokenizer",
        "r",
    ),
    "squad": (
        "m",
        "--data",
        "train.json",
        "--eval",
        "dev.json",
        "--task",
        "question-answering",
        "--tokenizer",
        "r",
        "--tokenizer",
        "m",
    ),
    "text": ("--data", "t.txt.gz", "--tokenizer", "r", "--tokenizer", "m"),
    "sampled": ("m", "--data", "?.jsonl", "--eval", "dev.jsonl", "--sample", "120"),
}


@pytest.mark.parametrize(
    ("check", "counts"),
    [
        ("labels", (1, 3)),
        pytest.param("labels", (2, 7), marks=pytest.mark.slow),
        pytest.param("squad", (3,), marks=pytest.mark.slow),
        ("text", (2,)),
        ("sampled", (3,)),
    ],
)
def test_shards_put_together_are_one_run(here, run, check, counts):
    """JSON, text and page of one shard and of several, in any order, are those of one run, byte for byte."""
    asked = CHECKS[check]
    one = run(*asked, "--format", "json", "--html", "one.html")
    told = json.loads(one[1])
    assert told["profile"]["corpus"]["rows"] >= 110
    assert len(told["profile"]["tokenizers"]) == 1 + (check != "sampled")
    assert all(tokenizer["tokens"] for tokenizer in told["profile"]["tokenizers"])
    text = run(*asked)
    for of in counts:
        names = [f"part{at}" for at in range(of)]
        for at, name in enumerate(names, 1):
            assert run(*asked, "--shard", f"{at}/{of}", "--out", name) == (0, "", "")
        random.Random(of).shuffle(names)
        assert run("--merge", *names, "--format", "json", "--html", "merged.html") == one
        assert run("--merge", *names) == text
        assert (here / "merged.html").read_bytes() == (here / "one.html").read_bytes()


def test_what_crosses_shards_is_found(here, run):
    """Copies, leaks into eval and conflicting labels whose rows are in different shards; broken lines by file and line."""
    for at in (1, 2, 3):
        run(*CHECKS["labels"], "--shard", f"{at}/3", "--out", f"part{at}")
    out = run("--merge", "part1", "part2", "part3", "--format", "json")[1]
    found = {finding["name"]: finding for finding in json.loads(out)["findings"]}
    assert {"repeated-rows", "evaluation-rows-in-training", "conflicting-labels", "broken-rows"} <= set(found)
    assert [file["broken"] for file in json.loads(out)["profile"]["files"]] == [3, 2, 1]
    assert [file["broken_at"] for file in json.loads(out)["profile"]["files"]][1] == ["b.jsonl:51", "b.jsonl:151"]


def test_a_tokenizer_that_fails_in_one_shard_fails_in_all(here, run, make_model):
    """One shard meets a text that a vocabulary without [UNK] cannot encode; the report is that of one run."""
    vocabulary = ["[PAD]", "[CLS]", "[SEP]", "a", "b"]
    make_model("bert", name="u")
    poor = healthy_tokenizer(vocabulary, specials=vocabulary[:3])
    Path("u/tokenizer.json").write_text(json.dumps(poor), encoding="utf-8")
    (here / "x.txt").write_text("a b\n" * 4000 + "ccc\n", encoding="utf-8")
    asked = ("--data", "x.txt", "--tokenizer", "u", "--tokenizer", "m", "--tokenizer", "r")
    one = run(*asked, "--format", "json")
    assert [told["name"] for told in json.loads(one[1])["profile"]["tokenizers"]] == ["m", "r"]
    assert "u cannot encode the data: " in " ".join(json.loads(one[1])["remarks"])
    for at in (1, 2, 3):
        run(*asked, "--shard", f"{at}/3", "--out", f"part{at}")
    assert run("--merge", "part3", "part1", "part2", "--format", "json") == one


def test_rules_and_reports_are_chosen_when_parts_are_put_together(here, run):
    """--select and --fail-on belong to --merge; a shard refuses them, and what asks for a report."""
    run(*CHECKS["labels"], "--shard", "1/1", "--out", "part")
    code, out, _ = run("--merge", "part", "--select", "repeated-rows", "--format", "concise", "--fail-on", "note")
    assert code == 1
    assert [line.split()[2] for line in out.splitlines()] == ["repeated-rows"] * 2
    for more in (
        ["--html", "x.html"],
        ["--format", "json"],
        ["--select", "DAT"],
        ["--fix"],
        ["--fail-on", "note"],
        ["-v"],
    ):
        code, out, err = run(*CHECKS["text"], "--shard", "1/2", "--out", "p", *more)
        assert (code, out) == (2, "")
        assert "--shard writes a part and no report, found --" in err
    assert not Path("p").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--merge"], "--merge names no parts"),
        (["--merge", "part1"], "1 of 2 shards are missing: 2/2"),
        (["--merge", "part1", "part1"], "part1 and part1 are both shard 1/2"),
        (["--merge", "part1", "other"], "other and part1 are parts of different checks"),
        (["--merge", "part1", "third"], "third and part1 are parts of different checks"),
        (["--merge", "part1", "gone"], "gone cannot be read: No such file or directory"),
        (["--merge", "m"], "m cannot be read: Is a directory"),
        (["--merge", "a.jsonl"], "a.jsonl is damaged, or no part of a check"),
        (["--merge", "cut"], "cut is damaged, or no part of a check"),
        (["--merge", "flipped", "part2"], "flipped is damaged, or no part of a check"),
        (["--merge", "packed"], "packed is damaged, or no part of a check"),
        (["--merge", "foreign"], "foreign is no part of a check"),
        (["--merge", "older"], "older was written by pretune 0.0.1, this is "),
        (
            ["--merge", "part1", "part2", "--sample", "3"],
            "--merge takes parts only, which say what they are of; found --sample",
        ),
        (["--merge", "part1", "part2", "--data", "a.jsonl", "--task", "text-classification"], "found --data, --task"),
        (["--merge", "part1", "--shard", "1/2", "--out", "x"], "found --shard, --out"),
        (["--merge", "part1", "--scheduler", "tcp://x:1"], "found --scheduler"),
        (["m", "--data", "a.jsonl", "--shard", "1/2"], "--shard stands alone"),
        (["m", "--data", "a.jsonl", "--out", "x"], "--out stands alone"),
        (["m", "--data", "a.jsonl", "--shard", "3/2", "--out", "x"], "--shard 3/2: expected I/N with I from 1 to N"),
        (["m", "--data", "a.jsonl", "--shard", "0/2", "--out", "x"], "--shard 0/2: expected I/N"),
        (["m", "--data", "a.jsonl", "--shard", "½", "--out", "x"], "--shard ½: expected I/N"),
        (
            ["m", "--data", "a.jsonl", "--shard", "1/2", "--out", "no/such/x"],
            "no/such/x cannot be written: No such file",
        ),
        (["m", "--data", "a.jsonl", "--shard", "1/2", "--out", "x", "--scheduler", "tcp://x:1"], "exclude each other"),
        (["m", "--shard", "1/2", "--out", "x"], "there is nothing to read: no data files were given"),
        (["m", "--data", "none.jsonl", "--shard", "1/2", "--out", "x"], "none.jsonl does not exist"),
        (["m", "--data", "-", "--scheduler", "tcp://x:1"], "standard input cannot be read by a cluster"),
    ],
)
def test_mistakes_are_one_line(here, run, monkeypatch, arguments, message):
    """Parts that are missing, foreign, damaged or of another version, and flags that contradict: one line, exit code 2."""
    for name, check, shard in (
        ("part1", "text", "1/2"),
        ("part2", "text", "2/2"),
        ("other", "sampled", "2/2"),
        ("third", "text", "2/3"),
    ):
        if name in arguments or {"cut", "flipped", "packed", "foreign", "older"} & set(arguments):
            run(*CHECKS[check], "--shard", shard, "--out", name)
    if Path("part1").exists():
        damaged(Path("part1").read_bytes())
    if "-" in arguments:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "a"}\n')))
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err.splitlines()[0]
    assert len(err.splitlines()) <= 2
    assert not Path("x").exists()


def damaged(part):
    """A part cut short, with a bit flipped, packed, without its header, and of an older pretune."""
    Path("cut").write_bytes(part[: len(part) // 2])
    at = part.index(b"viewer/") + 3000
    Path("flipped").write_bytes(part[:at] + bytes([part[at] ^ 1]) + part[at + 1 :])
    with zipfile.ZipFile(io.BytesIO(part)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, how in (("packed", zipfile.ZIP_DEFLATED), ("foreign", zipfile.ZIP_STORED), ("older", zipfile.ZIP_STORED)):
        with zipfile.ZipFile(name, "w", how) as archive:
            for member, data in members.items():
                if member == "header.json" and name == "foreign":
                    continue
                archive.writestr(
                    member, data.replace(b'"pretune": "', b'"pretune": "0.0.1", "x": "') if name == "older" else data
                )


def test_any_damage_is_a_line(here, run):
    """A part with any byte changed, or cut anywhere, is put together as before or refused, never a crash."""
    run(*CHECKS["text"], "--shard", "1/1", "--out", "part")
    part = Path("part").read_bytes()
    chance = random.Random(1)
    heads = [*range(60), *range(len(part) - 80, len(part))]
    for at in [*heads, *chance.sample(range(len(part)), 40)]:
        for data in (part[:at], part[:at] + bytes([part[at] ^ chance.choice((1, 8, 128, 255))]) + part[at + 1 :]):
            with suppress(UserError):
                found = parts.Part("part", data)
                for member in ("corpus", "viewer", "tokenizer0", "tokenizer1"):
                    found.of(member)


def test_an_old_part_is_replaced_whole(here, run):
    """--out over a file that is there replaces it."""
    Path("part").write_text("something else", encoding="utf-8")
    run(*CHECKS["text"], "--shard", "1/1", "--out", "part")
    assert run("--merge", "part")[2] == ""


@pytest.mark.parametrize("what", ["gone", "grown", "more"])
def test_parts_are_put_together_where_the_data_are(here, run, what):
    """The beginning of the files is read again: files that are gone or have changed are named."""
    run("m", "--data", "?.jsonl", "--shard", "1/1", "--out", "part")
    if what == "gone":
        Path("a.jsonl").unlink()
        Path("b.jsonl").unlink()
    elif what == "grown":
        with Path("a.jsonl").open("a") as file:
            file.write('\n{"text": "more"}')
    else:
        Path("c.jsonl").write_text('{"text": "more"}\n')
    code, out, err = run("--merge", "part")
    assert (code, out) == (2, "")
    expected = {
        "gone": "no file matches ?.jsonl",
        "grown": "bytes when the parts were written",
        "more": "the parts are of a.jsonl, b.jsonl, here are a.jsonl, b.jsonl, c.jsonl",
    }
    said = err.replace(", and had ", " ").replace(" when the parts were written", " bytes when the parts were written")
    assert expected[what] in said.splitlines()[0]


def test_a_setup_file_and_its_places_travel_with_a_part(here, run):
    """What a setup file says is in the part; the places in the report are those of the file."""
    Path("setup.toml").write_text(
        'model = "m"\ntask = "text-classification"\n[data]\ntrain = ["a.jsonl"]\n[encode]\nmax_length = 512\n'
    )
    one = run("--format", "json")
    run("--shard", "1/2", "--out", "p1")
    run("--shard", "2/2", "--out", "p2")
    Path("setup.toml").unlink()
    assert run("--merge", "p1", "p2", "--format", "json") == one
    assert '"setup.toml:/encode/max_length"' in one[1]
    Path("setup.toml").write_text('model = "m"\n[data]\ntrain = ["a.jsonl"]\n[config]\nx = 2020-01-01\n')
    assert "cannot be written into a part: Object of type date" in run("--shard", "1/2", "--out", "p1")[2]


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, which stand in another folder than the tests."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as found:
        yield found


@pytest.fixture
def many(tmp_path, monkeypatch, make_model):
    """Some files, each a block by itself."""
    monkeypatch.chdir(tmp_path)
    make_model("bert", name="m")
    for at in range(8):
        labelled(tmp_path / f"{at}.jsonl", 1500, seed=at % 6, broken=at % 2)
    return (
        "m",
        "--data",
        *(f"{at}.jsonl" for at in range(7)),
        "--eval",
        "7.jsonl",
        "--task",
        "text-classification",
        "--format",
        "json",
    )


def test_a_cluster_with_a_worker_that_is_killed_gives_one_run(cluster, many, run, monkeypatch):
    """A worker is killed while its shards run; the report is that of one process, byte for byte."""
    from pretune.corpus import cluster as ours

    one = run(*many)
    assert json.loads(one[1])["profile"]["corpus"]["rows"] > 12_000
    pids = [worker.pid for worker in cluster.workers.values()]
    killed = []
    collected = ours._collected

    def kill(client, futures, done, stop):
        def told(ready, of):
            if ready and not killed:
                assert ready < of
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)
            done(ready, of)

        return collected(client, futures, told, stop)

    monkeypatch.setattr(ours, "_collected", kill)
    assert run(*many, "--scheduler", cluster.scheduler_address) == one
    assert killed
    assert [worker.pid for worker in cluster.workers.values()] != pids or any(
        worker.status.name != "running" for worker in cluster.workers.values()
    )


def test_mistakes_on_a_worker_are_one_line(cluster, many, monkeypatch):
    """A file that is not there or is another one on the worker: the user's mistake, told once, and not tried again."""
    from pretune.check.facts.corpus import shard_on_worker
    from pretune.corpus.cluster import gather

    facts = Facts(Setup(model="m", data=Data(("0.jsonl",))), scheduler="x")
    said = machines.about(facts, subject="")
    Path("0.jsonl").write_text("{}\n")
    begun = time.monotonic()
    with pytest.raises(UserError, match=r"on a worker: .*0\.jsonl has 3 bytes on .*, [0-9,]+ where the check began"):
        gather(cluster.scheduler_address, shard_on_worker, said)
    Path("0.jsonl").unlink()
    with pytest.raises(UserError, match=r"on a worker: .*0\.jsonl does not exist on "):
        gather(cluster.scheduler_address, shard_on_worker, said)
    assert time.monotonic() - begun < 20


def test_a_check_on_a_cluster_can_be_stopped(cluster, many):
    """Stopping cancels what is under way, and leaves the cluster as it was."""
    import distributed

    from pretune.check.facts.corpus import shard_on_worker
    from pretune.corpus.cluster import gather

    said = machines.about(Facts(Setup(model="m", data=Data(many[2:9])), scheduler="x"), subject="")
    looks = itertools.count()
    with pytest.raises(KeyboardInterrupt):
        gather(cluster.scheduler_address, shard_on_worker, said, stop=lambda: next(looks) > 2, shards=40)
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        end = time.monotonic() + 10
        while any(client.processing().values()) and time.monotonic() < end:
            time.sleep(0.1)
        assert not any(client.processing().values())


@pytest.mark.parametrize(
    "address",
    [
        "tcp://127.0.0.1:9",
        pytest.param("127.0.0.1:9", marks=pytest.mark.slow),
        "http://127.0.0.1:9",
        "nowhere",
        "none.json",
        "",
        "tcp://",
    ],
)
def test_no_scheduler_is_one_line(many, run, monkeypatch, address):
    """Nothing there, or no address at all: one line, soon."""
    pytest.importorskip("distributed")
    monkeypatch.setattr("pretune.corpus.cluster.CONNECT_SECONDS", 1)
    begun = time.monotonic()
    code, out, err = run(*many, "--scheduler", address)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) <= 2
    assert "scheduler" in err.splitlines()[0]
    assert time.monotonic() - begun < 15
