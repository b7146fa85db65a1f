"""Reading chat templates: markers, variables, refusals, and what is written, without ever rendering one."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_samples import CHATML, DEEPSEEK, EXAONE, GEMMA, LLAMA2, LLAMA3, MARKED, MISTRAL, PHI3, PUBLISHED, ZEPHYR
from pretune.artifacts.chat_template import ChatTemplate, Written, markers_in, parse_template, place
from pretune.core.errors import UserError

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
ROLES = (
    ("user", "assistant"),
    ("system", "user", "assistant"),
    ("user", "assistant", "user", "assistant"),
    ("user", "user", "assistant"),
    ("assistant", "user"),
    ("user",),
    ("user", "tool"),
    (),
)


def _parsed(text: str) -> ChatTemplate:
    return parse_template(text, name="chat_template.jinja")


def _rendered(text: str, roles: tuple[str, ...], *, prompt: bool) -> str | None:
    """What transformers' way of rendering gives; None when the template raises. Only our own samples are rendered."""
    jinja2 = pytest.importorskip("jinja2.sandbox", reason="jinja2 is a base dependency")
    from jinja2.ext import Extension

    class Mark(Extension):
        tags = frozenset({"generation"})

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(["name:endgeneration"], drop_needle=True)

    def raise_exception(message: str) -> None:
        raise ValueError(message)

    environment = jinja2.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Mark, "jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = raise_exception
    messages = [{"role": role, "content": place(at)} for at, role in enumerate(roles)]
    try:
        return str(
            environment.from_string(text).render(
                messages=messages, tools=None, documents=None, add_generation_prompt=prompt, **TOKENS
            )
        )
    except (ValueError, jinja2.SecurityError, __import__("jinja2").UndefinedError):
        return None


@pytest.mark.parametrize("prompt", [False, True])
@pytest.mark.parametrize("name", PUBLISHED)
def test_follows_as_jinja_renders(name: str, prompt: bool) -> None:
    """For every published form and order of roles the walk writes, to the character, what rendering it writes."""
    template = _parsed(PUBLISHED[name])
    for roles in ROLES:
        followed = template.write(roles, TOKENS, prompt=prompt)
        assert followed.text == _rendered(PUBLISHED[name], roles, prompt=prompt), roles


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        (CHATML, "<|im_end|>\n"),
        (LLAMA2, " </s>"),
        (LLAMA3, "<|eot_id|>"),
        (GEMMA, "<end_of_turn>\n"),
        (MISTRAL, "</s>"),
        (EXAONE, "[|endofturn|]\n"),
        (PHI3, "<|end|>\n</s>"),
        (DEEPSEEK, "<｜end▁of▁sentence｜>"),
        (MARKED, "<|im_end|>\n"),
    ],
)
def test_ending(text: str, ending: str) -> None:
    """What is written behind the assistant's last words is read off the walk, not off a list of markers."""
    assert _parsed(text).write(("user", "assistant"), TOKENS).after(1) == ending


def test_text_between_messages() -> None:
    """Behind a message that is not the last one comes its end and the next one's opening, up to the next content."""
    written = _parsed(CHATML).write(("user", "assistant"), TOKENS)
    assert written.after(0) == "<|im_end|>\n<|im_start|>assistant\n"
    assert written.after(7) is None
    assert written.holds(1)
    assert not written.holds(2)


