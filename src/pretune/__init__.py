"""pretune finds and mends what is easy to miss before, while and after you fine-tune a pretrained transformer.

The parts are imported when they are first named (PEP 562), so `import pretune` costs almost nothing.
"""

__version__ = "0.1.0"
__all__ = ["check", "knock", "pool", "tokens", "train"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
