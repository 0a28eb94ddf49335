"""Golden values: results of the shipped networks, stored, so that a change of code alone cannot change them."""
