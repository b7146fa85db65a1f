"""Values of the command line: argparse, HfArgumentParser, click, typer, fire, tyro; defaults that a run may override."""

import pytest

from pretune.script.trace import Call, Trace
from pretune.script.values import Constant, Instance, Made, Part, Sequence, Unknown, Value
from read_code import became, call, conditions, plain, read

ARGUMENTS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--model_name", default="klue/bert-base")
parser.add_argument("--batch-size", "-b", type=int, default="16")
parser.add_argument("-l", "--lr", type=float, default=5e-5)
parser.add_argument("--data", required=True)
parser.add_argument("--seed", type=int)
parser.add_argument("--fp16", action="store_true")
parser.add_argument("--no_cuda", action="store_false", dest="cuda")
parser.add_argument("--names", nargs="+", default=["a", "b"])
group = parser.add_argument_group("more")
group.add_argument("--epochs", type=int, default=3)
parser.set_defaults(extra="x")
parser.add_argument("path")
"""
PARSES = ["args = parser.parse_args()", "args, rest = parser.parse_known_args()", "args = parser.parse_known_args()[0]"]


def asked(trace: Trace, position: int = 0) -> Value:
    """An argument of the last call of something that is not defined."""
    return [one for one in trace.calls("") if one.arguments][-1].arguments[position]


@pytest.mark.parametrize("parse", PARSES)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_name", "klue/bert-base"),
        ("batch_size", 16),
        ("lr", 5e-5),
        ("fp16", False),
        ("cuda", True),
        ("epochs", 3),
        ("extra", "x"),
        ("names", ["a", "b"]),
    ],
)
def test_defaults(parse: str, name: str, value: object) -> None:
    """An argument is what its default says, and the command line may override it."""
    found = asked(read(f"{ARGUMENTS}\n{parse}\nf(args.{name})"))
    assert plain(found) == value
    first = found.items[0] if isinstance(found, Sequence) else found
    assert isinstance(first, Constant)
    assert first.overridden_by == "the command line"


@pytest.mark.parametrize("parse", PARSES)
@pytest.mark.parametrize("name", ["data", "seed", "path"])
def test_without_default(parse: str, name: str) -> None:
    """An argument without a default is what the command line says."""
    assert asked(read(f"{ARGUMENTS}\n{parse}\nf(args.{name})")) == Unknown("the command line", name)


def test_unknown_argument() -> None:
    """An attribute that no argument declares keeps its form."""
    trace = read(f"{ARGUMENTS}\nargs = parser.parse_args()\nf(args.other)")
    assert asked(trace) == Part(Made(call(trace, ".parse_args")), "other")


def test_overridable_default_decides_no_branch() -> None:
    """Both sides of a branch that the command line decides are walked, under a condition."""
    trace = read(
        f"import m\n{ARGUMENTS}\nargs = parser.parse_args()\nif args.fp16:\n    m.f()\nelse:\n    m.g()\nif args.lr > 1:\n    m.h()"
    )
    assert conditions(trace, "m.f") == [True]
    assert conditions(trace, "m.g") == [False]
    assert conditions(trace, "m.h") == [True]


def test_overridable_default_decides_a_value() -> None:
    """A value chosen by a default is what the default chooses, and says that it may be overridden."""
    trace = read(
        f"{ARGUMENTS}\nargs = parser.parse_args()\nf('a' if args.fp16 else args.model_name, f'{{args.model_name}}-x', args.batch_size * 2)"
    )
    assert [plain(asked(trace, number)) for number in range(3)] == ["klue/bert-base", "klue/bert-base-x", 32]
    product = asked(trace, 2)
    assert isinstance(product, Constant)
    assert product.overridden_by == "the command line"


def test_arguments_in_functions() -> None:
    """A parser that functions build and pass on is followed."""
    trace = read(
        """
        from argparse import ArgumentParser
        def add(parser):
            parser.add_argument("--name", type=str, default="bert")
            return parser
        def get():
            parser = ArgumentParser()
            parser = add(parser)
            if torch.cuda.is_available():
                parser.add_argument("--gpus", type=int, default=1)
            args = parser.parse_args()
            args.out = "out/" + args.name
            return args
        def main(args):
            f(args.out, args.gpus, vars(args)["name"])
        if __name__ == "__main__":
            main(get())
        """
    )
    assert [plain(asked(trace, number)) for number in range(3)] == ["out/bert", 1, "bert"]


def test_argument_that_is_set() -> None:
    """An attribute that the script sets is known, whatever the command line says."""
    found = asked(read(f"{ARGUMENTS}\nargs = parser.parse_args()\nargs.fp16 = True\nf(args.fp16)"))
    assert isinstance(found, Constant)
    assert (found.value, found.overridden_by) == (True, "")


def test_subparsers() -> None:
    """Arguments of subcommands are known too."""
    trace = read(
        "import argparse\np = argparse.ArgumentParser()\ns = p.add_subparsers()\nt = s.add_parser('train')\nt.add_argument('--lr', default=1e-3)\na = p.parse_args()\nf(a.lr)"
    )
    assert plain(asked(trace)) == 1e-3


HUGGING_FACE = """
import sys
from dataclasses import dataclass, field
from typing import Optional
from transformers import AutoTokenizer, HfArgumentParser, TrainingArguments
@dataclass
class ModelArguments:
    data: str
    model_name_or_path: str = field(default="klue/bert-base", metadata={"help": "이름"})
    tokenizer_name: Optional[str] = field(default=None)
    names: list = field(default_factory=lambda: ["q"])
