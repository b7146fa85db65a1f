"""What no shape tells, asked of a tiny random model on the CPU.

How many positions it takes, whether it is causal, which token a classification head reads, whether it uses the pooler.
Answers are observed, not looked up.
"""

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

import build_architectures_fit as fitting
import build_architectures_meta as meta
import build_architectures_samples as sampling
import torch

ACTIVATIONS = tuple(
    "hidden_act hidden_activation activation_function feed_forward_proj activation afn ff_activation".split()
)
SMALL = (
    {"attention_type": "original_full", "attention_window": 4, "use_cache": False, "rotary_dim": 4}
    | {"num_landmarks": 64, "segment_means_seq_len": 64, "default_language": "en_XX"}
    | {"head_ratio": 2, "channel_shrink_ratio": 2, "num_groups": 1, "conv_kernel_size": 3}
)
"""What lets the models with an attention of their own run on a few tokens."""
FLIPS = (
    {},
    {"position_biased_input": False, "relative_attention": True},
    {"position_biased_input": False},
    {"alibi": True},
)
"""Switches that change where positions come from."""
TEXT = 9


def facts(
    space: sampling.Space, classes: Mapping[str, Any], varied: frozenset[str], described: dict[str, Any]
) -> dict[str, Any]:
    """Position rule, direction and activation key of the type; the reading of each class goes into `described`."""
    rng = random.Random("probe" + space.config_class.model_type)
    body = classes.get("AutoModel")
    out: dict[str, Any] = {
        "encoder_decoder": bool(space.config_class().is_encoder_decoder),
        "causal": _causal(space, body, varied, rng) if body else None,
        "activation": next((key for key in ACTIVATIONS if key in space.defaults), None),
        "position": _positions(space, body, varied, rng) if body else [],
    }
    for auto, cls in classes.items():
        entry = described[cls.__name__]
        if auto == "AutoModelForSequenceClassification" and "unknown" not in entry:
            entry |= _readings(space, cls, varied, rng)
        elif auto != "AutoModel" and "reads" not in entry:
            entry |= _idle(space, cls, varied, rng)
    return out