@pytest.mark.parametrize(
    ("text", "markers"),
    [
        (CHATML, ("<|im_start|>", "<|im_end|>")),
        (LLAMA2, ("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>")),
        (LLAMA3, ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")),
        (GEMMA, ("<start_of_turn>", "<end_of_turn>")),
        (ZEPHYR, ("<|user|>", "<|system|>", "<|assistant|>")),
        (DEEPSEEK, ("<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>")),
        (EXAONE, ("[|system|]", "[|endofturn|]", "[|assistant|]")),
        (PHI3, ("<|end|>", "<|assistant|>")),
    ],
)
def test_markers(text: str, markers: tuple[str, ...]) -> None:
    """Markers of every published shape are found in the template's texts."""
    assert set(_parsed(text).markers) == set(markers)


def test_markers_put_together() -> None:
    """`'<|' + role + '|>'` is a marker only once it is written, and is found there."""
    written = _parsed(PHI3).write(("user", "assistant"), TOKENS)
    assert markers_in([written.text or ""]) == ("<s>", "<|user|>", "<|end|>", "<|assistant|>", "</s>")


@pytest.mark.parametrize("text", ["no marker, <b>, [x], <|>, <||>, a<b|c>d", "[1] [note] <<x>>", "<|a b|>"])
def test_no_markers(text: str) -> None:
    """Ordinary brackets are no markers."""
    assert markers_in([text]) == ()


@pytest.mark.parametrize(
    ("text", "roles", "refusal"),
    [
        (GEMMA, ("system", "user"), "System role not supported"),
        (GEMMA, ("user", "user"), "must alternate"),
        (MISTRAL, ("system", "user", "assistant"), "must alternate"),
        (MISTRAL, ("user", "tool"), "Only user and assistant"),
        (LLAMA2, ("assistant", "user"), "must alternate"),
        ("{{ raise_exception('no ' ~ messages[0].role) }}", ("user",), "no user"),
    ],
)
def test_refusals(text: str, roles: tuple[str, ...], refusal: str) -> None:
    """A refusal is reached by the roles, in the order in which the template would raise, with the text it would raise."""
    written = _parsed(text).write(roles, TOKENS)
    assert refusal in (written.refusal or "")
    assert written.text is None


def test_variables_and_marks() -> None:
    """The names a template takes from outside, and whether it marks the assistant's words."""
    assert {"messages", "bos_token", "eos_token"} <= _parsed(PHI3).variables
    assert "message" not in _parsed(PHI3).variables
    assert _parsed(MARKED).marks_generation
    assert not _parsed(CHATML).marks_generation


def test_refusing_texts_are_not_written_texts() -> None:
    """The words of raise_exception count as refusals, not as texts that may hold markers."""
    template = _parsed("{{ raise_exception('<|no|>: ' + messages[0]['role']) }}<|yes|>")
    assert template.markers == ("<|yes|>",)
    assert template.refusals == ("<|no|>: ", "role")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{% for m in messages %}", "line 1"),
        ("a\nb\n{{ m. }}", "line 3"),
        ("{% nonsense %}", "unknown tag 'nonsense'"),
        ("{{ 'open }}", "line 1"),
        ("{% generation %}x", "line 1"),
        ("x" * 1_000_001, "1,000,001 characters"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested too deeply"),
        ("{% if a %}" * 3000 + "{% endif %}" * 3000, "nested too deeply"),
        ("{{ " + "9" * 5000 + " }}", "no valid chat template"),
        ("{% extends %}", "line 1"),
    ],
)
def test_broken(text: str, says: str) -> None:
    """A template that does not parse is one sentence with its line; depth and size are no traceback."""
    with pytest.raises(UserError, match=r"chat_template\.jinja is") as raised:
        _parsed(text)
    assert says in raised.value.message
    assert "\n" not in raised.value.message


@pytest.mark.parametrize(
    "text",
    [
        "{{ messages | groupby('role') }}",
        "{{ strftime_now('%d') }}",
        "{% include 'other' %}",
        "{{ messages }}",
        "{{ messages[0].tool.name }}",
        "{{ ''.__class__.__mro__() }}",
        "{{ cycler('a', 'b').next() }}",
        "{{ 'a' * 10 }}",
        "{{ '%s' % 'a' }}",
        "{{ 'a' * 1000000000 }}",
        "{% for i in range(1000000000) %}x{% endfor %}",
        "{% for i in range(40000) %}{% for j in range(40000) %}x{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=9) %}{% for i in range(60) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}",
        "{% set a = ['x'] %}{{ a.append('y') }}",
        "{% break %}",
        "{{ 1 / 0 }}{{ 1 % 0 }}",
        "{{ messages[::0] }}",
        "{{ 'a'.replace('', 'b' * 3) }}",
        "{% for a, b in [1] %}x{% endfor %}",
        "{% set x.y = 1 %}",
        "{{ range(0, 5, 0) | list }}",
        "{{ messages | tojson | e }}",
        "{% call(x) foo() %}{% endcall %}",
        "{% filter upper %}x{% endfilter %}",
        "{{ 'x' | join(1, 2, 3) }}",
        "{{ {} in {} }}",
        "{{ [] < 1 }}",
        "x" * 60_000,
    ],
)
def test_gives_up(text: str) -> None:
    """What is not followed, or is too much, is neither written nor refused, quickly and without a crash."""
    begin = time.process_time()
    try:
        template = _parsed(text)
    except UserError:
        return
    assert template.write(("user", "assistant"), TOKENS) == Written()
    assert time.process_time() - begin < 2


