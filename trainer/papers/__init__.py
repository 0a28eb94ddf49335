"""The published networks, trained as published, for comparison. They are not shipped."""
