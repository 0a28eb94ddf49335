"""Fine-tuning of the shipped colour network on a user's own photographs."""
