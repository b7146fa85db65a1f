"""`@knock.when_done` in all its forms: the work is untouched, and one message tells how it ended."""

import asyncio
import functools
import inspect
import pickle
import threading
from pathlib import Path

import pytest

from knock.webhook import Webhook
from pretune import knock
from pretune.knock import enter


@pytest.fixture
def hook(tmp_path, monkeypatch):
    """A webhook, a home of its own, and no memory of earlier calls."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("PRETUNE_KNOCK", "RANK", "LOCAL_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    enter._begun.clear()
    with Webhook() as server:
        yield server


class Shy:
    """Its methods may be called by nobody."""

    def _never(self, *_):
        raise AssertionError("foreign code was run")

    __str__ = __repr__ = __eq__ = __bool__ = __len__ = __float__ = __format__ = _never
    __hash__ = None


class ShyError(Exception):
    """The same as an exception."""

    def __str__(self):
        raise AssertionError("foreign code was run")

    __repr__ = __str__


def ended(hook, count=1):
    """The texts of the ends, once there are `count`."""
    for _ in range(1500):
        texts = [text for text in hook.texts() if text.startswith(("finished", "failed"))]
        if len(texts) >= count:
            return texts
        threading.Event().wait(0.01)
    raise AssertionError(hook.texts())


def test_the_very_same_object(hook):
    """What is returned or raised is the same object, and no foreign method is called for the message."""
    given, problem = Shy(), ShyError("plain", Shy(), 3)

    @knock.when_done(to=hook.url)
    def good(one, *, two):
        return two

    @knock.when_done(to=hook.url)
    def bad(one):
        raise problem

    assert good(1, two=given) is given
    with pytest.raises(ShyError) as caught:
        bad(given)
    assert caught.value is problem
    texts = ended(hook, 2)
    text = next(text for text in texts if text.startswith("failed"))
    assert "ShyError: 'plain', &lt;Shy&gt;, 3" in text
    assert "in bad" in text
    assert "knock/watch.py" not in text


@pytest.mark.parametrize("name", ["bare", "called", "to"])
def test_with_and_without_parentheses(hook, monkeypatch, name):
    """`@when_done`, `@when_done()` and `@when_done(URL)`; the environment names the target."""
    monkeypatch.setenv("PRETUNE_KNOCK", hook.url)

    def work():
        """Docs."""
        return {"f1": 0.5, "weights": Shy()}

    watched = {"bare": knock.when_done, "called": knock.when_done(), "to": knock.when_done(hook.url)}[name](work)
    assert watched.__doc__ == "Docs."
    assert watched()["f1"] == 0.5
    assert "f1 0.5" in ended(hook)[0]


def test_kinds_and_signatures_stay(hook):
    """Generators stay generators, coroutine functions coroutine functions; signature and annotations stay."""

    def generator():
        yield 1

    async def coroutine(): ...
    async def both():
        yield 1

    def plain(first: int, /, second: str = "x", *, third: float) -> bool: ...

    watch = knock.when_done(to=hook.url)
    assert inspect.isgeneratorfunction(watch(generator))
    assert inspect.iscoroutinefunction(watch(coroutine))
    assert asyncio.iscoroutinefunction(watch(functools.partial(coroutine)))
    assert inspect.isasyncgenfunction(watch(both))
    assert inspect.signature(watch(plain)) == inspect.signature(plain)
    assert watch(plain).__annotations__ == plain.__annotations__
    with pytest.raises(TypeError, match="a class"):
        watch(Shy)
    assert hook.bodies == []


def test_generator_ends_when_it_is_exhausted(hook):
    """Nothing is complete before; values go in and out, and the result comes through."""

    @knock.when_done(to=hook.url, start=False)
    def numbers():
        got = yield 1
        yield got
        return "result"

    running = numbers()
    assert next(running) == 1
    threading.Event().wait(1.0)
    assert hook.texts() == []
    assert running.send("in") == "in"
    with pytest.raises(StopIteration) as caught:
        next(running)
    assert caught.value.value == "result"
    assert ended(hook)[0].startswith("finished: numbers()")


def test_generator_closed_or_failed(hook):
    """Closing is an end, too; what is thrown in and what breaks inside goes on and is told."""

    @knock.when_done(to=hook.url, start=False, name="loop")
    def numbers():
        while True:
            try:
                yield 1
            except KeyError:
                yield "caught"

    closed, broken = numbers(), numbers()
    next(closed), next(broken)
    closed.close()
    assert broken.throw(KeyError("k")) == "caught"
    with pytest.raises(ZeroDivisionError):
        broken.throw(ZeroDivisionError("inside"))
    texts = sorted(ended(hook, 2))
    assert "ZeroDivisionError: inside" in texts[0]
    assert "closed before its end" in texts[1]


def test_coroutines(hook):
    """An end is told when the coroutine ends, a cancellation in words, and the loop never waits."""

    @knock.when_done(to=hook.url, start=False)
    async def slow(seconds):
        await asyncio.sleep(seconds)
        return Shy

    async def main():
        assert await slow(0) is Shy
        task = asyncio.create_task(slow(30))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    texts = sorted(ended(hook, 2))
    assert "cancelled" in texts[0]
    assert texts[1].startswith("finished: slow()")


def test_asynchronous_generators(hook):
    """Values go in and out, exceptions can be thrown in, and closing closes the inner one."""
    seen = []

    @knock.when_done(to=hook.url, start=False)
    async def numbers():
        try:
            got = yield 1
            try:
                yield got
            except KeyError:
                yield "caught"
        finally:
            seen.append("closed")

    async def main():
        running = numbers()
        assert await running.__anext__() == 1
        assert await running.asend("in") == "in"
        assert await running.athrow(KeyError("k")) == "caught"
        await running.aclose()
        assert [value async for value in numbers()] == [1, None]

    asyncio.run(main())
    assert seen == ["closed", "closed"]
    assert len(ended(hook, 2)) == 2


class Trainer:
    """Methods of every kind."""

    def fit(self):
        """Bound."""
        return self

    @knock.when_done(to="http://127.0.0.1:9/services/none", start=False, linger=0)
    @classmethod
    def made(cls):
        """Of the class."""
        return cls

    @staticmethod
    @knock.when_done(to="http://127.0.0.1:9/services/none", start=False, linger=0)
    def apart(value):
        """Of nobody."""
        return value

    def __call__(self, value):
        """Called itself."""
        return value


def work(value):
    """A function of the module, for pickles."""
    return value


watched_work = knock.when_done(to="http://127.0.0.1:9/services/none", start=False, linger=0)(work)
watched_part = knock.when_done(functools.partial(work, 3))


def test_methods_partials_and_callables(hook):
    """Bound, class and static methods, partials, objects, lambdas and built-ins, each with its name."""
    trainer = Trainer()
    watch = knock.when_done(to=hook.url, start=False)
    assert Trainer.made() is Trainer
    assert trainer.apart(trainer) is trainer
    assert watch(trainer.fit)() is trainer
    assert watch(functools.partial(work, trainer))() is trainer
    assert watch(trainer)(trainer) is trainer
    assert watch(lambda: trainer)() is trainer
    assert watch(len)([1]) == 1
    names = {text.splitlines()[0].removeprefix("finished: ") for text in ended(hook, 5)}
    assert {"Trainer.fit()", "work()", "Trainer.__call__()", "lambda", "len()"} == names
    assert watch(functools.partial(work, 3)).func is work


def test_pickles():
    """A decorated function is pickled by its name, a partial with what it holds; cloudpickle takes both."""
    part = pickle.loads(pickle.dumps(watched_part))
    assert part.func is work
    assert part.args == (3,)
    assert inspect.unwrap(watched_work) is work
    cloudpickle = pytest.importorskip("cloudpickle")
    base = 7
    assert callable(cloudpickle.loads(cloudpickle.dumps(knock.when_done(lambda: base))))


def test_nested_calls_make_one_message(hook):
    """What runs inside a watch with the same target is not told again, recursion and threads' own calls aside."""

    @knock.when_done(to=hook.url, start=False)
    def inner(depth):
        return depth and inner(depth - 1)

    @knock.when_done(to=hook.url, start=False)
    def outer():
        knock.progress(3, 4, loss=0.25)
        return inner(5)

    outer()
    worker = threading.Thread(target=inner, args=(2,))
    worker.start()
    worker.join()
    texts = sorted(ended(hook, 2))
    threading.Event().wait(0.7)
    assert [text.split("()")[0] for text in sorted(ended(hook, 2))] == ["finished: inner", "finished: outer"]
    assert "loss 0.25" in texts[1]