def main():
    parser = HfArgumentParser((ModelArguments, TrainingArguments))
    if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
        model_args, training_args = parser.parse_json_file(json_file=sys.argv[1])
    else:
        model_args, training_args = parser.parse_args_into_dataclasses()
    AutoTokenizer.from_pretrained(
        model_args.tokenizer_name if model_args.tokenizer_name else model_args.model_name_or_path
    )
    f(model_args, training_args, model_args.data, model_args.names, training_args.do_train)
main()
"""


def test_hugging_face_parser() -> None:
    """The dataclasses of HfArgumentParser have their defaults, whichever way they are parsed."""
    trace = read(HUGGING_FACE)
    loaded = call(trace, "transformers.AutoTokenizer.from_pretrained")
    assert loaded.constant(0, "") == "klue/bert-base"
    assert isinstance(asked(trace), Instance)
    assert asked(trace, 2) == Unknown("the command line", "data")
    assert plain(asked(trace, 3)) == ["q"]


def test_training_arguments_of_the_command_line() -> None:
    """TrainingArguments that are parsed are a call with arguments that are not known, and no condition."""
    trace = read(HUGGING_FACE)
    made = call(trace, "transformers.TrainingArguments")
    assert made.open
    assert made.conditions == ()
    assert asked(trace, 1) == Made(made)
    assert asked(trace, 4) == Part(Made(made), "do_train")


def test_own_training_arguments() -> None:
    """TrainingArguments of the project's own keep the fields that they add."""
    trace = read(
        """
        from dataclasses import dataclass, field
        from transformers import HfArgumentParser, TrainingArguments
        @dataclass
        class MyArguments(TrainingArguments):
            pooling: str = field(default="cls")
            learning_rate: float = 3e-5
        (args,) = HfArgumentParser(MyArguments).parse_args_into_dataclasses()
        f(args.pooling, args.learning_rate, args.output_dir)
        """
    )
    assert [plain(asked(trace, 0)), plain(asked(trace, 1))] == ["cls", 3e-5]
    made = call(trace, "transformers.TrainingArguments.__init__")
    assert isinstance(made.receiver, Instance)
    assert isinstance(asked(trace, 2), Part)


def test_click() -> None:
    """Options of click are the parameters of the command that is called without any."""
    trace = read(
        """
        import click
        @click.command()
        @click.option("--lr", "-l", default=1e-3)
        @click.option("--model-name", default="bert")
        @click.option("--debug", is_flag=True)
        @click.argument("path")
        def main(lr, model_name, debug, path):
            f(lr, model_name, debug, path)
        if __name__ == "__main__":
            main()
        """
    )
    assert [plain(asked(trace, number)) for number in range(3)] == [1e-3, "bert", False]
    assert asked(trace, 3) == Unknown("the command line", "path")


@pytest.mark.parametrize(
    "run", ["import fire\nfire.Fire(main)", "import typer\ntyper.run(main)", "import tyro\ntyro.cli(main)"]
)
def test_functions_as_commands(run: str) -> None:
    """A function that a command line library runs has its defaults."""
    trace = read(f"def main(data, lr=1e-3):\n    f(lr, data)\n{run}")
    assert plain(asked(trace)) == 1e-3
    assert asked(trace, 1) == Unknown("the command line", "data")


def test_typer_options() -> None:
    """`typer.Option(default)` is its default."""
    trace = read(
        "import typer\napp = typer.Typer()\n@app.command()\ndef main(lr: float = typer.Option(1e-3), name: str = typer.Argument(...)):\n    f(lr, name)\nmain()"
    )
    assert plain(asked(trace)) == 1e-3
    assert asked(trace, 1) == Unknown("the command line", "name")


def test_tyro_dataclass() -> None:
    """A dataclass that tyro fills has its defaults."""
    trace = read(
        "import tyro\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    data: str\n    lr: float = 1e-3\na = tyro.cli(A)\nf(a.lr, a.data)"
    )
    assert plain(asked(trace)) == 1e-3
    assert asked(trace, 1) == Unknown("the command line", "data")


def test_hydra() -> None:
    """The configuration of hydra is not known, and has the parameter's name."""
    trace = read(
        "import hydra\n@hydra.main(config_path='c')\ndef main(cfg):\n    f(cfg.model.name)\nif __name__ == '__main__':\n    main()"
    )
    found = asked(trace)
    assert isinstance(found, Part)
    assert found.of == Part(Unknown("the command line", "cfg"), "model")


@pytest.mark.parametrize(
    "load", ["yaml.safe_load(open('c.yaml'))", "json.load(open('c.json'))", "OmegaConf.load('c.yaml')"]
)
def test_files_are_not_read(load: str) -> None:
    """What a file says is not known; its parts keep their form."""
    trace = read(f"import yaml, json\nfrom omegaconf import OmegaConf\nc = {load}\nf(c['model'])")
    assert asked(trace) == Part(became(trace, "c"), index=Constant("model"))


def test_arguments_are_events() -> None:
    """add_argument is an event with the parser as receiver."""
    trace = read(ARGUMENTS)
    parser = became(trace, "parser")
    assert [one.method for one in trace.on(parser) if isinstance(one, Call)].count("add_argument") == 9
