"""What is asked: palettes for texts, pictures coloured from grey, and pairs of text and palette to judge."""
