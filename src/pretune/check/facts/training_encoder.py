"""The encoder that the setup trains with: the tokenizer's, with the tokens that the setup adds. Knows no data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tokenizers

    from pretune.check.facts.tokenizer import TokenizerFacts
    from pretune.check.sources.setup import Setup


def training_encoder(setup: Setup, tokenizer: TokenizerFacts) -> tokenizers.Tokenizer:
    """The encoder after `add_tokens` and `add_special_tokens`, as transformers hands the words on.

    Raises:
        Unavailable: the tokenizer cannot be built here.
    """
    if not setup.add_tokens and not setup.add_special_tokens:
        return tokenizer.encoder
    import tokenizers

    copy = tokenizers.Tokenizer.from_str(tokenizer.encoder.to_str())
    copy.add_tokens([word for word in setup.add_tokens if word])
    copy.add_special_tokens([word for word in setup.add_special_tokens if word])
    return copy