@given(text=st.text(alphabet=list("{}%-'\"|.()[]~+= \nabcdefimnorst_0<>"), max_size=120))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Whatever stands in the file, there is a template or a UserError, and following it crashes nothing."""
    try:
        template = _parsed(text)
    except UserError:
        return
    template.write(("system", "user", "assistant"), TOKENS)


_VALUES = st.sampled_from(
    "messages message message.role message['content'] bos_token 'x' '' 1 0 none true [] [1,'a'] {} {'a':1} range(3) missing loop.index0 ns.x".split(
        " "
    )
)
_FILTERS = st.sampled_from(
    "trim length upper list first last string tojson join default('d') replace('a','b') int items selectattr('role') join('-','role')".split(
        " "
    )
)
_TESTS = st.sampled_from(
    ["defined", "none", "string", "mapping", "odd", "in 'abc'", "eq 1", "iterable", "number", "divisibleby 0"]
)


@given(data=st.data())
def test_any_operation_is_followed_or_given_up(data: st.DataObject) -> None:
    """Operators, filters, tests and methods on values of every kind end in a text, a refusal or nothing, never in a crash."""
    left, right = data.draw(_VALUES), data.draw(_VALUES)
    operator = data.draw(st.sampled_from("+ - * % ~ == != < > <= in and or //".split()))
    method = data.draw(
        st.sampled_from("strip() split('') get('a') items() startswith(1) replace('a') join(messages) foo()".split(" "))
    )
    body = (
        f"{{{{ ({left} {operator} {right}) | {data.draw(_FILTERS)} }}}}{{{{ {left} is {data.draw(_TESTS)} }}}}"
        f"{{{{ {right}.{method} }}}}{{{{ {left}[{right}] }}}}{{{{ {left}[{right}:] }}}}{{% set a, b = {left} %}}"
    )
    pick = data.draw(st.integers(0, 5))
    parts = body.split("}}") if pick else [body]
    for part in parts:
        text = (
            "{% set ns = namespace(x=1) %}{% for message in messages %}"
            + (part + "}}" if "{{" in part else part)
            + "{% endfor %}"
        )
        try:
            template = _parsed(text)
        except UserError:
            continue
        template.write(("user", "assistant"), TOKENS)


def test_real_templates(shared_assets: Any) -> None:
    """EXAONE 4, Qwen3 and Llama 3.1 as published are followed to the character, in a few milliseconds."""
    import json

    texts = [(shared_assets / "tokenizers/exaone4-1.2b/chat_template.jinja").read_text("utf-8")]
    configs = [shared_assets / "tokenizers" / name / "tokenizer_config.json" for name in ("qwen3", "llama3.1")]
    texts += [json.loads(config.read_text("utf-8"))["chat_template"] for config in configs]
    for text in texts:
        template = _parsed(text)
        for roles in ROLES[:4]:
            written = template.write(roles, TOKENS)
            assert written.text is not None
            assert written.text == _rendered(text, roles, prompt=False)


def test_too_many_messages() -> None:
    """A conversation of thousands of messages is not followed."""
    assert _parsed(CHATML).write(("user",) * 1001, TOKENS) == Written()
    assert _parsed(CHATML).write(("user",) * 300, TOKENS).text is not None
