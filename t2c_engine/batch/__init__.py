"""Many pictures: which files are meant, what their results are called, what made them, and the run over them."""