def _make(
    space: sampling.Space,
    cls: Any,
    varied: frozenset[str],
    rng: random.Random,
    change: Mapping[str, Any],
    *,
    labels: int = 3,
) -> Any:
    """A tiny random model in evaluation mode, or None."""
    small = {key: value for key, value in SMALL.items() if key in space.defaults}
    for _ in range(4):
        given = sampling.draw(space, varied, rng, {}) | small | change
        if "attention_window" in space.defaults:  # LED pads to whole windows
            given = {key: value // 4 * 4 if "position" in key else value for key, value in given.items()}
        values, config = meta.effective(space, given, labels=labels)
        if config is None:
            continue
        try:
            torch.manual_seed(0)
            config._attn_implementation = "eager"  # noqa: SLF001 - the plain arithmetic, the same on every machine
            config._experts_implementation = "eager"  # noqa: SLF001
            return values | given, cls(config).eval()
        except Exception:  # noqa: BLE001 - another draw may do
            continue
    return None


def _ids(values: Mapping[str, Any], length: int) -> torch.Tensor:
    """Ordinary token ids: none of the special ones."""
    special = [value for key, value in values.items() if key.endswith("_token_id") and isinstance(value, int)]
    low = 1 + max(special, default=2)
    return torch.arange(length).remainder(60).add(low).unsqueeze(0)


def _runs(call: Callable[[], Any]) -> Any:
    try:
        with torch.no_grad():
            return call()
    except Exception:  # noqa: BLE001 - "it cannot" is the answer
        return None


def _positions(space: sampling.Space, body: Any, varied: frozenset[str], rng: random.Random) -> list[dict[str, Any]]:
    """Cases of {when, kind, limit, hard}: the first whose condition holds counts."""
    found = []
    for flip in FLIPS:
        if any(key not in space.defaults for key in flip):
            continue
        if flip and found and not found[-1]["hard"] and "alibi" not in flip:
            continue
        case = _position(space, body, varied, rng, flip)
        if case:
            when = " & ".join(key if value else f"!{key}" for key, value in flip.items())
            found.append({"when": when, **case})
    return sorted(found, key=lambda case: not case["when"])


def _position(
    space: sampling.Space, body: Any, varied: frozenset[str], rng: random.Random, flip: Mapping[str, Any]
) -> dict[str, Any] | None:
    seen: list[tuple[dict[str, Any], int]] = []
    kind = "none"
    soft = next((key for key in ("max_position_embeddings", "n_positions", "max_seq_len") if key in space.defaults), "")
    for attempt in range(12):
        if len(seen) == 4:
            break
        ids = {"pad_token_id": attempt % 5 + 1} if isinstance(space.defaults.get("pad_token_id"), int) else {}
        pair = _make(space, body, varied, rng, {**flip, **ids})
        if pair is None:
            continue
        values, model = pair
        model = model.get_encoder() if model.config.is_encoder_decoder else model
        kind = _kind(model, space, values)
        most = max([8, *(value for key, value in _lengths(values).items() if key != "pad_token_id")])

        def takes(length: int, values: Any = values, model: Any = model) -> bool:
            return _runs(lambda: model(input_ids=_ids(values, length))) is not None

        if not takes(4) or not takes(8):
            continue
        if takes(most + 9) and takes(3 * most + 8):
            return _soft("sinusoidal" if kind == "learned" else kind, soft)
        low, high = 8, most + 9
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if takes(middle) else (low, middle)
        if takes(low - 1) and takes(low - 2) and not takes(low + 2) and not takes(low + 3):
            seen.append((values, low))
    usable = [_lengths(values) for values, _ in seen]
    limit = fitting.fit(usable, [most for _, most in seen], depth=0) if len(seen) > 2 else None
    if limit is None and len(seen) > 2:
        limit = _minus(usable, [most for _, most in seen])
    if not seen:
        return _soft(kind if kind in ("rope", "relative", "alibi") else "", soft)
    return {"kind": "learned" if kind == "none" else kind, "limit": limit or "", "hard": True}


def _soft(kind: str, key: str) -> dict[str, Any]:
    """No hard limit; with rope, the length of the training is a soft one."""
    return {"kind": kind, "limit": key if kind == "rope" else "", "hard": False}


def _lengths(values: Mapping[str, Any]) -> dict[str, int]:
    """The whole-number keys that may say how many positions there are."""
    return {k: v for k, v in values.items() if type(v) is int and re.search("position|pad_token_id|n_ctx|seq", k)}


def _minus(usable: list[dict[str, Any]], wanted: list[int]) -> str | None:
    for key in usable[0]:
        for shift in (0, 1, 2):
            moved = [one[key] - one.get("pad_token_id", 0) - shift for one in usable]
            if "pad_token_id" in usable[0] and moved == wanted:
                return f"{key}-pad_token_id-{shift}"
    return None


def _kind(model: Any, space: sampling.Space, values: Mapping[str, Any]) -> str:
    """Where the model's order of tokens comes from, by the names of its modules and keys."""
    names = [name for name, _ in model.named_modules()] + [name for name, _ in model.named_parameters()]
    text = "\n".join(names)
    table = re.search(r"wpe|position_embedding|embed_positions|pos_embed|positions_embed", text)
    if table and not re.search(r"relative_position|rotary_emb", text):
        return "learned"
    if values.get("alibi") or space.config_class.model_type in ("bloom", "mpt"):
        return "alibi"
    if "rope_parameters" in space.defaults or "rotary" in text or "rotary_dim" in space.defaults:
        return "rope"
    if re.search(r"relative|rel_embeddings|r_w_bias|r_r_bias", text):
        return "relative"
    return "learned" if "position" in text else "none"


def _causal(space: sampling.Space, body: Any, varied: frozenset[str], rng: random.Random) -> bool | None:
    """Whether a later token leaves the first token's vector alone."""
    for _ in range(6):  # some sizes drawn at random only work on paper
        pair = _make(space, body, varied, rng, {})
        if pair is not None and (told := _one_way(*pair)) is not None:
            return told
    return None


def _one_way(values: Mapping[str, Any], model: Any) -> bool | None:
    """The same of one model; None where it cannot be asked."""
    if model.config.is_encoder_decoder:
        return False
    ids = _ids(values, TEXT)
    other = ids.clone()
    other[0, 1:] += 1  # the neighbours too: Longformer sees no further than its window
    one, two = (_runs(lambda given=given: model(input_ids=given)[0]) for given in (ids, other))
    if one is None or two is None:
        return None
    return _same(one[0, 0], two[0, 0]) and not _same(one, two)


def _same(one: torch.Tensor, two: torch.Tensor) -> bool:
    """Equal but for rounding, which differs with how many tokens an expert gets."""
    return torch.allclose(one, two, rtol=1e-5, atol=1e-6)


def _readings(space: sampling.Space, cls: Any, varied: frozenset[str], rng: random.Random) -> dict[str, Any]:
    """What is read under the default config, and under each pooling that the config offers."""
    out = _patiently(space, cls, varied, rng, {})
    for key in ("classifier_pooling", "summary_type"):
        for value in space.choices.get(key, ()) if out else ():
            told = _patiently(space, cls, varied, rng, {key: value})
            if told.get("reads"):
                out.setdefault("reads_when", []).append([f"{key} == '{value}'", told["reads"]])
    if len({reads for _, reads in out.get("reads_when", ())} | {out.get("reads")}) == 1:
        out.pop("reads_when", None)
    return out


def _patiently(
    space: sampling.Space, cls: Any, varied: frozenset[str], rng: random.Random, change: Mapping[str, Any]
) -> dict[str, Any]:
    """The first reading that can be had; some sizes drawn at random only work on paper."""
    return next((told for _ in range(6) if (told := _reading(space, cls, varied, rng, change))), {})


def _reading(
    space: sampling.Space, cls: Any, varied: frozenset[str], rng: random.Random, change: Mapping[str, Any]
) -> dict[str, Any]:
    """{"reads": first | last | last non-pad | eos | all, "idle": poolers without effect}."""
    ids = {"pad_token_id": 1} if "pad_token_id" in space.defaults else {}
    pair = _make(space, cls, varied, rng, {**ids, **change})
    if pair is None:
        return {}
    values, model = pair
    ids = _ids(values, TEXT)
    eos, pad = (getattr(model.config, key, None) for key in ("eos_token_id", "pad_token_id"))
    ids[0, -3] = eos if isinstance(eos, int) else ids[0, -3]
    mask = torch.ones_like(ids)
    if isinstance(pad, int):
        ids[0, -2:], mask[0, -2:] = pad, 0
    kept: list[torch.Tensor] = []

    def keep(_module: Any, _inputs: Any, output: Any) -> None:
        hidden = output[0]
        if isinstance(hidden, torch.Tensor) and hidden.dim() == 3:
            hidden.retain_grad()
            kept.append(hidden)

    base = model.base_model if model.base_model is not model else None
    if base is None:
        return {}
    handle = base.register_forward_hook(keep)
    try:
        logits = model(input_ids=ids, attention_mask=mask).logits
        (logits * torch.arange(1.0, logits.shape[-1] + 1)).sum().backward()
    except Exception:  # noqa: BLE001 - what cannot be asked stays unsaid
        return {}
    finally:
        handle.remove()
    if not kept or kept[0].grad is None or kept[0].shape[:2] != ids.shape:
        return {}
    touched = kept[0].grad[0].abs().sum(-1).nonzero().flatten().tolist()
    names = {(0,): "first", (TEXT - 1,): "last", (TEXT - 3,): "last non-pad"}
    reads = names.get(tuple(touched), "all" if len(touched) >= TEXT - 2 else "")
    if reads == "last non-pad" and model.config.is_encoder_decoder:
        reads = "eos"
    return {"reads": reads, "idle": _without_gradient(model)}


def _idle(space: sampling.Space, cls: Any, varied: frozenset[str], rng: random.Random) -> dict[str, Any]:
    """Which parameters of the class its logits do not depend on."""
    pair = _make(space, cls, varied, rng, {}, labels=2)
    if pair is None:
        return {}
    values, model = pair
    ids = _ids(values, TEXT)
    try:
        out = model(input_ids=ids.unsqueeze(1).expand(1, 2, TEXT) if "MultipleChoice" in cls.__name__ else ids)
        parts = [part for key, part in out.items() if "logits" in key]
        sum((part.float() * torch.rand_like(part.float())).sum() for part in parts).backward()
    except Exception:  # noqa: BLE001 - what cannot be asked stays unsaid
        return {}
    return {"idle": _without_gradient(model)}


def _without_gradient(model: Any) -> list[str]:
    """Poolers that play no part, by name; other parameters are idle for too many harmless reasons."""
    poolers = [(name, one.grad) for name, one in model.named_parameters() if "pooler" in name]
    return [name for name, grad in poolers if grad is None or not grad.any()]
