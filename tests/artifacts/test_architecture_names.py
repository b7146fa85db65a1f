"""Old tensor names and what transformers calls them when it loads a checkpoint."""

from pretune.artifacts.architectures import find


def test_old_names_are_mapped_as_transformers_maps_them():
    """LayerNorm gamma and beta, weight_norm, Mixtral's experts, a fused qkv."""
    bert, mixtral, nomic = find("bert"), find("mixtral"), find("nomic_bert")
    assert bert is not None
    assert mixtral is not None
    assert nomic is not None
    assert bert.renamed("bert.embeddings.LayerNorm.gamma").names == ("bert.embeddings.LayerNorm.weight",)
    assert bert.renamed("bert.encoder.layer.0.output.LayerNorm.beta").names == (
        "bert.encoder.layer.0.output.LayerNorm.bias",
    )
    assert bert.renamed("classifier.weight").names == ("classifier.weight",)
    merged = mixtral.renamed("model.layers.0.block_sparse_moe.experts.3.w1.weight")
    assert merged.names == ("model.layers.0.mlp.experts.gate_up_proj",)
    assert merged.operations == ("MergeModulelist", "Concatenate")
    split = nomic.renamed("encoder.layers.0.attn.Wqkv.weight")
    assert len(split.names) == 3
    assert split.operations == ("Chunk",)


def test_position_ids_of_old_checkpoints_are_ignored():
    """A buffer that transformers 5 no longer saves is not worth a word."""
    known = find("bert")
    assert known is not None
    assert known.ignores("BertModel", "embeddings.position_ids", when="unexpected")
    assert not known.ignores("BertModel", "embeddings.position_embeddings.weight", when="unexpected")
