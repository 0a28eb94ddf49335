"""The page that observers open, and its builder."""
