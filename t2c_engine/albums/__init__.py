"""Albums and archives: trees of pictures as a job with a journal, worker processes or a cluster, and a review page."""
