"""Claims of the source documents, measured on validation pictures, and their tables."""
