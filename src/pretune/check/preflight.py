"""Preflight: a callback for any Hugging Face Trainer that looks at the run before its first step.

The class is made when it is first named, as its base class is transformers'; importing this imports nothing. What it
looks at is put back: a run with it has the losses of a run without.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.extras import need

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.check.engine import Report
    from pretune.check.sources.live_objects import Objects

ON_ERROR = ("stop", "warn")


class PreflightStopped(UserError):  # noqa: N818 - the run was stopped, it did not fail
    """Raised before the first step of a run in which errors were found; its text lists them.

    Attributes:
        report: everything that was found.
    """

    def __init__(self, report: Report) -> None:
        errors = [finding for finding in report.findings if finding.level == "error"]
        listed = "".join(f"\n  {one.name}: {one.message}\n    fix: {one.help}" for one in errors)
        told = listed or "\n  (found by another process of this run)"
        super().__init__(
            f"pretune stopped the run before its first step, {len(errors)} error{'s' * (len(errors) != 1)}:{told}",
            hint='check.Preflight(on_error="warn") trains all the same; allow={"NAME": "why"} allows one',
            exit_code=1,
        )
        self.report = report

    def __str__(self) -> str:
        return f"{self.message}\n({self.hint})"


class _Preflight:
    """Looks at model, tokenizer, arguments, collator and the first batches when training begins.

    `Trainer(..., callbacks=[check.Preflight()])`

    Args:
        on_error: "stop" raises PreflightStopped when an error is found; "warn" trains all the same.
        deep: compute a few batches on a copy of the model as well.
        select: as for `check.run`.
        ignore: as for `check.run`.
        allow: as for `check.run`.

    Attributes:
        report: what was found; None before training begins.

    Raises:
        UserError: on_error is another word, or a rule is unknown.
    """

    def __init__(
        self,
        on_error: str = "stop",
        *,
        deep: bool = False,
        select: str | Iterable[str] | None = None,
        ignore: str | Iterable[str] | None = None,
        allow: Mapping[str, str] | None = None,
    ) -> None:
        if on_error not in ON_ERROR:
            raise UserError(f'on_error is {on_error!r}, expected "stop" or "warn"')
        from pretune.check import _words
        from pretune.check.rules import all_rules, matching
        from pretune.check.rules import select as choose

        rules = all_rules()
        for name in allow or {}:
            matching(rules, name)
        self.on_error, self.deep, self.allow = on_error, deep, dict(allow or {})
        self.report: Report | None = None
        self._rules = choose(rules, _words(select), _words(ignore))

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Look, log once, and stop the run if it is to be stopped."""
        del control
        objects = _objects(self, args, state, given)
        self.report = _report(objects, self)
        if getattr(state, "is_world_process_zero", True):
            sys.stderr.write(_told(self.report))
        if self.on_error == "stop" and _anywhere(not self.report.ok, args):
            raise PreflightStopped(self.report)


def _objects(callback: Any, args: Any, state: Any, given: Mapping[str, Any]) -> Objects:
    """What a Trainer tells its callbacks, and the Trainer itself, where it is among the callers."""
    from dataclasses import replace

    from pretune.check.sources.live_objects import Objects, of_trainer, text_tokenizer

    processing = given.get("processing_class")
    processing = processing if processing is not None else given.get("tokenizer")
    loader = given.get("train_dataloader")
    trainer = _caller(callback)
    known = of_trainer(trainer) if trainer is not None else Objects()
    steps = getattr(state, "max_steps", None)
    model = given.get("model")
    return replace(
        known,
        model=model if model is not None else known.model,
        tokenizer=text_tokenizer(processing) if processing is not None else known.tokenizer,
        arguments=args,
        train=known.train if known.train is not None else getattr(loader, "dataset", None),
        loader=loader,
        optimizer=given.get("optimizer") if given.get("optimizer") is not None else known.optimizer,
        scheduler=given.get("lr_scheduler") if given.get("lr_scheduler") is not None else known.scheduler,
        steps=steps if isinstance(steps, int) and steps > 0 else None,
    )


def _caller(callback: Any) -> Any:
    """The Trainer that called, found among the callers' `self`: callbacks are told everything of it but itself.

    None where there is none: then its loss, columns and evaluation set are not known.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - the only way to it that all versions have
    for _ in range(30):
        if frame is None:
            return None
        one = frame.f_locals.get("self")
        handler = getattr(one, "callback_handler", None) if one is not callback else None
        if handler is not None and any(known is callback for known in getattr(handler, "callbacks", ())):
            return one
        frame = frame.f_back  # type: ignore[assignment]
    return None


def _report(objects: Objects, callback: _Preflight) -> Report:
    """The check. Where a file of the model's cannot be read, what is in memory is still looked at."""
    from pretune.check.live_check import check_objects

    rules, allow, deep = callback._rules, callback.allow, callback.deep  # noqa: SLF001 - its own module
    try:
        return check_objects(objects, rules, allow=allow, deep=deep)
    except UserError as error:
        from dataclasses import replace

        from pretune.check.live_check import check_memory

        report = check_memory(objects, rules, allow=allow, deep=deep)
        return replace(report, remarks=(*report.remarks, f"the model's files were not checked: {error.message}"))


def _told(report: Report) -> str:
    """The report as text; one line when nothing was found."""
    if not report.findings:
        return f"pretune preflight: {report.subject}: nothing found ({len(report.asked)} rules asked)\n"
    from pretune.check.report import render

    text = render(report, "text")
    return text if text.endswith("\n") else f"{text}\n"


def _anywhere(found: bool, args: Any) -> bool:
    """Whether any process of the run found errors, so that all of them stop."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return found
    flag = torch.tensor([int(found)], device=getattr(args, "device", "cpu"))
    torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
    return bool(flag.item())


def __getattr__(name: str) -> Any:
    if name != "Preflight":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    base = need("transformers", extra="train").TrainerCallback
    keys = {"__doc__": _Preflight.__doc__, "__module__": __name__, "__qualname__": "Preflight"}
    made = type("Preflight", (_Preflight, base), keys)
    globals()["Preflight"] = made
    return made