def test_stacked_decorators_tell_both(hook):
    """Two decorators with two targets: both are told."""
    with Webhook() as second:
        watched = knock.when_done(to=hook.url)(knock.when_done(to=second.url)(work))
        watched(1)
        assert ended(hook)
        assert ended(second)


def test_block(hook):
    """`with` and `async with`: what is raised goes on and is told, with the last figures."""
    with pytest.raises(ValueError, match="no"), knock.watching("train", to=hook.url) as run:  # noqa: PT012
        run.progress(10, 100, loss=2.5, lr=1e-4)
        raise ValueError("no")
    text = ended(hook)[0]
    assert text.startswith("failed: train")
    assert "step 10 of 100 (10%)" in text
    assert "loss 2.5, lr 0.0001" in text

    async def main():
        async with knock.watching("second", to=hook.url):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert any(text.startswith("finished: second") for text in ended(hook, 2))


def test_no_child_and_no_descriptor_is_left(hook):
    """The messenger is no child of the program, which may wait for all there are, and holds few descriptors."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    had = {child for path in Path("/proc/self/task").glob("*/children") for child in path.read_text().split()}
    knock.when_done(to=hook.url)(work)(1)
    # other tests of this process may have left children: what counts is that none is new.
    has = {child for path in Path("/proc/self/task").glob("*/children") for child in path.read_text().split()}
    assert has <= had
    for _ in range(8):
        knock.when_done(to=hook.url, start=False)(work)(1)
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 2 * 4 + 2
    assert len(ended(hook, 9)) == 9


def test_called_too_often(hook, capsys):
    """A decorated function in a loop does not fill the machine with messengers, which is said once."""
    watched = knock.when_done(to=hook.url, start=False)(work)
    for number in range(60):
        assert watched(number) == number
    assert capsys.readouterr().err.count("too often") == 1
    assert len(ended(hook, enter.BUSIEST)) == enter.BUSIEST


def test_what_cannot_be_read_stops_nothing(hook, capfd):
    """A strange stall, a name that is none: a sentence, and the work is done."""
    assert knock.when_done(to="nosuchname", stall="soon")(work)(5) == 5
    assert "expected a time" in capfd.readouterr().err
