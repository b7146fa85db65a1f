"""Fine-tuning: windows of questions and contexts, answers from logits, metrics as the official scripts compute them."""
