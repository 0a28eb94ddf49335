"""Golden values: what the shipped networks give today, stored, so that a change of code alone cannot change it unseen."""
