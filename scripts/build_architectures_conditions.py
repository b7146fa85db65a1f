"""What can be asked of a config (a switch thrown, two keys alike), to say when a tensor exists or which size it has.

Pure, as build_architectures_fit, which it serves: knows neither torch nor transformers, nor what a key means.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from pretune.artifacts.architecture_expressions import holds

Config = Mapping[str, Any]


class Conditions:
    """What can be asked of a config, each with its answers over all observations."""

    def __init__(self, configs: Sequence[Config]) -> None:
        self.configs = configs
        keys = list(dict.fromkeys(key for config in configs for key in config if not key.endswith("_token_id")))
        texts: list[str] = []
        for key in keys:
            values = [config.get(key) for config in configs]
            texts.append(key)
            lists = [value for value in values if isinstance(value, (list, tuple))]
            listed = sorted({one for value in lists for one in value if isinstance(one, str)})
            texts += [f"{key} ~ '{one}'" for one in listed]
            if all(is_whole(value) for value in values) and min(values) < 0:  # type: ignore[type-var]
                texts.append(f"{key} > 0")
            small = {value for value in values if is_whole(value)}
            if 0 in small and 1 < len(small) < 7 and max(small) < 7:  # a choice in numbers: Falcon's layer norms
                texts += [f"{key} == {value}" for value in sorted(small)]
            if 1 in small and all(is_whole(value) for value in values):  # XLM: one language has no embedding
                texts.append(f"{key} > 1")
            strings = sorted({value for value in values if isinstance(value, str)})
            texts += [f"{key} == '{value}'" for value in strings]
            texts += sorted({f"{key} ^= '{value.split('-')[0]}-'" for value in strings if "-" in value})
        numbers = [key for key in keys if any(is_whole(config.get(key)) for config in configs)]
        for one, other in combinations(numbers, 2):
            same = [is_whole(config.get(one)) and config.get(one) == config.get(other) for config in configs]
            if any(same) and not all(same):
                texts.append(f"{one} == {other}")
        self.known: dict[tuple[bool, ...], str] = {}
        for text in texts:
            answers = tuple(holds(text, config) for config in configs)
            if any(answers) and not all(answers):
                self.known.setdefault(answers, text)
                negative = text.replace("==", "!=") if "==" in text else f"!({text})" if " " in text else f"!{text}"
                self.known.setdefault(tuple(not answer for answer in answers), negative)

    def find(self, wanted: Sequence[bool]) -> str | None:
        """The simplest condition that has these answers; "" for always, None when there is none."""
        wanted = tuple(wanted)
        if all(wanted):
            return ""
        if wanted in self.known:
            return self.known[wanted]
        for sign, combine in (("&", all), ("|", any)):
            for (one, a), (other, b) in combinations(self.known.items(), 2):
                if tuple(combine(pair) for pair in zip(one, other, strict=True)) == wanted:
                    return f"{a} {sign} {b}"
        for (one, a), (other, b), (third, c) in combinations(self.known.items(), 3):
            if tuple(all(three) for three in zip(one, other, third, strict=True)) == wanted:
                return f"{a} & {b} & {c}"
        return None


def is_whole(value: object) -> bool:
    """Whether it is an integer and no switch."""
    return isinstance(value, int) and not isinstance(value, bool)
