"""Values of the command line: what a parser's defaults say, which a run may override (`Constant.overridden_by`).

argparse, HfArgumentParser and its relatives, click and typer options, tyro, and namespaces made by hand.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pretune.script.choices import part
from pretune.script.evaluate_classes import instantiate
from pretune.script.evaluate_functions import closure
from pretune.script.trace import Call
from pretune.script.values import Class, Constant, External, Made, OneOf, Sequence, Table, Unknown

if TYPE_CHECKING:
    from pretune.script.state import Walk
    from pretune.script.values import Function, Instance, Place, Value

COMMAND_LINE = "the command line"
_PARSERS = {"ArgumentParser", "ConfigArgumentParser", "ArgParser", "Tap"}
_DATACLASS_PARSERS = {"HfArgumentParser", "TrlParser", "H4ArgumentParser", "HfArgumentParserWithConfig"}
_PARSES = {
    "parse_args_into_dataclasses", "parse_args_and_config", "parse_json_file", "parse_yaml_file", "parse_dict", "parse",
    "parse_args",
}  # fmt: skip
_NAMESPACES = {
    "SimpleNamespace", "Namespace", "EasyDict", "edict", "AttrDict", "Munch", "Box", "DotDict", "ConfigDict", "create",
    "AttributeDict", "DictConfig", "addict.Dict",
}  # fmt: skip
_OPTIONS = ("\0options",)
_CONVERT = {"builtins.int": int, "builtins.float": float, "builtins.str": str}


def after_call(walk: Walk, call: Call) -> Value | None:
    """What a call of a parser gives; None: it is none, or nothing is known of it."""
    method = call.method
    receiver = call.receiver
    if receiver is None:
        return _made(walk, call)
    if method in ("add_argument", "add_argument_group", "add_mutually_exclusive_group", "set_defaults", "add_parser"):
        _declare(walk, call, _root(walk, receiver))
    elif method == "add_subparsers":
        walk.memory["parser", Made(call)] = _root(walk, receiver)
    elif (
        method in ("parse_args", "parse_known_args", "parse_intermixed_args", "parse_args_into_dataclasses")
        or method in _PARSES
    ):
        return _parsed(walk, call, _root(walk, receiver))
    return None


def _made(walk: Walk, call: Call) -> Value | None:
    """Parsers and namespaces as they are made."""
    last = call.method
    made = Made(call)
    if last in _DATACLASS_PARSERS:
        _dataclass_parser(walk, call, made)
    elif last in _PARSERS:
        walk.memory["parser", made] = made
    elif last in _NAMESPACES:
        given = dict(call.keywords)
        for one in call.arguments[:1]:
            if isinstance(one, Table):
                given |= {
                    key.value: value
                    for key, value in one.items
                    if isinstance(key, Constant) and isinstance(key.value, str)
                }
        fill(walk, made, given)
    elif call.function_name in ("tyro.cli", "simple_parsing.parse", "draccus.parse") and call.arguments:
        shape = call.arguments[0]
        if isinstance(shape, Class):
            return from_command_line(walk, shape, call.place, call.target)
    elif last in ("add_argparse_args", "add_model_specific_args", "add_arguments") and call.arguments:
        walk.memory["parser", made] = _root(walk, call.arguments[0])
    return None


def _root(walk: Walk, value: Value) -> Value:
    """The parser that a group or subparser belongs to."""
    if isinstance(value, OneOf):
        value = value.values[0]
    found = walk.memory.get(("parser", value)) if isinstance(value, Made) else None
    return value if found is None else found


def fill(walk: Walk, of: Value, given: dict[str, Value]) -> None:
    """Gives a namespace its attributes."""
    for name, value in given.items():
        walk.journal.put(walk.attributes, (of, name), value)
        walk.journal.put(walk.attributes, (of, Constant(name)), value)
    walk.journal.put(walk.attributes, (of, "\0names"), tuple(given))


def overridable(value: Value) -> Value:
    """A default, as one that the command line may override."""
    if isinstance(value, Constant):
        return Constant(value.value, COMMAND_LINE)
    if isinstance(value, Sequence):
        return Sequence(tuple(overridable(one) for one in value.items), value.kind, value.open)
    return value


def _declare(walk: Walk, call: Call, parser: Value) -> None:
    """`add_argument` and its kin."""
    if call.method in ("add_argument_group", "add_mutually_exclusive_group", "add_parser"):
        walk.memory["parser", Made(call)] = parser
        return
    key = (parser, _OPTIONS)
    options = dict(walk.attributes.get(key, {}))
    if call.method == "set_defaults":
        options |= {name: overridable(value) for name, value in call.keywords.items()}
    else:
        name = _destination(call)
        if name is None:
            return
        options[name] = _default(call, name)
    walk.journal.put(walk.attributes, key, options)


def _destination(call: Call) -> str | None:
    """The attribute that an argument becomes."""
    given = call.constant(None, "dest")
    if isinstance(given, str):
        return given
    names = [one.value for one in call.arguments if isinstance(one, Constant) and isinstance(one.value, str)]
    long = [name for name in names if name.startswith("--")]
    chosen = long or names
    return chosen[0].lstrip("-").replace("-", "_") if chosen else None


def _default(call: Call, name: str) -> Value:
    """What an argument is where the command line does not say."""
    action = call.constant(None, "action")
    default = call.argument(None, "default")
    if isinstance(default, Constant) and isinstance(default.value, str):
        kind = call.argument(None, "type")
        convert = _CONVERT.get(kind.name) if isinstance(kind, External) else None
        if convert is not None:
            with suppress(ValueError):
                default = Constant(convert(default.value))
    if default is not None and call.constant(None, "required") is not True:
        return overridable(default)
    if action in ("store_true", "store_false"):
        return Constant(action == "store_false", COMMAND_LINE)
    return Unknown(COMMAND_LINE, name)


def _parsed(walk: Walk, call: Call, parser: Value) -> Value | None:
    """`parse_args()` and its kin."""
    shapes = walk.memory.get(("dataclasses", parser)) if isinstance(parser, Made) else None
    if shapes is not None:
        return Sequence(shapes, "tuple")
    options = walk.attributes.get((parser, _OPTIONS)) if isinstance(parser, Made) else None
    if options is None or not call.method.startswith("parse_"):
        return None
    space: Value = Made(call)
    if call.method == "parse_known_args":
        space = part(space, index=Constant(0))
    fill(walk, space, options)
    return None


def _dataclass_parser(walk: Walk, call: Call, parser: Made) -> None:
    """`HfArgumentParser((ModelArguments, TrainingArguments))`: what it will give is made here, once."""
    given = call.argument(0, "dataclass_types")
    kinds = given.items if isinstance(given, Sequence) else () if given is None else (given,)
    shapes: list[Value] = []
    for kind in kinds:
        if isinstance(kind, Class):
            shapes.append(from_command_line(walk, kind, call.place, ()))
        elif isinstance(kind, External):
            shapes.append(Made(walk.emit(Call, call.place, function_name=kind.name, open=True)))
        else:
            shapes.append(Unknown(COMMAND_LINE))
    walk.memory["dataclasses", parser] = tuple(shapes)


def from_command_line(walk: Walk, of: Class, place: Place, target: tuple[str, ...]) -> Instance:
    """A dataclass whose fields the command line gives: their defaults, else unknown."""
    made = instantiate(walk, of, [], {}, is_open=False, place=place, target=target, missing=COMMAND_LINE)
    live = walk.fields[id(made)]
    for name, value in list(live.items()):
        live[name] = overridable(value)
    if isinstance(made.fields, dict):
        made.fields.update(live)
    return made


def decorated_arguments(function: Function) -> dict[str, Value]:
    """The parameters that decorators of click give a command, `@click.option("--lr", default=1e-3)`."""
    found: dict[str, Value] = {}
    for decorator in closure(function).decorators:
        if not isinstance(decorator, Made):
            continue
        call = decorator.call
        if call.method not in ("option", "argument"):
            continue
        plain = [one.value for one in call.arguments if isinstance(one, Constant) and isinstance(one.value, str)]
        own = [name for name in plain if not name.startswith("-")]
        name = own[0] if own else _destination(call)
        if name is not None:
            found[name.lower().replace("-", "_")] = _click_default(call, name)
    for name, value in closure(function).defaults.items():
        if isinstance(value, Made) and value.call.method in ("Option", "Argument"):
            default = value.call.argument(0, "default")
            known = isinstance(default, Constant) and default.value is not ...
            found[name] = overridable(default) if known and default is not None else Unknown(COMMAND_LINE, name)
    return found


def _click_default(call: Call, name: str) -> Value:
    if call.constant(None, "is_flag") is True and call.argument(None, "default") is None:
        return Constant(False, COMMAND_LINE)
    return _default(call, name)
